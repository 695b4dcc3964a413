"""Makes Tests/Fixtures/onnx: the ONNX operators' own test cases of LSTM, GRU and RNN as model folders.

The cases are those of the package onnx (Apache-2.0), `backend/test/case/node/{lstm,gru,rnn}.py`, as it writes them: a
folder each with model.onnx and test_data_set_0/input_K.npy and output_K.npy, W, R, B and P among the inputs. Here those
become model.safetensors, and each sequence of X with its initial states and what the case expects of it, Y, Y_h and
Y_c, becomes a case of io.json; with `sequence_lens`, each as long as it says. Beside them the case itself, for the importer:
operator.onnx, and what of its inputs are weights as W.npy, R.npy, B.npy and P.npy.

Use: python onnx_cases.py FOLDER_OF_CASES
"""

import argparse
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx_cells import OPERATORS, folder_tensors
from reference import FIXTURES, Array, Json, case, write_cases, write_folder

NAMES = {operator: op for op, operator in OPERATORS.items()}
STATES = {"hidden": "Y_h", "cell": "Y_c"}


def read(path: Path) -> tuple[onnx.NodeProto, Json, dict[str, Array]]:
    """The one operator of a case, its attributes, and its inputs and outputs by name."""
    (node,) = onnx.load(path / "model.onnx").graph.node
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    values: dict[str, Array] = {}
    for kind, names in (("input", node.input), ("output", node.output)):
        for index, name in enumerate(name for name in names if name):
            values[name] = np.load(path / "test_data_set_0" / f"{kind}_{index}.npy")
    return node, attributes, values


def convert(path: Path) -> None:
    """Writes the folder of one case."""
    node, attributes, values = read(path)
    op = NAMES[node.op_type]
    expected = {"hidden_size", "direction", "layout"}
    assert set(attributes) <= expected, f"{path.name}: {set(attributes) - expected}"
    directions = len(values["W"])
    # ONNX has a GRU's reset gate before the product by default, where a folder has it after.
    own: Json = {"reset": "before"} if op == "gru" else {}
    if attributes.get("direction") == b"reverse":
        own["direction"] = "reverse"
    x, y = values["X"], values.get("Y")
    states = {name: values[name] for name in ("initial_h", "initial_c", "Y_h", "Y_c") if name in values}
    if attributes.get("layout", 0) == 1:
        # Batch first: Y has batch, steps, directions.
        x = x.transpose(1, 0, 2)
        y = None if y is None else y.transpose(1, 2, 0, 3)
        states = {name: state.transpose(1, 0, 2) for name, state in states.items()}
    size = directions * attributes["hidden_size"]
    inputs = [{"name": "x", "kind": "features", "size": x.shape[2]}]
    inputs += [{"name": name, "kind": "vector", "size": size} for name in ("initial_h", "initial_c") if name in states]
    tensors = folder_tensors(op, "h.", values["W"], values["R"], values.get("B"), values.get("P"))
    outputs = ([] if y is None else ["h"]) + [f"h.{name}" for name, own_name in STATES.items() if own_name in states]
    folder = FIXTURES / "onnx" / path.name.removeprefix("test_")
    write_folder(folder, dict(
        source=f"The case {path.name} of the package onnx {onnx.__version__}.", licence="Apache-2.0",
        inputs=inputs, nodes=[{"name": "h", "op": op, "inputs": [i["name"] for i in inputs]} | own],
        outputs=outputs, tensors={name: tensor.astype(np.float32) for name, tensor in tensors.items()}))
    lengths = values.get("sequence_lens", np.full(x.shape[1], len(x)))
    cases = []
    for row, length in enumerate(lengths):
        if length == 0:  # nothing to ask: a sequence has a step
            continue
        given = {"x": x[:length, row]} | {i["name"]: states[i["name"]][:, row].flatten() for i in inputs[1:]}
        answer = {} if y is None else {"h": y[:length, :, row].reshape(length, size)}
        answer |= {f"h.{name}": states[own_name][:, row].flatten()
                   for name, own_name in STATES.items() if own_name in states}
        cases.append(case(given, answer))
    write_cases(folder, cases, onnx=onnx.__version__)
    shutil.copyfile(path / "model.onnx", folder / "operator.onnx")
    for name in ("W", "R", "B", "P"):
        if name in values:
            np.save(folder / f"{name}.npy", values[name])


def main() -> None:
    """Writes every folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path, metavar="FOLDER_OF_CASES")
    for path in sorted(parser.parse_args().cases.iterdir()):
        convert(path)


if __name__ == "__main__":
    main()
