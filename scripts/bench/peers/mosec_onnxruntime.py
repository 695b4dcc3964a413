"""mosec before ONNX Runtime: batches as they come, one pass for each length in a batch.

python mosec_onnxruntime.py --address HOST --port PORT, with the environment variables MODEL naming
an ONNX file and WORKERS saying how many processes compute.
"""

import os
from collections import defaultdict

import numpy as np
import onnxruntime
import orjson
from mosec import Server, Worker
from numpy.typing import NDArray

MAX_BATCH = 64
# The least that mosec takes. Of 1, 2 and 5 ms it answered one client soonest and 64 at the best rate.
MAX_WAIT_MS = 1


class LSTM(Worker):
    """Takes {"inputs": [[f, …], …]} and answers {"outputs": [f, …]}."""

    def __init__(self) -> None:
        super().__init__()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            os.environ["MODEL"], options, providers=["CPUExecutionProvider"]
        )

    def deserialize(self, data: bytes) -> NDArray[np.float32]:
        """One sequence, [T, D]."""
        return np.array(orjson.loads(data)["inputs"], dtype=np.float32)

    def serialize(self, data: NDArray[np.float32]) -> bytes:
        """One row of outputs."""
        return orjson.dumps({"outputs": data}, option=orjson.OPT_SERIALIZE_NUMPY)

    def forward(self, data: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """The batch's sequences by length: padding would change what an LSTM ends with."""
        groups: dict[int, list[int]] = defaultdict(list)
        for index, steps in enumerate(data):
            groups[len(steps)].append(index)
        answers = list(data)
        for indices in groups.values():
            (outputs,) = self.session.run(None, {"x": np.stack([data[i] for i in indices], axis=1)})
            for index, output in zip(indices, outputs, strict=True):
                answers[index] = output
        return answers


if __name__ == "__main__":
    server = Server()
    server.append_worker(
        LSTM, num=int(os.environ["WORKERS"]), max_batch_size=MAX_BATCH,
        max_wait_time=MAX_WAIT_MS, route="/predict",
    )
    server.run()
