"""Writes Carousel's model folders, and runs them in PyTorch as a reference.

A folder holds `model.json` (a graph of named nodes) and `model.safetensors` (the tensors, under
PyTorch's names). `Folder.run` is the yardstick of the server's tests: it reads a folder back as it
is stored, and computes each node with PyTorch's own layers in float32, one sequence at a time.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
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
            "embedding_bag": lambda: F.embedding_bag(
                x[0][None], weights("weight"), mode=node.get("mode", "mean"),
                per_sample_weights=x[1].T if len(x) > 1 else None,
                padding_idx=node.get("padding"))[0],
            "lookup": lambda: F.embedding(x[0].long(), weights("weight")).flatten(-2),
            "linear": lambda: F.linear(x[0], weights("weight"), weights("bias")),
            "sigmoid": lambda: torch.sigmoid(x[0]),
            "tanh": lambda: torch.tanh(x[0]),
            "relu": lambda: torch.relu(x[0]),
            "sin": lambda: torch.sin(x[0]),
            "cos": lambda: torch.cos(x[0]),
            "softmax": lambda: torch.softmax(x[0], dim=-1),
            "log_softmax": lambda: torch.log_softmax(x[0], dim=-1),
            "last": lambda: x[0][-1],
            "first": lambda: x[0][0],
            "mean": lambda: x[0].mean(dim=0),
            "max": lambda: x[0].amax(dim=0),
            "sum": lambda: x[0].sum(dim=0),
            "concat": lambda: torch.cat([v.expand(*_steps(x), -1) for v in x], dim=-1),
            "add": lambda: reduce(torch.add, x),
            "multiply": lambda: reduce(torch.mul, x),
            "subtract": lambda: x[0] - x[1],
            "divide": lambda: x[0] / x[1],
            "minimum": lambda: reduce(torch.minimum, x),
            "maximum": lambda: reduce(torch.maximum, x),
            "where": lambda: torch.where(x[0] != 0, x[1], x[2]),
            "slice": lambda: x[0][..., node.get("start", 0):node.get("end"):node.get("stride", 1)],
            "gather": lambda: x[0][..., node["indices"]],
            "transpose": lambda: x[0].unflatten(-1, (node["rows"], -1)).mT.flatten(-2),
            "softmax_sum": lambda: (torch.softmax(x[0], dim=0) * x[1]).sum(dim=0),
            "layer_norm": lambda: F.layer_norm(x[0], x[0].shape[-1:], weights("weight"),
                                               weights("bias"), node.get("epsilon", 1e-5)),
            "affine": lambda: self._affine(node, x[0]),
            "l2_norm": lambda: F.normalize(x[0], dim=-1, eps=node.get("epsilon", 1e-12)),
            "clip": lambda: torch.clamp(x[0], node.get("min"), node.get("max")),
            "rms_norm": lambda: F.rms_norm(x[0], x[0].shape[-1:], weights("weight"),
                                           node.get("epsilon", 1e-6)),
            "group_norm": lambda: self._framed(
                x[0], _channels(weights("weight"), node["groups"]),
                lambda f: F.group_norm(f, node["groups"], weights("weight"), weights("bias"),
                                       node.get("epsilon", 1e-5))),
            "batch_norm": lambda: self._framed(
                x[0], len(weights("running_mean")),
                lambda f: F.batch_norm(f, weights("running_mean"), weights("running_var"),
                                       weights("weight"), weights("bias"),
                                       eps=node.get("epsilon", 1e-5))),
            "prelu": lambda: self._framed(x[0], len(weights("weight")),
                                          lambda f: F.prelu(f, weights("weight"))),
            "attention": lambda: self._attention(node, x),
            "reverse": lambda: x[0].flip(0),
            "shift": lambda: _shifted(x[0], node.get("steps", 1)),
            "conv": lambda: self._conv(node, x[0]),
            "conv1d": lambda: self._conv1d(node, x[0]),
            "conv2d": lambda: self._conv2d(node, x[0]),
            "max_pool1d": lambda: self._pool1d(node, x[0], F.max_pool1d),
            "average_pool1d": lambda: self._pool1d(node, x[0], F.avg_pool1d),
            "pad": lambda: self._framed(
                x[0], node.get("channels", 1),
                lambda f: F.pad(f, (node.get("before", 0), node.get("after", 0)),
                                {"edge": "replicate"}.get(mode := node.get("mode", "constant"),
                                                          mode),
                                node.get("value", 0.0) if mode == "constant" else None)),
        }
        return {name: simple[op]()}

    @staticmethod
    def _framed(x: Tensor, channels: int, layer: Callable[[Tensor], Tensor]) -> Tensor:
        """Each row as a frame of channels, as layers over [N, C, L] take it."""
        rows = x.reshape(-1, channels, x.shape[-1] // channels)
        return layer(rows).reshape(*x.shape[:-1], -1)

    def _conv1d(self, node: Json, x: Tensor) -> Tensor:
        weights, groups = self._weights(node), node.get("groups", 1)
        weight = weights("weight")
        padding = _both(node.get("padding", 0))
        return self._framed(x, weight.shape[1] * groups, lambda f: F.conv1d(
            F.pad(f, padding), weight, weights("bias"), node.get("stride", 1), 0,
            node.get("dilation", 1), groups))

    def _attention(self, node: Json, x: list[Tensor]) -> Tensor:
        heads, weight = node.get("heads", 1), self._weights(node)("weight")
        query, key, value = (v.unflatten(-1, (heads, -1)).transpose(0, 1)
                             for v in (x[0], x[1], x[-1]))
        if node.get("score") == "additive":
            bent = torch.tanh(query[:, :, None] + key[:, None])
            score = (bent if weight is None
                     else bent * weight.reshape(heads, 1, 1, -1)).sum(dim=-1)
        else:
            score = query @ key.mT
        score = score * node.get("scale", 1.0)
        if node.get("causal"):
            score = score + torch.full(score.shape[-2:], -torch.inf).triu(1)
        return (torch.softmax(score, dim=-1) @ value).transpose(0, 1).flatten(-2)

    def _conv(self, node: Json, x: Tensor) -> Tensor:
        weights, dilation = self._weights(node), node.get("dilation", 1)
        weight = weights("weight")
        span = (weight.shape[2] - 1) * dilation
        before = span // 2 if node.get("padding") == "same" else span
        return F.conv1d(F.pad(x.T[None], (before, span - before)), weight, weights("bias"),
                        dilation=dilation, groups=node.get("groups", 1))[0].T

    def _conv2d(self, node: Json, x: Tensor) -> Tensor:
        weights, groups = self._weights(node), node.get("groups", 1)
        weight, dilation = weights("weight"), node.get("dilation", 1)
        span = (weight.shape[2] - 1) * dilation
        before = span // 2 if node.get("padding") == "same" else span
        padding = (*_both(node.get("frame_padding", 0)), before, span - before)
        image = x.unflatten(-1, (weight.shape[1] * groups, -1)).transpose(0, 1)
        return F.conv2d(
            F.pad(image, padding)[None], weight, weights("bias"), (1, node.get("frame_stride", 1)), 0,
            (dilation, node.get("frame_dilation", 1)), groups)[0].transpose(0, 1).flatten(1)

    def _pool1d(self, node: Json, x: Tensor, pool: Callable[..., Tensor]) -> Tensor:
        channels = node.get("channels", 1)
        kernel = node.get("kernel", x.shape[-1] // channels)
        padding = _both(node.get("padding", 0))
        filling = -torch.inf if pool is F.max_pool1d else 0.0
        return self._framed(x, channels, lambda f: pool(
            F.pad(f, padding, value=filling), kernel, node.get("stride", kernel)))

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


def _steps(x: list[Tensor]) -> tuple[int, ...]:
    """The steps that all of `x` together have: one size, or none where all are vectors."""
    return next((tuple(v.shape[:-1]) for v in x if v.dim() == 2), ())


def _shifted(x: Tensor, steps: int) -> Tensor:
    """`x` so many steps later, or earlier, with zeros where it has none."""
    zeros = torch.zeros(min(abs(steps), len(x)), x.shape[1])
    return torch.cat([zeros, x[:-steps]] if steps > 0 else [x[-steps:], zeros]) if steps else x


def _channels(weight: Tensor | None, fallback: int) -> int:
    return fallback if weight is None else len(weight)


def _both(padding: int | list[int]) -> tuple[int, int]:
    """Elements of padding before and behind."""
    return (padding, padding) if isinstance(padding, int) else (padding[0], padding[-1])


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
