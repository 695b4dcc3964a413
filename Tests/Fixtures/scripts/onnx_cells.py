"""The recurrent operators of ONNX (LSTM, GRU, RNN) beside the recurrent ops of a model folder.

ONNX has the gates of an LSTM in the order i o f c, those of a GRU as z r h, peepholes as i o f, and both biases in one
tensor. A folder has them as PyTorch does: i f g o, r z n, and i f o.
"""

from typing import Any

import numpy as np

Json = dict[str, Any]
Array = np.ndarray

OPERATORS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
# For each gate of a folder, its place in ONNX; and the other way round.
TO_FOLDER = {"lstm": (0, 2, 3, 1), "gru": (1, 0, 2), "rnn": (0,)}
TO_ONNX = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}
PEEPHOLES_TO_FOLDER = PEEPHOLES_TO_ONNX = (0, 2, 1)
# The name in ONNX, and the attributes that stand for its alpha and beta, with a folder's defaults.
ACTIVATIONS: dict[str, tuple[str, tuple[tuple[str, float], ...]]] = {
    "sigmoid": ("Sigmoid", ()), "tanh": ("Tanh", ()), "relu": ("Relu", ()), "softsign": ("Softsign", ()),
    "softplus": ("Softplus", ()), "hard_sigmoid": ("HardSigmoid", (("slope", 1 / 6), ("offset", 0.5))),
    "leaky_relu": ("LeakyRelu", (("slope", 0.01),)), "thresholded_relu": ("ThresholdedRelu", (("alpha", 1.0),)),
    "elu": ("Elu", (("alpha", 1.0),)), "scaled_tanh": ("ScaledTanh", (("alpha", 1.0), ("beta", 1.0))),
    "affine": ("Affine", (("scale", 1.0), ("shift", 0.0))),
}


def reordered(matrix: Array, order: tuple[int, ...]) -> Array:
    """The gates of a matrix or bias, `len(order)` blocks of rows, in another order."""
    blocks = np.split(matrix, len(order))
    return np.ascontiguousarray(np.concatenate([blocks[i] for i in order]))


def folder_tensors(op: str, prefix: str, w: Array, r: Array, b: Array | None, p: Array | None) -> dict[str, Array]:
    """A folder's tensors for one layer: W, R, B and P of ONNX, the directions first."""
    tensors = {}
    order = TO_FOLDER[op]
    for direction in range(len(w)):
        suffix = "_l0" + ("_reverse" if direction else "")
        own = {"weight_ih": reordered(w[direction], order), "weight_hh": reordered(r[direction], order)}
        if b is not None:
            input_bias, recurrent_bias = np.split(b[direction], 2)
            own |= {"bias_ih": reordered(input_bias, order), "bias_hh": reordered(recurrent_bias, order)}
        if p is not None:
            own["peephole"] = reordered(p[direction], PEEPHOLES_TO_FOLDER)
        tensors |= {f"{prefix}{kind}{suffix}": tensor for kind, tensor in own.items()}
    return tensors


def operator(node: Json, layer: int, tensors: dict[str, Array]) -> tuple[str, dict[str, Array], Json]:
    """A layer of a folder's node as an operator: its type, W, R, B and P, and its attributes."""
    op, order = node["op"], TO_ONNX[node["op"]]
    prefix = node.get("weights", node["name"])
    prefix = f"{prefix}." if prefix else ""
    suffixes = [s for s in (f"_l{layer}", f"_l{layer}_reverse") if f"{prefix}weight_ih{s}" in tensors]

    def stacked(kind: str, order: tuple[int, ...]) -> Array | None:
        own = [tensors.get(f"{prefix}{kind}{suffix}") for suffix in suffixes]
        return None if own[0] is None else np.stack([reordered(tensor, order) for tensor in own])

    inputs = {"W": stacked("weight_ih", order), "R": stacked("weight_hh", order)}
    one, two = stacked("bias", order), stacked("bias_ih", order)
    if one is not None:
        inputs["B"] = np.concatenate([one, np.zeros_like(one)], axis=1)
    if two is not None:
        inputs["B"] = np.concatenate([two, stacked("bias_hh", order)], axis=1)
    if (peepholes := stacked("peephole", PEEPHOLES_TO_ONNX)) is not None:
        inputs["P"] = peepholes
    directions = "bidirectional" if len(suffixes) == 2 else node.get("direction", "forward")
    attributes: Json = {"hidden_size": inputs["R"].shape[2], "direction": directions}
    if "clip" in node:
        attributes["clip"] = float(node["clip"])
    if node.get("input_forget"):
        attributes["input_forget"] = 1
    if op == "gru":
        attributes["linear_before_reset"] = int(node.get("reset", "after") == "after")
    attributes |= activations(node, len(suffixes))
    return OPERATORS[op], inputs, attributes


def activations(node: Json, directions: int) -> Json:
    """The attributes activations, activation_alpha and activation_beta: of each direction f, then g, then h."""
    candidate = node.get("activation", "tanh")
    places = {"lstm": (node.get("gate_activation", "sigmoid"), candidate, node.get("output_activation", candidate)),
              "gru": (node.get("gate_activation", "sigmoid"), candidate), "rnn": (candidate,)}[node["op"]]
    names, alpha, beta = [], [], []
    for direction in range(directions):
        for place in places:
            one = place[direction] if isinstance(place, list) else place
            own = {"op": one} if isinstance(one, str) else one
            name, attributes = ACTIVATIONS[own["op"]]
            names.append(name)
            values = [float(own.get(key, default)) for key, default in attributes]
            # Those that an activation has none of are left out, as ONNX Runtime reads them.
            alpha += values[:1]
            beta += values[1:]
    made: Json = {"activations": names}
    return made | ({"activation_alpha": alpha} if alpha else {}) | ({"activation_beta": beta} if beta else {})
