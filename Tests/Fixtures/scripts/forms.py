"""Makes Tests/Fixtures/forms: small random models in the forms that PyTorch's own modules do not have.

What an lstm that reads in reverse alone, that has one bias, or that starts from c0 without h0 computes is
PyTorch's and Keras's mathematics all the same: here in NumPy, in float64, one sequence at a time. So that
this reference is no guess, `--check` runs it over Tests/Fixtures/ops first, whose outputs PyTorch computed.

Use: python forms.py [--check] [--keras WEIGHTS.h5 IO.npz]

With `--keras`, also the two-layer forecaster of a Keras 3 weights file, with what Keras answered.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from reference import FIXTURES, Array, Json, Reference, case, deviation, write_cases, write_folder

LENGTHS = (1, 2, 7, 33)


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
    write_folder(path, made)
    if cases is None:
        reference = Reference(path)
        cases = []
        for length in LENGTHS:
            given = random_inputs(made["inputs"], length)
            cases += [case(given, reference.run(given)),
                      case(given, reference.run(given, every_step=True), selection="all")]
    write_cases(path, cases, numpy=np.__version__)


def check() -> None:
    """Compares the reference with what PyTorch answered for the models of Tests/Fixtures/ops."""
    # NumPy has no bfloat16.
    largest = max(deviation(path) for path in (FIXTURES / "ops").iterdir() if path.name != "brain_precision")
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
