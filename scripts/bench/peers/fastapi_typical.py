"""FastAPI as its tutorial writes it, before ONNX Runtime: models of pydantic, an ordinary function.

uvicorn fastapi_typical:app, with the environment variable MODEL naming an ONNX file.
"""

import os

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(
    os.environ["MODEL"], options, providers=["CPUExecutionProvider"]
)
app = FastAPI()


class Question(BaseModel):
    """One sequence: a vector a step."""

    inputs: list[list[float]]


class Answer(BaseModel):
    """The head's outputs."""

    outputs: list[float]


@app.get("/readyz")
def ready() -> None:
    """200 once the model is loaded."""


@app.post("/predict")
def predict(question: Question) -> Answer:
    """The prediction for one sequence."""
    steps = np.array(question.inputs, dtype=np.float32)
    (outputs,) = session.run(None, {"x": steps[:, None, :]})
    return Answer(outputs=outputs[0].tolist())
