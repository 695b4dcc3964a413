"""Makes Tests/Fixtures/cells: random recurrent networks of every kind, with what PyTorch and ONNX Runtime answer.

GRUs and RNNs of torch.nn, its three cells step by step, and multiplicative LSTMs made of its parts come from PyTorch; reset gates before the product,
peepholes, clip, input_forget and other activations from ONNX Runtime, a node layer by layer. The formulas of FORMAT.md
(reference.py) are held against all of them, and answer themselves for activations that neither has. Each sequence was
run alone, in float32 on a CPU; with `sequence_lens` those of one batch were run together.

Use: python cells.py (NumPy, PyTorch, onnx, onnxruntime)
"""

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import torch
from onnx_cells import operator
from reference import FIXTURES, Array, Json, Reference, case, deviation, write_cases, write_folder
from torch import nn

CELLS = FIXTURES / "cells"
LENGTHS = (1, 2, 7, 15)
RANDOM = np.random.default_rng(11)
Values = dict[str, Array]
Run = Callable[[Values], Values]


def random(*shape: int, scale: float = 0.5) -> Array:
    """Uniform float32 within ±scale."""
    return RANDOM.uniform(-scale, scale, shape).astype(np.float32)


def network(op: str, inputs: int, hidden: int, layers: int = 1, *, both: bool = False, biases: int = 2,
            peepholes: bool = False, scale: float = 0.5) -> Values:
    """Random tensors of the node `h`."""
    rows, directions = {"lstm": 4, "gru": 3, "rnn": 1}[op] * hidden, 2 if both else 1
    tensors = {}
    for layer in range(layers):
        for direction in ("", "_reverse")[:directions]:
            shapes = {"weight_ih": (rows, inputs if layer == 0 else directions * hidden), "weight_hh": (rows, hidden)}
            shapes |= {kind: (rows,) for kind in ([], ["bias"], ["bias_ih", "bias_hh"])[biases]}
            if peepholes:
                shapes["peephole"] = (3 * hidden,)
            tensors |= {f"h.{kind}_l{layer}{direction}": random(*shape, scale=scale) for kind, shape in shapes.items()}
    return tensors


def made(op: str, tensors: Values, states: tuple[str, ...] = (), outputs: tuple[str, ...] = ("h", "h.hidden"),
         **attributes: object) -> Json:
    """A model of one node `h` over `x`, with the initial states named."""
    first = tensors["h.weight_ih_l0"].shape[1]
    count = sum("weight_hh" in name for name in tensors) * tensors["h.weight_hh_l0"].shape[1]
    inputs = [{"name": "x", "kind": "features", "size": first}]
    inputs += [{"name": name, "kind": "vector", "size": count} for name in states]
    return dict(inputs=inputs, outputs=outputs, tensors=tensors,
                nodes=[{"name": "h", "op": op, "inputs": ["x", *states]} | attributes])


# MARK: PyTorch

def torch_network(module: nn.RNNBase) -> tuple[Values, Run]:
    """The tensors of a module under `h.`, and its answer to one sequence, perhaps from h0."""
    directions = 2 if module.bidirectional else 1
    # What PyTorch makes is small: drawn again, a state tells more of the steps before it.
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.from_numpy(random(*parameter.shape, scale=1.2 / module.hidden_size ** 0.5)))

    @torch.no_grad()
    def run(given: Values) -> Values:
        count = module.num_layers * directions
        h0 = torch.from_numpy(given["h0"]).reshape(count, -1) if "h0" in given else None
        h, ends = module(torch.from_numpy(given["x"]), h0)
        layers = ends.reshape(module.num_layers, -1).numpy()
        return {"h": h.numpy(), "h.hidden": layers[-1]} | {f"h.hidden.{k}": end for k, end in enumerate(layers)}

    return {f"h.{name}": tensor.numpy() for name, tensor in module.state_dict().items()}, run


def torch_cells() -> tuple[Json, Run]:
    """nn.LSTMCell, GRUCell and RNNCell, a step at a time; their tensors with `_l0` behind the names."""
    cells = {"lstm": nn.LSTMCell(3, 6), "gru": nn.GRUCell(3, 6), "rnn": nn.RNNCell(3, 6)}

    @torch.no_grad()
    def run(given: Values) -> Values:
        answers = {}
        for name, cell in cells.items():
            state, steps = None, []
            for x in torch.from_numpy(given["x"]):
                state = cell(x, state)
                steps.append(state[0] if name == "lstm" else state)
            answers[name] = torch.stack(steps).numpy()
        return answers

    tensors = {f"{name}.{key}_l0": tensor.numpy() for name, cell in cells.items()
               for key, tensor in cell.state_dict().items()}
    return dict(inputs=[{"name": "x", "kind": "features", "size": 3}], outputs=tuple(cells), tensors=tensors,
                nodes=[{"name": name, "op": name, "inputs": ["x"]} for name in cells]), run


class MultiplicativeLSTM(nn.Module):
    """One layer of Krause et al. (2016): the gates of an LSTM see m, a product of x and h, in the place of h."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.gates_of_x, self.gates_of_m = nn.Linear(inputs, 4 * hidden), nn.Linear(hidden, 4 * hidden)
        self.m_of_x, self.m_of_h = nn.Linear(inputs, hidden, bias=False), nn.Linear(hidden, hidden, bias=False)

    def forward(self, x: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """All h, and the last h and c."""
        steps = []
        for step in x:
            i, f, g, o = (self.gates_of_x(step) + self.gates_of_m(self.m_of_x(step) * self.m_of_h(h))).chunk(4)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            steps.append(h)
        return torch.stack(steps), h, c

    def tensors(self, suffix: str) -> Values:
        """As a folder has them."""
        own = {"weight_ih": self.gates_of_x.weight, "weight_hh": self.gates_of_m.weight, "bias_ih": self.gates_of_x.bias,
               "bias_hh": self.gates_of_m.bias, "weight_mx": self.m_of_x.weight, "weight_mh": self.m_of_h.weight}
        return {f"h.{name}_l{suffix}": value.detach().numpy() for name, value in own.items()}


def multiplicative(layers: int, both: bool) -> tuple[Json, Run]:
    """Layers of multiplicative LSTMs from h0 and c0, in one direction or two."""
    hidden, directions = 6, 2 if both else 1
    cells = [[MultiplicativeLSTM(3 if layer == 0 else directions * hidden, hidden) for _ in range(directions)]
             for layer in range(layers)]
    with torch.no_grad():
        for row in cells:
            for cell in row:
                for parameter in cell.parameters():
                    parameter.copy_(torch.from_numpy(random(*parameter.shape, scale=1.5 / hidden ** 0.5)))

    @torch.no_grad()
    def run(given: Values) -> Values:
        x, answers = torch.from_numpy(given["x"]), {}
        h0, c0 = (torch.from_numpy(given[name]).reshape(layers, directions, hidden) for name in ("h0", "c0"))
        for layer, row in enumerate(cells):
            found = []
            for direction, cell in enumerate(row):
                h, *ends = cell(x.flip(0) if direction else x, h0[layer, direction], c0[layer, direction])
                found.append((h.flip(0) if direction else h, *ends))
            x, hidden_end, cell_end = (torch.cat(parts, -1) for parts in zip(*found))
            for name, end in (("hidden", hidden_end), ("cell", cell_end)):
                answers |= {f"h.{name}.{layer}": end.numpy(), f"h.{name}": end.numpy()}
        return answers | {"h": x.numpy()}

    tensors = {name: value for layer, row in enumerate(cells) for direction, cell in enumerate(row)
               for name, value in cell.tensors(f"{layer}{'_reverse' if direction else ''}").items()}
    return made("mlstm", tensors, ("h0", "c0"), ("h", "h.hidden", "h.cell.0")), run


# MARK: ONNX Runtime

def onnx_network(described: Json) -> Run:
    """The node `h` of a model in ONNX Runtime: an operator a layer, each sequence alone."""
    def run(given: Values) -> Values:
        batch = onnx_batch(described, {name: value[None] for name, value in given.items()}, [len(given["x"])])
        return {name: value[0] for name, value in batch.items()}

    return run


def onnx_batch(described: Json, given: Values, lengths: list[int]) -> Values:
    """Several sequences together, padded to one length: x is [batch, steps, size]; states are [batch, size]."""
    (node,), tensors = described["nodes"], described["tensors"]
    layers = sum(name.startswith("h.weight_ih_l") and not name.endswith("_reverse") for name in tensors)
    x, answers = given["x"].transpose(1, 0, 2), {}
    for layer in range(layers):
        kind, weights, attributes = operator(node, layer, tensors)
        directions, hidden = len(weights["W"]), attributes["hidden_size"]
        feeds = weights | {"X": x, "sequence_lens": np.array(lengths, np.int32)}
        for state, own in (("h0", "initial_h"), ("c0", "initial_c")):
            if state in given:
                begin = layer * directions * hidden
                part = given[state][:, begin:begin + directions * hidden]
                feeds[own] = np.ascontiguousarray(part.reshape(-1, directions, hidden).transpose(1, 0, 2))
        order = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
        outputs = ["Y", "Y_h"] + (["Y_c"] if kind == "LSTM" else [])
        names = [name if name in feeds else "" for name in order[:8 if kind == "LSTM" else 6]]
        y, *ends = session(kind, names, outputs, attributes, feeds).run(None, feeds)
        x = np.ascontiguousarray(y.transpose(0, 2, 1, 3).reshape(y.shape[0], y.shape[2], -1))
        for state, end in zip(("hidden", "cell"), ends):
            flat = end.transpose(1, 0, 2).reshape(end.shape[1], -1)
            answers |= {f"h.{state}.{layer}": flat, f"h.{state}": flat}
    return answers | {"h": x.transpose(1, 0, 2)}


def session(kind: str, names: list[str], outputs: list[str], attributes: Json,
            feeds: Values) -> onnxruntime.InferenceSession:
    """A model of one operator."""
    types = {np.dtype(np.float32): onnx.TensorProto.FLOAT, np.dtype(np.int32): onnx.TensorProto.INT32}
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(kind, names, outputs, **attributes)], kind,
        [onnx.helper.make_tensor_value_info(n, types[feeds[n].dtype], feeds[n].shape) for n in names if n],
        [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in outputs])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 14)], ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


HARD = {"op": "hard_sigmoid", "slope": 0.2, "offset": 0.5}


def onnx_models() -> dict[str, Json]:
    """What torch.nn does not have and ONNX does."""
    return {
        "gru_reset_before": made("gru", network("gru", 3, 17, 2), ("h0",), ("h", "h.hidden.0"), reset="before"),
        # As Keras makes them: one bias, its old hard_sigmoid; the other direction before, too.
        "gru_keras_reset_before": made("gru", network("gru", 3, 5, 2, both=True, biases=1), reset="before",
                                       gate_activation=HARD),
        "gru_reset_before_reverse": made("gru", network("gru", 3, 20, biases=0), reset="before",
                                         direction="reverse"),
        "gru_clip_relu": made("gru", network("gru", 3, 6, 2), ("h0",), clip=0.6, activation="relu"),
        "gru_reset_before_clip": made("gru", network("gru", 3, 6, both=True), reset="before", clip=0.4),
        "gru_activations_by_direction": made(
            "gru", network("gru", 3, 5, both=True), gate_activation=[HARD, "sigmoid"],
            activation=["softsign", {"op": "scaled_tanh", "alpha": 1.5, "beta": 0.5}]),
        "lstm_peepholes": made("lstm", network("lstm", 3, 9, 2, both=True, peepholes=True), ("h0", "c0"),
                               ("h", "h.hidden.0", "h.cell")),
        "lstm_input_forget": made("lstm", network("lstm", 3, 6, 2, peepholes=True), ("h0", "c0"), ("h", "h.cell"),
                                  input_forget=True),
        "lstm_clip": made("lstm", network("lstm", 3, 6, 2, peepholes=True, scale=0.8), (), ("h", "h.cell"), clip=0.9,
                          output_activation="softsign"),
        "lstm_keras_hard_sigmoid": made("lstm", network("lstm", 3, 17, biases=1), (), ("h", "h.hidden"),
                                        gate_activation=HARD, direction="reverse"),
        "lstm_relu": made("lstm", network("lstm", 3, 6, scale=0.3), (), ("h", "h.cell"), activation="relu"),
        "lstm_activations_by_direction": made(
            "lstm", network("lstm", 3, 5, 2, both=True, scale=0.3), (), ("h", "h.hidden", "h.cell"),
            gate_activation=["sigmoid", HARD], activation=[{"op": "elu", "alpha": 0.5}, "softsign"],
            output_activation=[{"op": "leaky_relu", "slope": 0.1}, {"op": "affine", "scale": 0.5, "shift": 0.1}]),
        "rnn_activations_by_direction": made(
            "rnn", network("rnn", 3, 5, 2, both=True, scale=0.3), ("h0",),
            activation=["softplus", {"op": "thresholded_relu", "alpha": 0.2}]),
        "rnn_clip": made("rnn", network("rnn", 3, 70, biases=1, scale=0.3), clip=0.5, activation="affine"),
    }


def formula_models() -> dict[str, Json]:
    """Activations that neither framework has in a cell."""
    return {
        "lstm_silu": made("lstm", network("lstm", 3, 6, scale=0.3), (), ("h", "h.cell"), gate_activation="hard_sigmoid",
                          activation="silu", output_activation="hard_tanh"),
        "gru_selu": made("gru", network("gru", 3, 6, scale=0.3), activation="selu", reset="before"),
        "rnn_exp": made("rnn", network("rnn", 3, 6, scale=0.1), activation="exp"),
    }


def ragged() -> Json:
    """One batch of ONNX Runtime with `sequence_lens`, none of them padded here."""
    return made("gru", network("gru", 3, 6, both=True), ("h0",), reset="before")


# MARK: Writing

def random_inputs(inputs: list[Json], length: int) -> Values:
    """Random values for each declared input."""
    return {i["name"]: RANDOM.standard_normal((length, i["size"]) if i["kind"] == "features" else i["size"])
            .astype(np.float32) for i in inputs}


def write(name: str, described: Json, run: Run | None, **versions: str) -> None:
    """Writes a folder, with what `run` answers, or else the formulas."""
    folder = CELLS / name
    write_folder(folder, described)
    run = run or Reference(folder).run
    cases = []
    for length in LENGTHS:
        given = random_inputs(described["inputs"], length)
        answers = run(given)
        cases.append(case(given, {output: answers[output] for output in described["outputs"]}))
    write_cases(folder, cases, **versions)
    held(name)


def held(name: str) -> None:
    """Holds the formulas against what a folder has."""
    largest = deviation(CELLS / name)
    print(f"{name}: within {largest:.1e} of the formulas")
    assert largest < 1e-5, name


def write_ragged() -> None:
    """Writes the sequences of a batch whose lengths differ."""
    described, lengths = ragged(), [4, 1, 9, 6]
    write_folder(CELLS / "gru_ragged", described)
    given = {i["name"]: RANDOM.standard_normal((len(lengths), 9, i["size"]) if i["kind"] == "features"
                                               else (len(lengths), i["size"])).astype(np.float32)
             for i in described["inputs"]}
    answers = onnx_batch(described, given, lengths)
    write_cases(CELLS / "gru_ragged", [
        case({"x": given["x"][row, :length], "h0": given["h0"][row]},
             {"h": answers["h"][row, :length], "h.hidden": answers["h.hidden"][row]})
        for row, length in enumerate(lengths)], onnxruntime=onnxruntime.__version__)
    held("gru_ragged")


def main() -> None:
    """Writes every folder."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    from_torch = dict(torch=torch.__version__)
    for name, module, states in (
            ("gru", nn.GRU(3, 17, 2), ("h0",)),
            ("gru_both_directions", nn.GRU(3, 5, 2, bidirectional=True), ("h0",)),
            ("gru_without_biases", nn.GRU(4, 20, bias=False), ()),
            ("rnn", nn.RNN(3, 17, 2), ("h0",)),
            ("rnn_relu", nn.RNN(3, 6, 2, nonlinearity="relu", bidirectional=True), ())):
        tensors, run = torch_network(module)
        own = {"activation": "relu"} if name == "rnn_relu" else {}
        described = made(name.split("_")[0], tensors, states, ("h", "h.hidden.0", "h.hidden"), **own)
        write(name, described, run, **from_torch)
    write("cells", *torch_cells(), **from_torch)
    write("mlstm", *multiplicative(2, both=False), **from_torch)
    write("mlstm_both_directions", *multiplicative(2, both=True), **from_torch)
    for name, described in onnx_models().items():
        write(name, described, onnx_network(described), onnxruntime=onnxruntime.__version__)
    for name, described in formula_models().items():
        write(name, described, None, numpy=np.__version__)
    write_ragged()


if __name__ == "__main__":
    main()
