"""FastAPI and uvicorn before ONNX Runtime: each sequence alone, as most people would serve it.

uvicorn fastapi_onnxruntime:app, with the environment variable MODEL naming an ONNX file.
"""

import os

import numpy as np
import onnxruntime
import orjson
from fastapi import FastAPI, Request, Response

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(
    os.environ["MODEL"], options, providers=["CPUExecutionProvider"]
)
app = FastAPI()


@app.get("/readyz")
async def ready() -> Response:
    """200 once the model is loaded."""
    return Response()


# On the loop itself: a step to a thread pool costs more than one sequence does.
@app.post("/predict")
async def predict(request: Request) -> Response:
    """Takes {"inputs": [[f, …], …]} and answers {"outputs": [f, …]}."""
    steps = np.array(orjson.loads(await request.body())["inputs"], dtype=np.float32)
    (outputs,) = session.run(None, {"x": steps[:, None, :]})
    return Response(
        orjson.dumps({"outputs": outputs[0]}, option=orjson.OPT_SERIALIZE_NUMPY),
        media_type="application/json",
    )
