"""Writes Carousel's model folders, and runs them in PyTorch as a reference.

A folder holds `model.json` (a graph of named nodes) and `model.safetensors` (the tensors, under
PyTorch's names). `Folder.run` is the yardstick of the server's tests: it reads a folder back as it
is stored, and computes each node with PyTorch's own layers in float32, one sequence at a time.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "config" / "models"
MODEL_FIXTURES = ROOT / "Tests" / "Fixtures" / "models"

Json = dict[str, Any]
Values = Mapping[str, Tensor]


def fixtures_only(name: str) -> bool:
    """Whether the command line of a training script asks for --fixtures-only."""
    parser = argparse.ArgumentParser(description=f"Trains the {name} model.")
    parser.add_argument("--fixtures-only", action="store_true",
                        help="report, and write the fixtures, from the weights as they are")
    return parser.parse_args().fixtures_only


def save(folder: Path, description: Json, tensors: Values) -> None:
    """Writes `model.json` and `model.safetensors` into `folder`, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(pretty(description) + "\n", encoding="utf-8")
    save_file({name: t.detach().contiguous() for name, t in tensors.items()},
              folder / "model.safetensors")
    (folder / "model.safetensors").chmod(0o644)


def pretty(description: Json) -> str:
    """JSON with one line a member, and one line an element of `inputs`, `nodes` and `outputs`."""
    members = []
    for key, value in description.items():
        if isinstance(value, list):
            rows = ",\n    ".join(json.dumps(row, ensure_ascii=False) for row in value)
            members.append(f'  "{key}": [\n    {rows}\n  ]')
        else:
            members.append(f'  "{key}": {json.dumps(value, ensure_ascii=False)}')
    return "{\n" + ",\n".join(members) + "\n}"


class Folder:
    """A model folder as stored, run by PyTorch in float32."""

    def __init__(self, path: Path) -> None:
        self.description: Json = json.loads((path / "model.json").read_text(encoding="utf-8"))
        self.tensors = {k: t.float() for k, t in load_file(path / "model.safetensors").items()}
        self.lstms: dict[str, nn.LSTM] = {}

    @torch.no_grad()
    def run(self, inputs: Values, selection: str | None = None) -> dict[str, Tensor]:
        """The outputs for one sequence: inputs are [T, size] features, [T] ids or [size] vectors.

        `last` picks the final step of outputs that have one a step.
        """
        values = {i["name"]: self._normalised(i, inputs[i["name"]])
                  for i in self.description["inputs"]}
        for node in self.description["nodes"]:
            values |= self._node(node, [values[name] for name in node["inputs"]])
        outputs = {o["name"]: values[o["name"]] for o in self.description["outputs"]}
        if selection == "last":
            outputs = {k: v[-1] if v.dim() == 2 else v for k, v in outputs.items()}
        return outputs

    def forecast(self, x: Tensor, horizon: int) -> Tensor:
        """The next `horizon` steps of the one features input: forecasts are fed back until enough.

        Each pass appends all the steps that the output foretells; the result is [horizon, size].
        """
        (given,) = self.description["inputs"]
        (output,) = (o["name"] for o in self.description["outputs"] if "forecasts" in o)
        steps = x
        while len(steps) < len(x) + horizon:
            foretold = self.run({given["name"]: steps}, "last")[output]
            steps = torch.cat([steps, foretold.reshape(-1, x.shape[1])])
        return steps[len(x):len(x) + horizon]

    def _normalised(self, declared: Json, value: Tensor) -> Tensor:
        if declared["kind"] == "features" and "mean" in declared:
            value = value - torch.tensor(declared["mean"], dtype=torch.float32)
        if declared["kind"] == "features" and "scale" in declared:
            value = value / torch.tensor(declared["scale"], dtype=torch.float32)
        return value

    def _weights(self, node: Json) -> Callable[[str], Tensor | None]:
        prefix = node.get("weights", node["name"])
        return lambda suffix: self.tensors.get(f"{prefix}.{suffix}")

    def _node(self, node: Json, x: list[Tensor]) -> dict[str, Tensor]:
        name, op, weights = node["name"], node["op"], self._weights(node)
        if op == "lstm":
            return self._lstm(node, x)
        simple: dict[str, Callable[[], Tensor]] = {
            "embedding": lambda: F.embedding(x[0], weights("weight")),
            "linear": lambda: F.linear(x[0], weights("weight"), weights("bias")),
            "sigmoid": lambda: torch.sigmoid(x[0]),
            "tanh": lambda: torch.tanh(x[0]),
            "relu": lambda: torch.relu(x[0]),
            "softmax": lambda: torch.softmax(x[0], dim=-1),
            "log_softmax": lambda: torch.log_softmax(x[0], dim=-1),
            "last": lambda: x[0][-1],
            "first": lambda: x[0][0],
            "mean": lambda: x[0].mean(dim=0),
            "max": lambda: x[0].amax(dim=0),
            "sum": lambda: x[0].sum(dim=0),
            "concat": lambda: torch.cat(x, dim=-1),
            "add": lambda: sum(x[1:], start=x[0]),
            "multiply": lambda: torch.stack(x).prod(dim=0),
            "softmax_sum": lambda: (torch.softmax(x[0], dim=0) * x[1]).sum(dim=0),
            "layer_norm": lambda: F.layer_norm(x[0], x[0].shape[-1:], weights("weight"),
                                               weights("bias"), node.get("epsilon", 1e-5)),
            "affine": lambda: self._affine(node, x[0]),
            "l2_norm": lambda: F.normalize(x[0], dim=-1, eps=node.get("epsilon", 1e-12)),
        }
        return {name: simple[op]()}

    def _affine(self, node: Json, x: Tensor) -> Tensor:
        weights = self._weights(node)
        for attribute, suffix, apply in (("scale", "weight", torch.mul),
                                         ("shift", "bias", torch.add)):
            operand = torch.tensor(node[attribute]) if attribute in node else weights(suffix)
            x = x if operand is None else apply(x, operand)
        return x

    def _lstm(self, node: Json, x: list[Tensor]) -> dict[str, Tensor]:
        name = node["name"]
        lstm = self.lstms.setdefault(name, self._built_lstm(node.get("weights", name)))
        state = None
        if len(x) == 3:
            count = lstm.num_layers * (2 if lstm.bidirectional else 1)
            state = (x[1].reshape(count, -1), x[2].reshape(count, -1))
        h, (h_n, c_n) = lstm(x[0], state)
        directions = 2 if lstm.bidirectional else 1
        return {name: h, f"{name}.hidden": h_n[-directions:].reshape(-1),
                f"{name}.cell": c_n[-directions:].reshape(-1)}

    def _built_lstm(self, prefix: str) -> nn.LSTM:
        own = {k.removeprefix(prefix + "."): t for k, t in self.tensors.items()
               if k.startswith(prefix + ".")}
        projection = own.get("weight_hr_l0")
        lstm = nn.LSTM(
            input_size=own["weight_ih_l0"].shape[1],
            hidden_size=own["weight_ih_l0"].shape[0] // 4,
            num_layers=sum(k.startswith("weight_ih_l") and k[len("weight_ih_l"):].isdigit()
                           for k in own),
            bias="bias_ih_l0" in own,
            bidirectional="weight_ih_l0_reverse" in own,
            proj_size=0 if projection is None else projection.shape[0])
        lstm.load_state_dict(own)
        return lstm


def case(inputs: Values, outputs: Values, **settings: Any) -> Json:
    """One fixture: inputs, PyTorch's outputs, and a `selection` or `horizon` where given."""
    return {"inputs": {k: _tensor(v) for k, v in inputs.items()},
            "outputs": {k: _tensor(v) for k, v in outputs.items()}} | settings


def write_cases(path: Path, cases: Sequence[Json]) -> None:
    """Writes fixtures, one case a line, with the version of PyTorch that computed them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = ",\n  ".join(json.dumps(c, separators=(",", ":")) for c in cases)
    path.write_text(f'{{"torch": "{torch.__version__}", "cases": [\n  {rows}\n]}}\n')


def _tensor(t: Tensor) -> Json:
    """Shape and values; a float stands as the shortest text that reads back the same float32."""
    if t.dtype == torch.int64:
        return {"tokens": t.tolist()}
    values = [float(str(np.float32(v))) for v in t.flatten().tolist()]
    return {"shape": list(t.shape), "values": values}
