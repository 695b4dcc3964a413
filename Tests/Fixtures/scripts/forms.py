"""Makes Tests/Fixtures/forms: small random models in the forms that PyTorch's own modules do not have.

What an lstm that reads in reverse alone, that has one bias, or that starts from c0 without h0 computes is
PyTorch's and Keras's mathematics all the same: here in NumPy, in float64, one sequence at a time. So that
this reference is no guess, `--check` runs it over Tests/Fixtures/ops first, whose outputs PyTorch computed.

Use: python forms.py [--check] [--keras WEIGHTS.h5 IO.npz]

With `--keras`, also the two-layer forecaster of a Keras 3 weights file, with what Keras answered.
"""

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

FIXTURES = Path(__file__).resolve().parents[1]
LENGTHS = (1, 2, 7, 33)
Json = dict[str, Any]
Array = np.ndarray


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))"""
    return 1 / (1 + np.exp(-x))


def softmax(x: Array, axis: int) -> Array:
    """exp(x) / sum exp(x)"""
    power = np.exp(x - x.max(axis=axis, keepdims=True))
    return power / power.sum(axis=axis, keepdims=True)


class Reference:
    """A model folder as stored, run in float64."""

    def __init__(self, path: Path) -> None:
        self.description: Json = json.loads((path / "model.json").read_text(encoding="utf-8"))
        self.tensors = {k: v.astype(np.float64) for k, v in load_file(path / "model.safetensors").items()}

    def run(self, inputs: dict[str, Array], every_step: bool = False) -> dict[str, Array]:
        """The outputs for one sequence; `every_step`: of what follows `last` one for each step."""
        values = {}
        for declared in self.description["inputs"]:
            value = inputs[declared["name"]]
            if declared["kind"] == "features":
                value = (value - np.array(declared.get("mean", 0.0))) / np.array(declared.get("scale", 1.0))
            values[declared["name"]] = value
        for node in self.description["nodes"]:
            arguments = [None if n is None else values[n] for n in node["inputs"]]
            values |= self._node(node, arguments, every_step)
        return {o["name"]: values[o["name"]] for o in self.description["outputs"]}

    def _tensor(self, node: Json, name: str) -> Array | None:
        prefix = node.get("weights", node["name"])
        return self.tensors.get(f"{prefix}.{name}" if prefix else name)

    def _node(self, node: Json, x: list[Any], every_step: bool) -> dict[str, Array]:
        name, op = node["name"], node["op"]
        if op == "lstm":
            return self._lstm(node, *x)
        if op in ("concat", "add", "multiply") and len({v.ndim for v in x}) == 2:
            # What exists at the end of a sequence only goes with the end of the other.
            x = [v[-1] if v.ndim == 2 else v for v in x]
        weight, bias = self._tensor(node, "weight"), self._tensor(node, "bias")
        simple: dict[str, Callable[[], Array]] = {
            "embedding": lambda: weight[x[0]],
            "linear": lambda: x[0] @ weight.T + (0 if bias is None else bias),
            "sigmoid": lambda: sigmoid(x[0]),
            "tanh": lambda: np.tanh(x[0]),
            "relu": lambda: np.maximum(x[0], 0),
            "softmax": lambda: softmax(x[0], -1),
            "log_softmax": lambda: np.log(softmax(x[0], -1)),
            "last": lambda: x[0] if every_step else x[0][-1],
            "first": lambda: x[0][0],
            "mean": lambda: x[0].mean(axis=0),
            "max": lambda: x[0].max(axis=0),
            "sum": lambda: x[0].sum(axis=0),
            "concat": lambda: np.concatenate(x, axis=-1),
            "add": lambda: sum(x[1:], start=x[0]),
            "multiply": lambda: math.prod(x[1:], start=x[0]),
            "softmax_sum": lambda: (softmax(x[0], 0) * x[1]).sum(axis=0),
            "layer_norm": lambda: self._layer_norm(node, x[0], weight, bias),
            "affine": lambda: (x[0] * np.array(node.get("scale", 1.0 if weight is None else weight))
                               + np.array(node.get("shift", 0.0 if bias is None else bias))),
            "l2_norm": lambda: x[0] / np.maximum(np.linalg.norm(x[0], axis=-1, keepdims=True),
                                                 node.get("epsilon", 1e-12)),
        }
        return {name: simple[op]()}

    @staticmethod
    def _layer_norm(node: Json, x: Array, weight: Array | None, bias: Array | None) -> Array:
        deviation = np.sqrt(x.var(axis=-1, keepdims=True) + node.get("epsilon", 1e-5))
        normal = (x - x.mean(axis=-1, keepdims=True)) / deviation
        return normal * (1 if weight is None else weight) + (0 if bias is None else bias)

    def _lstm(self, node: Json, x: Array, h0: Array | None = None, c0: Array | None = None) -> dict[str, Array]:
        name, values = node["name"], {}
        directions = 1 if self._tensor(node, "weight_ih_l0_reverse") is None else 2
        layer, h_at, c_at = 0, 0, 0
        while self._tensor(node, f"weight_ih_l{layer}") is not None:
            outputs, ends = [], []
            for direction in range(directions):
                suffix = f"_l{layer}" + ("_reverse" if direction else "")
                own = {kind: self._tensor(node, kind + suffix)
                       for kind in ("weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh", "bias")}
                size, hidden = own["weight_hh"].shape[1], own["weight_hh"].shape[0] // 4
                h = np.zeros(size) if h0 is None else h0[h_at:h_at + size]
                c = np.zeros(hidden) if c0 is None else c0[c_at:c_at + hidden]
                h_at, c_at = h_at + size, c_at + hidden
                reverse = direction == 1 or node.get("direction") == "reverse"
                output, end = self._direction(own, x[::-1] if reverse else x, h, c)
                outputs.append(output[::-1] if reverse else output)
                ends.append(end)
            x = np.concatenate(outputs, axis=-1)
            for state, which in (("hidden", 0), ("cell", 1)):
                values[f"{name}.{state}.{layer}"] = np.concatenate([end[which] for end in ends])
                values[f"{name}.{state}"] = values[f"{name}.{state}.{layer}"]
            layer += 1
        return values | {name: x}

    @staticmethod
    def _direction(own: dict[str, Array | None], x: Array, h: Array, c: Array) -> tuple[Array, tuple[Array, Array]]:
        bias = sum((b for b in (own["bias_ih"], own["bias_hh"], own["bias"]) if b is not None), start=np.zeros(1))
        steps = []
        for step in x:
            i, f, g, o = np.split(own["weight_ih"] @ step + own["weight_hh"] @ h + bias, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            if own["weight_hr"] is not None:
                h = own["weight_hr"] @ h
            steps.append(h)
        return np.array(steps), (h, c)


RANDOM = np.random.default_rng(1)


def lstm(prefix: str, inputs: int, hidden: int, layers: int = 1, *, both: bool = False, biases: int = 2,
         projection: int | None = None) -> dict[str, Array]:
    """Random tensors of an lstm, about as large as PyTorch makes them."""
    size, directions = projection or hidden, 2 if both else 1
    tensors = {}
    for layer in range(layers):
        for direction in ("", "_reverse")[:directions]:
            shapes = {"weight_ih": (4 * hidden, inputs if layer == 0 else directions * size),
                      "weight_hh": (4 * hidden, size)}
            shapes |= {kind: (4 * hidden,) for kind in ([], ["bias"], ["bias_ih", "bias_hh"])[biases]}
            if projection:
                shapes["weight_hr"] = (projection, hidden)
            tensors |= {f"{prefix}{kind}_l{layer}{direction}": random(*shape) for kind, shape in shapes.items()}
    return tensors


def random(*shape: int) -> Array:
    """Uniform float32 between -0.5 and 0.5."""
    return RANDOM.uniform(-0.5, 0.5, shape).astype(np.float32)


def linear(prefix: str, inputs: int, outputs: int) -> dict[str, Array]:
    """Random tensors of a linear map."""
    return {f"{prefix}weight": random(outputs, inputs), f"{prefix}bias": random(outputs)}


def node(name: str, op: str, *inputs: str | None, **attributes: Any) -> Json:
    """A node of the graph."""
    return {"name": name, "op": op, "inputs": list(inputs)} | attributes


def features(name: str, size: int) -> Json:
    """An input of `size` floats a step."""
    return {"name": name, "kind": "features", "size": size}


def vector(name: str, size: int) -> Json:
    """An input of `size` floats a sequence."""
    return {"name": name, "kind": "vector", "size": size}


def models() -> dict[str, Json]:
    """Each model: inputs, nodes, outputs, tensors."""
    return {
        # An encoder's steps beside the states of every layer, pools, and what follows `last`.
        "encoder": dict(
            inputs=[features("x", 3)],
            nodes=[node("h", "lstm", "x"), node("y", "linear", "h"), node("end", "last", "h"),
                   node("z", "linear", "end"), node("m", "mean", "h"), node("s", "sum", "x"),
                   node("both", "concat", "end", "m"), node("states", "concat", "h.hidden.0", "h.cell.0", "end")],
            outputs=["h", "y", "z", "m", "s", "both", "states", "h.hidden", "h.cell", "h.hidden.0", "h.cell.1"],
            tensors=lstm("h.", 3, 6, 2, projection=4) | linear("y.", 4, 2) | linear("z.", 4, 3)),
        "encoder_both_directions": dict(
            inputs=[features("x", 3)],
            nodes=[node("h", "lstm", "x"), node("end", "last", "h"), node("m", "max", "h")],
            outputs=["h", "end", "m", "h.hidden.0", "h.cell.0", "h.hidden.1", "h.cell"],
            tensors=lstm("h.", 3, 5, 2, both=True)),
        # A decoder that starts from the first layer of its encoder, and both answers.
        "decoder": dict(
            inputs=[features("x", 3)],
            nodes=[node("h", "lstm", "x"), node("d", "lstm", "x", "h.hidden.0", "h.cell.0"), node("end", "last", "d"),
                   node("y", "linear", "d")],
            outputs=["y", "h.hidden", "end", "d.hidden"],
            tensors=lstm("h.", 3, 5, 2) | lstm("d.", 3, 5) | linear("y.", 5, 2)),
        "cell_alone": dict(
            inputs=[features("x", 3), vector("c0", 2 * 6)],
            nodes=[node("h", "lstm", "x", None, "c0")], outputs=["h", "h.cell.0"],
            tensors=lstm("h.", 3, 6, 2, projection=4)),
        "hidden_alone": dict(
            inputs=[features("x", 3), vector("h0", 2 * 4)],
            nodes=[node("h", "lstm", "x", "h0")], outputs=["h", "h.hidden.0"],
            tensors=lstm("h.", 3, 6, 2, projection=4)),
        "reverse": dict(
            inputs=[features("x", 3), vector("h0", 10)],
            nodes=[node("h", "lstm", "x", "h0", direction="reverse"), node("first", "first", "h")],
            outputs=["h", "h.hidden", "h.cell.0", "first"], tensors=lstm("h.", 3, 5, 2)),
        "one_bias": dict(
            inputs=[features("x", 3)],
            nodes=[node("h", "lstm", "x")], outputs=["h", "h.cell"],
            tensors=lstm("h.", 3, 17, 2, both=True, biases=1)),
        "one_bias_reverse": dict(
            inputs=[features("x", 3)],
            nodes=[node("h", "lstm", "x", direction="reverse")], outputs=["h", "h.hidden"],
            tensors=lstm("h.", 3, 5, biases=1)),
        "bare_lstm": dict(
            inputs=[features("x", 3)],
            nodes=[node("h", "lstm", "x", weights=""), node("y", "linear", "h", weights="fc")],
            outputs=["h", "y"], tensors=lstm("", 3, 5, 2, both=True) | linear("fc.", 10, 2)),
        "bare_linear": dict(
            inputs=[features("x", 3)],
            nodes=[node("y", "linear", "x", weights="")], outputs=["y"], tensors=linear("", 3, 2)),
        "tied_weights": dict(
            inputs=[{"name": "ids", "kind": "tokens", "size": 11}],
            nodes=[node("e", "embedding", "ids", weights="embedding"), node("h", "lstm", "e"),
                   node("scores", "linear", "h", weights="embedding"),
                   node("y", "affine", "scores", weights="fc")],
            outputs=["y"],
            tensors={"embedding.weight": random(11, 5), "fc.bias": random(11)} | lstm("h.", 5, 5)),
    }


def case(inputs: dict[str, Array], outputs: dict[str, Array], **settings: Any) -> Json:
    """One fixture, its floats as the shortest texts that read back the same float32."""
    def value(array: Array) -> Json:
        if array.dtype == np.int64:
            return {"tokens": array.tolist()}
        return {"shape": list(array.shape), "values": [float(str(v)) for v in array.astype(np.float32).flatten()]}

    return {"inputs": {k: value(v) for k, v in inputs.items()},
            "outputs": {k: value(v) for k, v in outputs.items()}} | settings


def random_inputs(inputs: list[Json], length: int) -> dict[str, Array]:
    """Random values for each declared input."""
    def value(declared: Json) -> Array:
        if declared["kind"] == "tokens":
            return RANDOM.integers(declared["size"], size=length)
        shape = (declared["size"],) if declared["kind"] == "vector" else (length, declared["size"])
        return RANDOM.standard_normal(shape).astype(np.float32)

    return {declared["name"]: value(declared) for declared in inputs}


def write(name: str, made: Json, cases: list[Json] | None = None) -> None:
    """Writes the folder of one model, with its cases or those that the reference computes."""
    path = FIXTURES / "forms" / name
    path.mkdir(parents=True, exist_ok=True)
    description = {"format": "carousel/1", "name": name, "version": "1", "inputs": made["inputs"],
                   "nodes": made["nodes"], "outputs": [{"name": o} for o in made["outputs"]]}
    rows = [f'  "{k}": ' + (json.dumps(v) if isinstance(v, str) else
                            "[\n    " + ",\n    ".join(json.dumps(row) for row in v) + "\n  ]")
            for k, v in description.items()]
    (path / "model.json").write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
    save_file(made["tensors"], path / "model.safetensors")
    (path / "model.safetensors").chmod(0o644)
    if cases is None:
        reference = Reference(path)
        cases = []
        for length in LENGTHS:
            given = random_inputs(made["inputs"], length)
            cases += [case(given, reference.run(given)),
                      case(given, reference.run(given, every_step=True), selection="all")]
    text = ",\n  ".join(json.dumps(c, separators=(",", ":")) for c in cases)
    (path / "io.json").write_text(f'{{"numpy": "{np.__version__}", "cases": [\n  {text}\n]}}\n')


def check() -> None:
    """Compares the reference with what PyTorch answered for the models of Tests/Fixtures/ops."""
    largest = 0.0
    for path in sorted((FIXTURES / "ops").iterdir()):
        if path.name == "brain_precision":  # bfloat16, which NumPy has not
            continue
        reference = Reference(path)
        for one in json.loads((path / "io.json").read_text())["cases"]:
            if "horizon" in one:
                continue
            given = {k: np.array(v["tokens"]) if "tokens" in v else np.array(v["values"]).reshape(v["shape"])
                     for k, v in one["inputs"].items()}
            for name, found in reference.run(given).items():
                expected = np.array(one["outputs"][name]["values"])
                largest = max(largest, np.max(np.abs(found.flatten() - expected) / np.maximum(1, np.abs(expected))))
    assert largest < 1e-5, largest
    print(f"within {largest:.1e} of PyTorch")


def keras(weights: Path, io: Path) -> None:
    """The forecaster of a Keras file, its weights laid out as FORMAT.md tells users of Keras to do."""
    import h5py

    with h5py.File(weights) as file:
        def variables(layer: str) -> list[Array]:
            group = file["layers"][layer]
            group = (group["cell"] if "cell" in group else group)["vars"]
            return [group[str(i)][()] for i in range(len(group))]

        tensors = {}
        for layer, name in (("lstm", "lstm"), ("lstm_1", "lstm_1")):
            kernel, recurrent, bias = variables(layer)
            tensors |= {f"{name}.weight_ih_l0": kernel.T.copy(), f"{name}.weight_hh_l0": recurrent.T.copy(),
                        f"{name}.bias_l0": bias}
        kernel, bias = variables("dense")
        tensors |= {"dense.weight": kernel.T.copy(), "dense.bias": bias}
    answered = np.load(io)
    write("keras_forecast", dict(
        inputs=[features("x", 1)],
        nodes=[node("h", "lstm", "x", weights="lstm"), node("h1", "lstm", "h", weights="lstm_1"),
               node("end", "last", "h1"), node("y", "linear", "end", weights="dense")],
        outputs=["y"], tensors=tensors),
        [case({"x": x}, {"y": y}) for x, y in zip(answered["x"], answered["y0"], strict=True)])


def main() -> None:
    """Writes every folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--keras", nargs=2, type=Path, metavar=("WEIGHTS.h5", "IO.npz"))
    arguments = parser.parse_args()
    if arguments.check:
        check()
    for name, made in models().items():
        write(name, made)
    if arguments.keras:
        keras(*arguments.keras)


if __name__ == "__main__":
    main()
