"""Makes Tests/Fixtures/madmom: small random networks as madmom pickles them, and what they answer.

The classes below have the names and attributes of madmom.ml.nn's, which is all that a pickle has of them. The answers are computed
here in float64, by the formulas that madmom documents. A folder has a network, or those of an ensemble, and io.json as ops.py has it.

Use: python madmom_networks.py (NumPy)
"""

import pickle
import shutil
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
from reference import FIXTURES, Array, case, sigmoid, softmax, write_cases

ROOT = FIXTURES / "madmom"
RANDOM = np.random.default_rng(29)
LENGTHS = (1, 2, 9)
FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": lambda x: np.maximum(x, 0),
    "elu": lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0)), x),
    "softmax": lambda x: softmax(x, -1),
}


def module(name: str) -> types.ModuleType:
    """An empty module that pickles name."""
    return sys.modules.setdefault(name, types.ModuleType(name))


def function(name: str) -> Callable[[Array], Array]:
    """A function of madmom.ml.nn.activations."""
    home = module("madmom.ml.nn.activations")
    found = FUNCTIONS[name]
    found.__module__, found.__qualname__ = home.__name__, name
    setattr(home, name, found)
    return found


class Plain:
    """An object with attributes."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__ |= attributes


def kind(name: str, home: str = "madmom.ml.nn.layers") -> type:
    """A class of madmom's."""
    made = type(name, (Plain,), {"__module__": home})
    setattr(module(home), name, made)
    return made


NETWORK = kind("NeuralNetwork", "madmom.ml.nn")
FEED_FORWARD, RECURRENT, BIDIRECTIONAL, LSTM, GRU, GATE, CELL, GRU_CELL, CONVOLUTION = (
    kind(name) for name in (
        "FeedForwardLayer", "RecurrentLayer", "BidirectionalLayer", "LSTMLayer", "GRULayer", "Gate", "Cell",
        "GRUCell", "ConvolutionalLayer"))
for parent in ("numpy.core", "madmom", "madmom.ml"):
    module(parent)


def numbers(*shape: int) -> Array:
    """Random weights, of two axes in Fortran's order."""
    values = RANDOM.uniform(-1, 1, shape).astype(np.float32)
    return np.asfortranarray(values) if len(shape) == 2 else values


def weights(inputs: int, units: int, activation: str, recurrent: bool = True) -> dict[str, Any]:
    """The attributes of a layer or gate."""
    made = {"weights": numbers(inputs, units), "bias": numbers(units), "activation_fn": function(activation)}
    return made | ({"recurrent_weights": numbers(units, units)} if recurrent else {})


def lstm(inputs: int, units: int, peepholes: bool = True, cell: str = "tanh", **states: Array) -> Plain:
    """An LSTM; with peepholes as madmom's own networks."""
    def gate() -> Plain:
        return GATE(**weights(inputs, units, "sigmoid"), peephole_weights=numbers(units) if peepholes else None)

    return LSTM(input_gate=gate(), forget_gate=gate(), output_gate=gate(), cell=CELL(
        **weights(inputs, units, "tanh"), peephole_weights=None), activation_fn=function(cell), **states)


def gru(inputs: int, units: int, **states: Array) -> Plain:
    """A GRU, whose former versions have the first state as hid_init."""
    return GRU(
        update_gate=GATE(**weights(inputs, units, "sigmoid"), peephole_weights=None),
        reset_gate=GATE(**weights(inputs, units, "sigmoid"), peephole_weights=None),
        cell=GRU_CELL(**weights(inputs, units, "tanh")), **states)


def rnn(inputs: int, units: int, activation: str) -> Plain:
    """A simple recurrent network."""
    return RECURRENT(**weights(inputs, units, activation))


def dense(inputs: int, units: int, activation: str) -> Plain:
    """A layer without state."""
    return FEED_FORWARD(**weights(inputs, units, activation, recurrent=False))


def both(forward: Plain, backward: Plain) -> Plain:
    """Two layers, one from the end to the start."""
    return BIDIRECTIONAL(fwd_layer=forward, bwd_layer=backward)


def total(part: Plain, x: Array, h: Array | None = None, reset: Array | float = 1.0) -> Array:
    """What goes into a gate's function."""
    recurrent = 0.0 if h is None else reset * (h @ part.recurrent_weights)
    return x @ part.weights + part.bias + recurrent


def answer(layer: Plain, x: Array) -> Array:
    """What a layer answers for a sequence [steps, inputs]."""
    name = type(layer).__name__
    if name == "BidirectionalLayer":
        return np.hstack((answer(layer.fwd_layer, x), answer(layer.bwd_layer, x[::-1])[::-1]))
    if name == "FeedForwardLayer":
        return layer.activation_fn(total(layer, x))
    units = (layer if name == "RecurrentLayer" else layer.cell).bias.size
    attributes = layer.__dict__
    h = attributes.get("init", attributes.get("hid_init", np.zeros(units))).astype(np.float64)
    c = attributes.get("cell_init", np.zeros(units)).astype(np.float64)
    steps = []
    for step in x:
        if name == "RecurrentLayer":
            h = layer.activation_fn(total(layer, step, h))
        elif name == "GRULayer":
            update, reset = (sigmoid(total(gate, step, h)) for gate in (layer.update_gate, layer.reset_gate))
            h = update * np.tanh(total(layer.cell, step, h, reset)) + (1 - update) * h
        else:
            def gate(part: Plain, state: Array, step: Array = step, h: Array = h) -> Array:
                peephole = 0.0 if part.peephole_weights is None else state * part.peephole_weights
                return sigmoid(total(part, step, h) + peephole)

            c = gate(layer.input_gate, c) * np.tanh(total(layer.cell, step, h)) + gate(layer.forget_gate, c) * c
            h = layer.activation_fn(c) * gate(layer.output_gate, c)
        steps.append(h)
    return np.array(steps)


def write(name: str, *networks: list[Plain], protocol: int = 2) -> None:
    """A folder with the networks' files and the mean of what they answer."""
    folder = ROOT / name
    folder.mkdir(parents=True)
    for index, layers in enumerate(networks):
        with (folder / f"network_{index + 1}.pkl").open("wb") as file:
            pickle.dump(NETWORK(layers=layers), file, protocol)
    cases = []
    for length in LENGTHS:
        x = RANDOM.standard_normal((length, 3)).astype(np.float32)
        answers = []
        for layers in networks:
            value = x.astype(np.float64)
            for layer in layers:
                value = answer(layer, value)
            answers.append(value[:, 0] if value.shape[1] == 1 else value)
        cases.append(case({"x": x}, {"y": np.mean(answers, axis=0)}))
    write_cases(folder, cases, numpy=np.__version__)


def write_refused(name: str, layers: list[Plain]) -> None:
    """A network that is refused."""
    (ROOT / "refused").mkdir(exist_ok=True)
    with (ROOT / "refused" / f"{name}.pkl").open("wb") as file:
        pickle.dump(NETWORK(layers=layers), file, 4)


def main() -> None:
    """All networks."""
    if ROOT.exists():
        shutil.rmtree(ROOT)
    write("blstm", [both(lstm(3, 4), lstm(3, 4)), both(lstm(8, 3), lstm(8, 5)), dense(8, 3, "softmax")])
    write("lstm", [
        lstm(3, 4, init=numbers(4), cell_init=numbers(4)), lstm(4, 3, peepholes=False, cell="linear"),
        dense(3, 1, "sigmoid")], protocol=4)
    write("bgru", [both(gru(3, 4, hid_init=numbers(4)), gru(3, 4, hid_init=numbers(4))),
                   gru(8, 3, init=numbers(3)), dense(3, 1, "linear")], protocol=0)
    write("rnn", [rnn(3, 4, "relu"), both(rnn(4, 3, "elu"), rnn(4, 2, "linear")), rnn(5, 4, "sigmoid"),
                  dense(4, 2, "elu")], protocol=5)
    one = dense(4, 2, "tanh")
    one.bias = numbers(1)
    write("ensemble", [rnn(3, 4, "tanh"), one], [both(lstm(3, 2), lstm(3, 2)), dense(4, 2, "relu")])
    write_refused("convolution", [CONVOLUTION(**weights(3, 4, "relu")), rnn(4, 3, "tanh")])
    write_refused("softmax", [rnn(3, 3, "softmax")])
    mixed = lstm(3, 2)
    mixed.forget_gate.activation_fn = function("relu")
    write_refused("gates", [mixed])
    short = lstm(3, 2)
    short.output_gate.peephole_weights = numbers(3)
    write_refused("peephole", [short])
    write_refused("width", [rnn(3, 4, "tanh"), dense(5, 2, "tanh")])


if __name__ == "__main__":
    main()
