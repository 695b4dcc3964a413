"""One recurrent layer in one engine, behind a pipe: scripts/bench/kernels asks, in lines of JSON.

engine.py NAME PRECISION THREADS, with the environment variable CAROUSEL naming Carousel's binary.
First it says its version. Then it answers requests, and sleeps in between:
{"folder": F, "cell": C, "hidden": H, "batch": B, "steps": T, "answer": A, "expected": E} loads the
network of cells C that scripts/bench/models wrote to F, saves the outputs for an input that is the same for all engines,
[T, B, H], as A, and says how far they are from those in E; {"seconds": S} measures for so long.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from harness.folders import read_tensors

Floats = NDArray[np.float32]
SEED = 20
# A pass may take longer than the time given.
LEAST_RUNS = 3


class Engine(ABC):
    """Subclasses import their package when they are made: a process has but one."""

    version: str

    @abstractmethod
    def load(self, folder: Path, cell: str, x: Floats) -> None:
        """Prepares for the network of such cells in `folder` and the input `x`, [T, B, D]."""

    @abstractmethod
    def run(self) -> Floats:
        """The outputs of every step, [T, B, H]."""

    def measure(self, seconds: float) -> dict[str, Any]:
        """The median time of a run; the first one warms the caches and does not count."""
        self.run()
        times: list[float] = []
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end or len(times) < LEAST_RUNS:
            self.run()
            times.append(time.perf_counter() - start)
        return {"milliseconds": statistics.median(times) * 1e3}


class Carousel(Engine):
    """The commands of the binary: `predict` answers, `bench kernel` measures."""

    def __init__(self, precision: str, threads: int) -> None:
        self.precision, self.threads = precision, threads
        self.version = self.output("version").strip()

    def output(self, *words: str) -> str:
        """What the command prints."""
        command = [os.environ["CAROUSEL"], *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"exit status {done.returncode}: {' '.join(command)}")
        return done.stdout

    def load(self, folder: Path, cell: str, x: Floats) -> None:
        self.cell, self.model, self.input = cell, str(folder / cell), str(folder / "x.npy")
        self.steps, self.batch, self.hidden = x.shape
        np.save(self.input, np.ascontiguousarray(x.swapaxes(0, 1)))

    def run(self) -> Floats:
        text = self.output("predict", self.model, "--precision", self.precision,
                           "--input", self.input, "--outputs", "all")
        return np.array(json.loads(text)["outputs"], np.float32).swapaxes(0, 1)

    def measure(self, seconds: float) -> dict[str, Any]:
        shape = {"cell": self.cell, "hidden": self.hidden, "batch": self.batch, "steps": self.steps,
                 "threads": self.threads, "precision": self.precision, "seconds": seconds}
        options = [word for name, value in shape.items() for word in (f"--{name}", str(value))]
        return json.loads(self.output("bench", "kernel", *options, "--json"))


class ONNXRuntime(Engine):
    """f32, or its dynamic int8."""

    def __init__(self, precision: str, threads: int) -> None:
        import onnxruntime

        self.version, self.precision = onnxruntime.__version__, precision
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads

    def load(self, folder: Path, cell: str, x: Floats) -> None:
        from onnxruntime import InferenceSession
        from onnxruntime.quantization import QuantType, quantize_dynamic

        path = folder / f"{cell}.onnx"
        if self.precision == "int8":
            path = folder / f"{cell}-int8.onnx"
            quantize_dynamic(folder / f"{cell}.onnx", path, weight_type=QuantType.QInt8)
        self.session = InferenceSession(path, self.options, providers=["CPUExecutionProvider"])
        self.x = x

    def run(self) -> Floats:
        return self.session.run(None, {"x": self.x})[0][:, 0]


class OpenVINO(Engine):
    """f32, compiled for the shape; neither inputs nor outputs are copied."""

    def __init__(self, _: str, threads: int) -> None:
        # Else importing it tells Google Analytics, from a process that may outlive this one.
        sys.modules["openvino_telemetry"] = None
        import openvino

        self.version, self.core = openvino.__version__.split("-")[0], openvino.Core()
        self.settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}

    def load(self, folder: Path, cell: str, x: Floats) -> None:
        model = self.core.read_model(folder / f"{cell}.onnx")
        model.reshape({"x": list(x.shape)})
        self.request = self.core.compile_model(model, "CPU", self.settings).create_infer_request()
        self.x = x

    def run(self) -> Floats:
        return self.request.infer({"x": self.x}, share_inputs=True, share_outputs=True)[0][:, 0]


class PyTorch(Engine):
    """torch.nn.LSTM and its siblings, in f32."""

    def __init__(self, _: str, threads: int) -> None:
        import torch

        self.version = torch.__version__
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)

    def load(self, folder: Path, cell: str, x: Floats) -> None:
        import torch

        self.layer = getattr(torch.nn, cell.upper())(x.shape[2], x.shape[2]).eval()
        self.layer.load_state_dict({
            name.removeprefix(f"{cell}."): torch.frombuffer(values, dtype=torch.float32).reshape(shape)
            for name, (shape, values) in read_tensors(folder / cell).items()
        })
        self.x = torch.from_numpy(x)

    def run(self) -> Floats:
        return self.layer(self.x)[0].numpy()


ENGINES: dict[str, type[Engine]] = {
    "carousel": Carousel, "onnxruntime": ONNXRuntime, "openvino": OpenVINO, "torch": PyTorch,
}


def difference(engine: Engine, request: dict[str, Any]) -> float:
    """Loads, runs and saves; the largest difference to what is expected, NaN where there is one."""
    shape = request["steps"], request["batch"], request["hidden"]
    x = np.random.default_rng(SEED).standard_normal(shape, dtype=np.float32)
    engine.load(Path(request["folder"]), request["cell"], x)
    found = engine.run()
    if found.shape != shape:
        raise SystemExit(f"outputs of {found.shape}, expected {shape}")
    np.save(request["answer"], found)
    return float(np.abs(found - np.load(request["expected"])).max())


def main() -> None:
    """Answers until nobody asks any more."""
    name, precision, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    # Nothing that a library prints may get among the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    engine = ENGINES[name](precision, threads)
    print(json.dumps({"version": engine.version}), file=answers)
    for line in sys.stdin:
        request = json.loads(line)
        if "seconds" in request:
            answer = engine.measure(request["seconds"])
        else:
            answer = {"difference": difference(engine, request)}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
