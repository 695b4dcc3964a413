"""Writes folders of Tests/Fixtures/onnx_imports with files of ONNX that converters made."""

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
from reference import FIXTURES, Array, case, write_cases

ROOT = FIXTURES / "onnx_imports"


def write(name: str, model: onnx.ModelProto, given: Callable[[int], Array],
          expected: Callable[[Array], Array] | None = None) -> None:
    """A folder with a model, its input called x and its output y, and what ONNX Runtime answers to sequences of some lengths.

    `expected` is what the framework answers, which has to be the same."""
    names = {model.graph.input[0].name: "x", model.graph.output[0].name: "y"}
    for node in model.graph.node:
        node.input[:] = [names.get(value, value) for value in node.input]
        node.output[:] = [names.get(value, value) for value in node.output]
    model.graph.input[0].name, model.graph.output[0].name = "x", "y"
    folder = ROOT / name
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    cases = []
    for steps in (1, 4, 9):
        x = given(steps)
        (answer,) = session.run(None, {"x": x})
        assert expected is None or np.allclose(answer, expected(x), atol=1e-5), name
        cases.append(case({"x": x[0].astype(np.int64) if x.dtype == np.int32 else x[0]}, {"y": answer[0]}))
    write_cases(folder, cases, onnxruntime=onnxruntime.__version__)
