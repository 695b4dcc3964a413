"""Runs model folders in NumPy, in float64, a sequence at a time, by the formulas of FORMAT.md; and writes fixtures."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

FIXTURES = Path(__file__).resolve().parents[1]
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
        if op in CELLS:
            return self._network(node, *x)
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

    def _network(self, node: Json, x: Array, h0: Array | None = None, c0: Array | None = None) -> dict[str, Array]:
        name, values, cell = node["name"], {}, CELLS[node["op"]]
        directions = 1 if self._tensor(node, "weight_ih_l0_reverse") is None else 2
        layer, h_at, c_at = 0, 0, 0
        while self._tensor(node, f"weight_ih_l{layer}") is not None:
            outputs, ends = [], []
            for direction in range(directions):
                suffix = f"_l{layer}" + ("_reverse" if direction else "")
                own = {kind: self._tensor(node, kind + suffix) for kind in KINDS}
                size = own["weight_hh"].shape[1]
                hidden = own["weight_hh"].shape[0] // cell.gates
                h = np.zeros(size) if h0 is None else h0[h_at:h_at + size]
                c = np.zeros(hidden) if c0 is None else c0[c_at:c_at + hidden]
                h_at, c_at = h_at + size, c_at + hidden
                step = cell(node, own, direction)
                reverse = direction == 1 or node.get("direction") == "reverse"
                output = []
                for row in x[::-1] if reverse else x:
                    h, c = step(row, h, c)
                    output.append(h)
                outputs.append(np.array(output[::-1] if reverse else output))
                ends.append((h, c))
            x = np.concatenate(outputs, axis=-1)
            for state, which in (("hidden", 0), ("cell", 1)):
                values[f"{name}.{state}.{layer}"] = np.concatenate([end[which] for end in ends])
                values[f"{name}.{state}"] = values[f"{name}.{state}.{layer}"]
            layer += 1
        return values | {name: x}


KINDS = ("weight_ih", "weight_hh", "weight_hr", "weight_mx", "weight_mh", "bias_ih", "bias_hh", "bias", "peephole")


def activation(given: Any, default: str, direction: int) -> Callable[[Array], Array]:
    """What an attribute stands for: a name, an object, or one of these for each direction."""
    if isinstance(given, list):
        given = given[direction]
    if given is None:
        given = default
    op, own = (given, {}) if isinstance(given, str) else (given["op"], given)
    functions: dict[str, Callable[[Array], Array]] = {
        "sigmoid": sigmoid,
        "tanh": np.tanh,
        "relu": lambda x: np.maximum(x, 0),
        "hard_sigmoid": lambda x: np.clip(own.get("slope", 1 / 6) * x + own.get("offset", 0.5), 0, 1),
        "leaky_relu": lambda x: np.where(x < 0, own.get("slope", 0.01) * x, x),
        "elu": lambda x: np.where(x < 0, own.get("alpha", 1) * np.expm1(x), x),
        "softplus": lambda x: np.log1p(np.exp(x)),
        "softsign": lambda x: x / (1 + abs(x)),
        "hard_tanh": lambda x: np.clip(x, -1, 1),
        "silu": lambda x: x * sigmoid(x),
        "thresholded_relu": lambda x: np.where(x > own.get("alpha", 1), x, 0),
        "selu": lambda x: 1.0507009873554805 * np.where(x < 0, 1.6732632423543772 * np.expm1(x), x),
        "scaled_tanh": lambda x: own.get("alpha", 1) * np.tanh(own.get("beta", 1) * x),
        "exp": np.exp,
        "affine": lambda x: own.get("scale", 1) * x + own.get("shift", 0),
    }
    return functions[op]


class Cell:
    """One layer of a recurrent network in one direction."""

    gates = 0

    def __init__(self, node: Json, own: dict[str, Array | None], direction: int) -> None:
        self.own, self.node = own, node
        self.gate = activation(node.get("gate_activation"), "sigmoid", direction)
        self.candidate = activation(node.get("activation"), "tanh", direction)
        self.output = activation(node.get("output_activation", node.get("activation")), "tanh", direction)
        self.limit = node.get("clip", math.inf)
        rows = own["weight_ih"].shape[0]
        self.zero = np.zeros(rows)
        # Of one bias, and of W's and R's.
        self.input_bias = next((own[b] for b in ("bias", "bias_ih") if own[b] is not None), self.zero)
        self.recurrent_bias = self.zero if own["bias_hh"] is None else own["bias_hh"]

    def clip(self, sums: Array) -> Array:
        """The sums before an activation."""
        return np.clip(sums, -self.limit, self.limit)


class LSTMCell(Cell):
    """Gates in the order i f g o."""

    gates = 4

    def __call__(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        sums = self.own["weight_ih"] @ x + self.own["weight_hh"] @ h + self.input_bias + self.recurrent_bias
        i, f, g, o = np.split(sums, 4)
        p = np.zeros(3 * len(c)) if self.own["peephole"] is None else self.own["peephole"]
        p_i, p_f, p_o = np.split(p, 3)
        i = self.gate(self.clip(i + p_i * c))
        f = 1 - i if self.node.get("input_forget") else self.gate(self.clip(f + p_f * c))
        c = f * c + i * self.candidate(self.clip(g))
        h = self.gate(self.clip(o + p_o * c)) * self.output(c)
        return h if self.own["weight_hr"] is None else self.own["weight_hr"] @ h, c


class MLSTMCell(LSTMCell):
    """An LSTM whose gates see a product of x and h in the place of h."""

    def __call__(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        return super().__call__(x, (self.own["weight_mx"] @ x) * (self.own["weight_mh"] @ h), c)


class GRUCell(Cell):
    """Gates in the order r z n."""

    gates = 3

    def __call__(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        size = len(h)
        projected = self.own["weight_ih"] @ x + self.input_bias
        recurrent, bias = self.own["weight_hh"], self.recurrent_bias
        r, z = np.split(self.gate(self.clip(
            projected[:2 * size] + recurrent[:2 * size] @ h + bias[:2 * size])), 2)
        if self.node.get("reset") == "before":
            n = recurrent[2 * size:] @ (r * h) + bias[2 * size:]
        else:
            n = r * (recurrent[2 * size:] @ h + bias[2 * size:])
        n = self.candidate(self.clip(projected[2 * size:] + n))
        return (1 - z) * n + z * h, c


class RNNCell(Cell):
    """One sum, and its activation."""

    gates = 1

    def __call__(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        sums = self.own["weight_ih"] @ x + self.own["weight_hh"] @ h + self.input_bias + self.recurrent_bias
        return self.candidate(self.clip(sums)), c


CELLS: dict[str, type[Cell]] = {"lstm": LSTMCell, "gru": GRUCell, "rnn": RNNCell, "mlstm": MLSTMCell}


def deviation(path: Path) -> float:
    """The largest difference, relative to what is larger than 1, to the outputs that a folder's io.json has."""
    reference, largest = Reference(path), 0.0
    for one in json.loads((path / "io.json").read_text())["cases"]:
        if "horizon" in one:
            continue
        given = {k: np.array(v["tokens"]) if "tokens" in v else np.array(v["values"]).reshape(v["shape"])
                 for k, v in one["inputs"].items()}
        for name, found in reference.run(given).items():
            expected = np.array(one["outputs"][name]["values"])
            largest = max(largest, np.max(np.abs(found.flatten() - expected) / np.maximum(1, np.abs(expected))))
    return largest


def write_folder(path: Path, made: Json) -> None:
    """Writes a model's description and tensors."""
    path.mkdir(parents=True, exist_ok=True)
    description = {"format": "carousel/1", "name": path.name, "version": "1"}
    if "source" in made:
        description |= {key: made[key] for key in ("source", "licence")}
    description |= {"inputs": made["inputs"], "nodes": made["nodes"],
                    "outputs": [{"name": o} for o in made["outputs"]]}
    rows = [f'  "{k}": ' + (json.dumps(v) if isinstance(v, str) else
                            "[\n    " + ",\n    ".join(json.dumps(row) for row in v) + "\n  ]")
            for k, v in description.items()]
    (path / "model.json").write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
    save_file(made["tensors"], path / "model.safetensors")
    (path / "model.safetensors").chmod(0o644)


def case(inputs: dict[str, Array], outputs: dict[str, Array], **settings: Any) -> Json:
    """One fixture, its floats as the shortest texts that read back the same float32."""
    def value(array: Array) -> Json:
        if array.dtype == np.int64:
            return {"tokens": array.tolist()}
        return {"shape": list(array.shape), "values": [float(str(v)) for v in array.astype(np.float32).flatten()]}

    return {"inputs": {k: value(v) for k, v in inputs.items()},
            "outputs": {k: value(v) for k, v in outputs.items()}} | settings


def write_cases(path: Path, cases: list[Json], **versions: str) -> None:
    """Writes the io.json of a folder; `versions` tell what computed it."""
    text = ",\n  ".join(json.dumps(c, separators=(",", ":")) for c in cases)
    head = "".join(f'"{name}": "{version}", ' for name, version in versions.items())
    (path / "io.json").write_text(f'{{{head}"cases": [\n  {text}\n]}}\n')
