"""Writes model folders of random weights, and knows what their inputs look like."""

import array
import json
import math
import random
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Tensors = dict[str, tuple[list[int], "array.array[float]"]]
# Outputs that a hidden unit of each cell has.
GATES = {"lstm": 4, "gru": 3, "rnn": 1}


@dataclass(frozen=True)
class ModelInput:
    """What a served model with one input takes."""

    name: str
    name_of_input: str
    kind: str
    size: int
    vocabulary: str
    forecasts: bool
    # Whether it continues text.
    writes: bool
    pooled: bool
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path) -> "ModelInput | None":
        """Reads a folder's model.json; None for a model with several inputs."""
        description = json.loads((folder / "model.json").read_text())
        if len(description["inputs"]) != 1:
            return None
        given = description["inputs"][0]
        vocabulary = given.get("vocabulary") or ""
        size = given.get("size", len(vocabulary))
        ops = {node["op"] for node in description["nodes"]}
        foretells = any("forecasts" in output for output in description["outputs"])
        return cls(
            description["name"], given["name"], given["kind"], size, "".join(vocabulary),
            given["kind"] == "features" and foretells, given["kind"] == "tokens" and foretells,
            bool(ops & {"first", "mean", "max", "sum", "softmax_sum"}),
            tuple(output["name"] for output in description["outputs"]),
        )

    def sequence(self, source: random.Random, steps: int) -> Any:
        """A valid sequence of `steps` steps."""
        if self.kind == "tokens":
            if self.vocabulary:
                return "".join(source.choices(self.vocabulary, k=steps))
            return [source.randrange(self.size) for _ in range(steps)]
        if self.size == 1:
            return [round(source.uniform(0, 400), 3) for _ in range(steps)]
        return [[round(source.gauss(0, 1), 4) for _ in range(self.size)] for _ in range(steps)]


def lstm_tensors(
    source: random.Random, input_size: int, hidden_size: int, layers: int, output_size: int,
    cell: str = "lstm",
) -> Tensors:
    """Weights as PyTorch draws them: uniform within 1/√H. No outputs, no head."""
    bound = 1 / math.sqrt(hidden_size)

    def draw(*shape: int) -> tuple[list[int], "array.array[float]"]:
        count = math.prod(shape)
        return list(shape), array.array("f", (source.uniform(-bound, bound) for _ in range(count)))

    tensors: Tensors = {}
    gates = GATES[cell] * hidden_size
    for layer in range(layers):
        tensors[f"{cell}.weight_ih_l{layer}"] = draw(gates, hidden_size if layer else input_size)
        tensors[f"{cell}.weight_hh_l{layer}"] = draw(gates, hidden_size)
        tensors[f"{cell}.bias_ih_l{layer}"] = draw(gates)
        tensors[f"{cell}.bias_hh_l{layer}"] = draw(gates)
    if output_size:
        tensors["head.weight"] = draw(output_size, hidden_size)
        tensors["head.bias"] = draw(output_size)
    return tensors


def cell_of(tensors: Tensors) -> str:
    """The cell that lstm_tensors drew weights for."""
    return next(cell for cell in GATES if f"{cell}.weight_ih_l0" in tensors)


def write_lstm(folder: Path, tensors: Tensors) -> None:
    """Writes a model named after `folder`: an LSTM, or another cell's network; its last step and a
    linear head, if it has one."""
    folder.mkdir(parents=True, exist_ok=True)
    cell = cell_of(tensors)
    size = tensors[f"{cell}.weight_ih_l0"][0][1]
    nodes = [{"name": "h", "op": cell, "inputs": ["x"], "weights": cell}]
    if "head.weight" in tensors:
        nodes += [
            {"name": "newest", "op": "last", "inputs": ["h"]},
            {"name": "y", "op": "linear", "inputs": ["newest"], "weights": "head"},
        ]
    description = {
        "format": "carousel/1", "name": folder.name, "version": "1", "summary": "Random weights.",
        "inputs": [{"name": "x", "kind": "features", "size": size}],
        "nodes": nodes,
        "outputs": [{"name": nodes[-1]["name"]}],
    }
    (folder / "model.json").write_text(json.dumps(description, indent=2) + "\n")
    header: dict[str, Any] = {}
    data = b""
    for name, (shape, values) in tensors.items():
        raw = values.tobytes()
        header[name] = {
            "dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_tensors(folder: Path) -> Tensors:
    """What write_lstm wrote."""
    data = (folder / "model.safetensors").read_bytes()
    start = 8 + struct.unpack_from("<Q", data)[0]
    tensors: Tensors = {}
    for name, tensor in json.loads(data[8:start]).items():
        first, end = tensor["data_offsets"]
        tensors[name] = tensor["shape"], array.array("f", data[start + first : start + end])
    return tensors
