"""Makes Tests/Fixtures/onnx_quantized: a model of onnx_imports as ONNX Runtime quantises it, and what it answers then.

Weights have 8 bits; what goes into products is rounded to 8 bits at each call (dynamic) or by scales that were measured (static).
A folder keeps the first and not the second: its answers lie between these and those of the model as it was, `exact` in io.json.

Use: python onnx_quantized.py (onnxruntime 1.32, onnx 1.23)
"""

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from reference import FIXTURES, Array, case, write_cases

ROOT = FIXTURES / "onnx_quantized"
RANDOM = np.random.default_rng(3)
MODELS = {"tagger": "tagger_script", "residual": "residual_script", "conv": "conv_script"}


def answer(path: Path, feed: dict[str, Array]) -> Array:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, feed)[0]


class Examples(CalibrationDataReader):
    """Inputs to measure scales with."""

    def __init__(self, feeds: list[dict[str, Array]]) -> None:
        self.feeds = iter(feeds)

    def get_next(self) -> dict[str, Array] | None:
        return next(self.feeds, None)


def given(declared: Any, length: int) -> dict[str, Array]:
    """What a session's input is asked."""
    if "int" in declared.type:
        return {declared.name: RANDOM.integers(1, 10, (1, length))}
    return {declared.name: RANDOM.uniform(-1, 1, (1, length, declared.shape[-1])).astype(np.float32)}


def write_answers(folder: Path, exact: Path) -> None:
    """Writes what the folder's model and the one before it was quantised answer."""
    session = onnxruntime.InferenceSession(str(exact), providers=["CPUExecutionProvider"])
    (declared,) = session.get_inputs()
    cases = []
    for length in (2, 5, 9):
        feed = given(declared, length)
        value = feed[declared.name][0]
        found = answer(folder / "model.onnx", feed)[0]
        cases.append(case({declared.name: value}, {session.get_outputs()[0].name: found},
                          exact=[float(str(v)) for v in answer(exact, feed)[0].flatten()]))
    write_cases(folder, cases, onnxruntime=onnxruntime.__version__)


def with_rounded_biases(model: onnx.ModelProto) -> onnx.ModelProto:
    """The biases of convolutions as ONNX Runtime 1.4 wrote them: whole numbers of the product's scale, before it."""
    nodes: list[onnx.NodeProto] = []
    makers = {output: node for node in model.graph.node for output in node.output}
    for node in model.graph.node:
        shape = makers.get(node.input[1]) if node.op_type == "Add" else None
        if shape is None or shape.op_type != "Reshape":
            nodes.append(node)
            continue
        product = makers[node.input[0]]
        cast = makers[product.input[0]]
        nodes = [other for other in nodes if other not in (product, cast)]
        bias, name = shape.input[0], node.output[0]
        nodes += [
            helper.make_node("Mul", list(makers[product.input[1]].input), [f"{name}_bias_scale"]),
            helper.make_node("Div", [bias, f"{name}_bias_scale"], [f"{name}_quotient"]),
            helper.make_node("Floor", [f"{name}_quotient"], [f"{name}_floor"]),
            helper.make_node("Cast", [f"{name}_floor"], [f"{name}_whole"], to=TensorProto.INT32),
            helper.make_node("Reshape", [f"{name}_whole", shape.input[1]], [f"{name}_reshaped"]),
            helper.make_node("Add", [cast.input[0], f"{name}_reshaped"], [f"{name}_sum"]),
            helper.make_node("Cast", [f"{name}_sum"], [f"{name}_cast"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}_cast", product.input[1]], [name]),
        ]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def main() -> None:
    """Writes every folder."""
    logging.disable(logging.WARNING)
    for name, source in MODELS.items():
        exact = FIXTURES / "onnx_imports" / source / "model.onnx"
        session = onnxruntime.InferenceSession(str(exact), providers=["CPUExecutionProvider"])
        (declared,) = session.get_inputs()
        makers: dict[str, Callable[[Path, Path], Any]] = {
            "dynamic": lambda model, path: quantize_dynamic(model, path),
            "static": lambda model, path: quantize_static(
                model, path, Examples([given(declared, 9) for _ in range(20)]), quant_format=QuantFormat.QDQ),
        }
        for kind, make in makers.items():
            folder = ROOT / f"{name}_{kind}"
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory() as temporary:
                prepared = Path(temporary) / "prepared.onnx"
                quant_pre_process(exact, prepared, skip_symbolic_shape=True)
                make(prepared, folder / "model.onnx")
            write_answers(folder, exact)
    older = ROOT / "conv_older"
    older.mkdir(parents=True, exist_ok=True)
    onnx.save(with_rounded_biases(onnx.load(ROOT / "conv_dynamic/model.onnx")), older / "model.onnx")
    write_answers(older, FIXTURES / "onnx_imports" / MODELS["conv"] / "model.onnx")
    # ONNX Runtime's own operators, into which it joins others when it loads a model.
    folder = ROOT / "tagger_optimized"
    folder.mkdir(parents=True, exist_ok=True)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(folder / "model.onnx")
    onnxruntime.InferenceSession(str(ROOT / "tagger_dynamic/model.onnx"), options, providers=["CPUExecutionProvider"])
    write_answers(folder, FIXTURES / "onnx_imports" / MODELS["tagger"] / "model.onnx")


if __name__ == "__main__":
    main()
