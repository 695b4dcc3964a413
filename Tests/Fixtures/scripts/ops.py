"""Makes Tests/Fixtures/ops: small random models that cover every op, with PyTorch's outputs.

Each folder holds model.json, model.safetensors and io.json. Inputs have several lengths; each
sequence was run alone, from the weights as stored, in float32 on a CPU. io.json:

    {"torch": "2.13.0", "cases": [{"inputs":  {"x": {"shape": [T, D], "values": [...]},
                                               "ids": {"tokens": [...]}},
                                   "outputs": {"y": {"shape": [...], "values": [...]}}}]}

Use: python ops.py (in the environment of scripts/train)
"""

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts" / "train"))
import model_folder  # noqa: E402

OPS = model_folder.ROOT / "Tests" / "Fixtures" / "ops"
LENGTHS = (1, 2, 7, 33)
Json = dict[str, Any]


def node(name: str, op: str, *inputs: str, **attributes: Any) -> Json:
    """A node of the graph."""
    return {"name": name, "op": op, "inputs": list(inputs)} | attributes


def features(name: str, size: int, **attributes: Any) -> Json:
    """An input of `size` floats a step."""
    return {"name": name, "kind": "features", "size": size} | attributes


def prefixed(**modules: nn.Module) -> dict[str, Tensor]:
    """The tensors of all `modules`, each under its own prefix."""
    return {f"{prefix}.{name}": tensor for prefix, module in modules.items()
            for name, tensor in module.state_dict().items()}


def affine(size: int) -> dict[str, Tensor]:
    """Random `weight` and `bias` of a layer norm or an affine, away from 1 and 0."""
    return {"weight": torch.rand(size) + 0.5, "bias": torch.randn(size)}


def named(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """`tensors` under `prefix`."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def random_inputs(inputs: list[Json], length: int) -> dict[str, Tensor]:
    """Random values for each declared input: features and vectors are normal."""
    def value(declared: Json) -> Tensor:
        size = declared["size"]
        if declared["kind"] == "tokens":
            return torch.randint(size, (length,))
        if declared["kind"] == "vector":
            return torch.randn(size)
        mean = torch.tensor(declared.get("mean", [0.0] * size))
        return mean + torch.randn(length, size) * torch.tensor(declared.get("scale", [1.0] * size))

    return {declared["name"]: value(declared) for declared in inputs}


def plain() -> Json:
    """One layer, an odd size, normalised features; a value a step."""
    return dict(
        inputs=[features("x", 3, mean=[10.0, -2.0, 0.5], scale=[4.0, 0.5, 2.0])],
        nodes=[node("h", "lstm", "x", weights="lstm"), node("y", "linear", "h", weights="head")],
        outputs=["y"],
        tensors=prefixed(lstm=nn.LSTM(3, 5), head=nn.Linear(5, 2)))


def without_biases() -> Json:
    """An LSTM and a linear layer that have no bias, wider than a vector register."""
    return dict(
        inputs=[features("x", 4)],
        nodes=[node("h", "lstm", "x", weights="lstm"), node("end", "last", "h"),
               node("y", "linear", "end", weights="head")],
        outputs=["y"],
        tensors=prefixed(lstm=nn.LSTM(4, 33, bias=False), head=nn.Linear(33, 3, bias=False)))


def initial_state() -> Json:
    """Two layers that start from vectors given with the request."""
    return dict(
        inputs=[features("x", 4), {"name": "h0", "kind": "vector", "size": 12},
                {"name": "c0", "kind": "vector", "size": 12}],
        nodes=[node("h", "lstm", "x", "h0", "c0", weights="lstm")],
        outputs=["h"],
        tensors=prefixed(lstm=nn.LSTM(4, 6, 2)))


def final_state() -> Json:
    """`initial_state`, and out come the final states of the upper layer."""
    return initial_state() | {"outputs": ["h.hidden", "h.cell"]}


def bidirectional() -> Json:
    """Two bidirectional layers with a projection, from an initial state."""
    return dict(
        inputs=[features("x", 3), {"name": "h0", "kind": "vector", "size": 4 * 5},
                {"name": "c0", "kind": "vector", "size": 4 * 8}],
        nodes=[node("h", "lstm", "x", "h0", "c0", weights="encoder"),
               node("y", "linear", "h", weights="head")],
        outputs=["y"],
        tensors=prefixed(encoder=nn.LSTM(3, 8, 2, bidirectional=True, proj_size=5),
                         head=nn.Linear(10, 4)))


def bidirectional_ends() -> Json:
    """Both directions' final states of two layers with a projection: forward, then backward."""
    return dict(
        inputs=[features("x", 3)],
        nodes=[node("h", "lstm", "x", weights="encoder"),
               node("ends", "concat", "h.hidden", "h.cell"),
               node("y", "linear", "ends", weights="head")],
        outputs=["y", "h.hidden", "h.cell"],
        tensors=prefixed(encoder=nn.LSTM(3, 8, 2, bidirectional=True, proj_size=5),
                         head=nn.Linear(26, 4)))


def pooling() -> Json:
    """Every way to one vector a sequence, of a bidirectional layer, and of the input itself."""
    ways = ("last", "first", "mean", "max", "sum")
    return dict(
        inputs=[features("x", 3)],
        nodes=[node("h", "lstm", "x", weights="lstm"), *(node(w, w, "h") for w in ways),
               node("all", "concat", *ways), node("y", "linear", "all", weights="head"),
               node("newest", "last", "x")],
        outputs=[*ways, "y", "newest"],
        tensors=prefixed(lstm=nn.LSTM(3, 7, bidirectional=True), head=nn.Linear(70, 5)))


def attention() -> Json:
    """Attention over time: scores by a small network, values, their weighted sum; a class."""
    return dict(
        inputs=[{"name": "ids", "kind": "tokens", "size": 20}],
        nodes=[node("words", "embedding", "ids", weights="embedding"),
               node("h", "lstm", "words", weights="lstm"),
               node("hidden", "linear", "h", weights="attend"), node("bent", "tanh", "hidden"),
               node("scores", "linear", "bent", weights="score"),
               node("context", "softmax_sum", "scores", "h"),
               node("logits", "linear", "context", weights="head"),
               node("probabilities", "softmax", "logits")],
        outputs=["probabilities", "context"],
        tensors=prefixed(embedding=nn.Embedding(20, 6), lstm=nn.LSTM(6, 9, bidirectional=True),
                         attend=nn.Linear(18, 8), score=nn.Linear(8, 1, bias=False),
                         head=nn.Linear(18, 4)))


def pointwise() -> Json:
    """Activations, arithmetic and norms, all a step."""
    return dict(
        inputs=[features("x", 6), features("other", 6)],
        nodes=[node("a", "sigmoid", "x"), node("b", "tanh", "other"), node("c", "relu", "x"),
               node("product", "multiply", "a", "b"), node("total", "add", "product", "c"),
               node("joined", "concat", "total", "x"),
               node("normed", "layer_norm", "joined", weights="norm"),
               node("normed_coarsely", "layer_norm", "joined", weights="norm", epsilon=0.5),
               node("moved", "affine", "x", weights="move"),
               node("moved_by_attributes", "affine", "other",
                    scale=[1.0, -2.0, 0.5, 3.0, 0.0, 1.5], shift=[0.0, 1.0, -1.0, 0.25, 2.0, 9.0]),
               node("unit", "l2_norm", "x"), node("shortened", "l2_norm", "c", epsilon=1.5),
               node("shares", "softmax", "joined"), node("y", "log_softmax", "joined")],
        outputs=["a", "b", "c", "product", "total", "joined", "normed", "normed_coarsely", "moved",
                 "moved_by_attributes", "unit", "shortened", "shares", "y"],
        tensors=named("norm", affine(12)) | named("move", affine(6)))


def pointwise_vectors() -> Json:
    """The same ops on one vector a sequence."""
    return dict(
        inputs=[features("x", 4)],
        nodes=[node("h", "lstm", "x", weights="lstm"), node("mean", "mean", "h"),
               node("end", "last", "h"), node("total", "add", "mean", "end"),
               node("product", "multiply", "mean", "h.hidden"), node("s", "sigmoid", "total"),
               node("t", "tanh", "h.cell"), node("r", "relu", "total"),
               node("joined", "concat", "s", "t", "r", "product"),
               node("normed", "layer_norm", "joined", weights="norm"),
               node("moved", "affine", "normed", weights="move"),
               node("unit", "l2_norm", "moved"), node("y", "log_softmax", "unit")],
        outputs=["joined", "normed", "moved", "unit", "y"],
        tensors=prefixed(lstm=nn.LSTM(4, 5)) | named("norm", affine(20))
        | named("move", affine(20)))


def elements() -> Json:
    """What is made of several values, element by element, and of some elements of one."""
    return dict(
        inputs=[features("x", 6), features("other", 6), features("one", 1),
                {"name": "v", "kind": "vector", "size": 6}],
        nodes=[node("difference", "subtract", "x", "other"), node("quotient", "divide", "x", "v"),
               node("least", "minimum", "x", "other", "v"), node("most", "maximum", "x", "one"),
               node("positive", "relu", "other"), node("chosen", "where", "positive", "x", "v"),
               node("weighed", "multiply", "one", "x"), node("moved", "add", "v", "one"),
               node("joined", "concat", "x", "v", "one"),
               node("some", "slice", "joined", start=1, end=-1, stride=3),
               node("rest", "slice", "joined", start=-5),
               node("picked", "gather", "joined", indices=[12, 0, 0, 7]),
               node("turned", "transpose", "x", rows=2), node("held", "clip", "x", min=-0.5, max=1),
               node("floor", "clip", "x", min=0.25)],
        outputs=["difference", "quotient", "least", "most", "chosen", "weighed", "moved", "joined",
                 "some", "rest", "picked", "turned", "held", "floor"], tensors={})


def ahead() -> Json:
    """What is known at the end of a sequence, at each of its steps."""
    return dict(
        inputs=[features("x", 4)],
        nodes=[node("h", "lstm", "x", weights="lstm"), node("mean", "mean", "h"),
               node("newest", "last", "x"), node("centred", "subtract", "h", "mean"),
               node("joined", "concat", "x", "newest", "h.hidden"),
               node("g", "lstm", "joined", weights="second"), node("end", "last", "centred")],
        outputs=["centred", "g", "end"],
        tensors=prefixed(lstm=nn.LSTM(4, 5), second=nn.LSTM(13, 3)))


def norms() -> Json:
    """Norms of steps that are channels, and slopes below 0."""
    batch = {"running_mean": torch.randn(4), "running_var": torch.rand(4) + 0.2}
    return dict(
        inputs=[features("x", 12)],
        nodes=[node("batch", "batch_norm", "x"), node("plain", "batch_norm", "x", epsilon=1e-3),
               node("groups", "group_norm", "x", groups=2), node("bare", "group_norm", "x", groups=3),
               node("root", "rms_norm", "x"), node("unweighed", "rms_norm", "x", epsilon=0.1),
               node("bent", "prelu", "x"), node("bent_alike", "prelu", "x")],
        outputs=["batch", "plain", "groups", "bare", "root", "unweighed", "bent", "bent_alike"],
        tensors=named("batch", affine(4) | batch)
        | named("plain", {name: tensor + 0.5 for name, tensor in batch.items()})
        | {"batch.num_batches_tracked": torch.tensor(7)} | named("groups", affine(4))
        | {"root.weight": torch.rand(12), "bent.weight": torch.rand(6),
           "bent_alike.weight": torch.rand(1)})


def frames() -> Json:
    """Convolutions and pools over the elements of each step."""
    return dict(
        inputs=[features("x", 24)],
        nodes=[node("padded", "pad", "x", before=2, after=5, mode="reflect"),
               node("edges", "pad", "x", channels=4, before=1, after=2, mode="edge"),
               node("filled", "pad", "x", channels=3, after=3, value=0.5),
               node("spectrum", "conv1d", "padded", stride=4),
               node("deeper", "conv1d", "spectrum", padding=1),
               node("grouped", "conv1d", "x", groups=2, padding=[2, 0], dilation=2),
               node("largest", "max_pool1d", "spectrum", channels=6, kernel=3, stride=2, padding=1),
               node("coarse", "average_pool1d", "x", channels=2, kernel=4, padding=[1, 2]),
               node("whole", "average_pool1d", "deeper", channels=5),
               node("h", "lstm", "whole", weights="lstm")],
        outputs=["edges", "filled", "spectrum", "deeper", "grouped", "largest", "coarse", "h"],
        tensors=prefixed(spectrum=nn.Conv1d(1, 6, 8, bias=False), deeper=nn.Conv1d(6, 5, 3),
                         grouped=nn.Conv1d(4, 6, 2, groups=2), lstm=nn.LSTM(5, 4)))


def over_time() -> Json:
    """What looks back over the steps, and streams."""
    return dict(
        inputs=[features("x", 4)],
        nodes=[node("c", "conv", "x", weights="conv"),
               node("wide", "conv", "c", dilation=3, groups=2), node("late", "shift", "wide", steps=2),
               node("h", "lstm", "late", weights="lstm"), node("y", "linear", "h", weights="head")],
        outputs=["c", "wide", "late", "y"],
        tensors=prefixed(conv=nn.Conv1d(4, 6, 3), wide=nn.Conv1d(6, 8, 2, groups=2, bias=False),
                         lstm=nn.LSTM(8, 5), head=nn.Linear(5, 2)))


def images() -> Json:
    """Over the steps and the elements of each."""
    return dict(
        inputs=[features("x", 14)],
        nodes=[node("c", "conv2d", "x", frame_padding=[1, 2], frame_stride=2),
               node("grouped", "conv2d", "c", dilation=2, frame_dilation=2, groups=2),
               node("centred", "conv2d", "x", padding="same", frame_padding=1),
               node("h", "lstm", "grouped", weights="lstm")],
        outputs=["c", "grouped", "centred", "h"],
        tensors=prefixed(c=nn.Conv2d(2, 4, (3, 4)), grouped=nn.Conv2d(4, 6, (2, 2), groups=2, bias=False),
                         centred=nn.Conv2d(2, 3, (3, 2)), lstm=nn.LSTM(12, 3)))


def around() -> Json:
    """What needs the steps behind, too."""
    return dict(
        inputs=[features("x", 3)],
        nodes=[node("odd", "conv", "x", padding="same"),
               node("even", "conv", "odd", padding="same", dilation=3),
               node("back", "reverse", "even"), node("h", "lstm", "back", weights="lstm"),
               node("early", "shift", "h", steps=-1)],
        outputs=["odd", "even", "early"],
        tensors=prefixed(odd=nn.Conv1d(3, 5, 5), even=nn.Conv1d(5, 4, 4), lstm=nn.LSTM(4, 3)))


def self_attention() -> Json:
    """A context a step, in every way."""
    return dict(
        inputs=[features("x", 4)],
        nodes=[node("h", "lstm", "x", weights="lstm"), node("k", "linear", "h"),
               node("q", "linear", "h"), node("v", "linear", "x"),
               node("dot", "attention", "q", "k"),
               node("scaled", "attention", "q", "k", "v", scale=0.4, heads=2),
               node("past", "attention", "q", "k", "v", scale=0.4, causal=True),
               node("additive", "attention", "q", "k", "h", score="additive"),
               node("linear", "attention", "q", "k", "h", score="additive"),
               node("bare", "attention", "q", "k", "v", score="additive", heads=3, scale=0.5)],
        outputs=["dot", "scaled", "past", "additive", "linear", "bare"],
        tensors=prefixed(lstm=nn.LSTM(4, 5, bidirectional=True), k=nn.Linear(10, 6),
                         q=nn.Linear(10, 6), v=nn.Linear(4, 12))
        | {"additive.weight": torch.randn(6), "linear.weight": torch.randn(1, 6)})


def residual() -> Json:
    """Two LSTMs with a connection around the second, and a final norm, an id a step."""
    return dict(
        inputs=[{"name": "ids", "kind": "tokens", "size": 11}],
        nodes=[node("e", "embedding", "ids", weights="embedding"),
               node("h1", "lstm", "e", weights="lower"), node("h2", "lstm", "h1", weights="upper"),
               node("sum", "add", "h1", "h2"), node("n", "layer_norm", "sum", weights="norm"),
               node("logits", "linear", "n", weights="head"), node("y", "log_softmax", "logits")],
        outputs=["y"],
        tensors=prefixed(embedding=nn.Embedding(11, 5), lower=nn.LSTM(5, 8), upper=nn.LSTM(8, 8),
                         head=nn.Linear(8, 11)) | named("norm", affine(8)))


def forecast() -> Json:
    """Two features and the next three steps of both, so that a horizon can be asked for."""
    return dict(
        inputs=[features("x", 2, mean=[5.0, -1.0], scale=[2.0, 0.5])],
        nodes=[node("h", "lstm", "x", weights="lstm"), node("end", "last", "h"),
               node("y", "linear", "end", weights="head")],
        outputs=[{"name": "y", "forecasts": "x"}],
        tensors=prefixed(lstm=nn.LSTM(2, 6), head=nn.Linear(6, 6)),
        horizons=(1, 3, 4, 9))


def half_precision() -> Json:
    """`plain`, stored as F16."""
    made = plain()
    return made | {"tensors": {name: t.half() for name, t in made["tensors"].items()}}


def brain_precision() -> Json:
    """`plain`, stored as BF16."""
    made = plain()
    return made | {"tensors": {name: t.bfloat16() for name, t in made["tensors"].items()}}


def double_precision() -> Json:
    """`plain`, stored as F64."""
    made = plain()
    return made | {"tensors": {name: t.double() for name, t in made["tensors"].items()}}


def bags() -> Json:
    """Bags of ids in every mode, with weights and with padding."""
    bag = [node("mean", "embedding_bag", "ids", weights="table"),
           node("sum", "embedding_bag", "ids", weights="table", mode="sum", padding=2),
           node("max", "embedding_bag", "ids", weights="table", mode="max"),
           node("weighed", "embedding_bag", "ids", "w", weights="table", mode="sum"),
           node("padded", "embedding_bag", "ids", weights="table", padding=0),
           node("most", "embedding_bag", "ids", weights="table", mode="max", padding=0)]
    return dict(
        inputs=[{"name": "ids", "kind": "tokens", "size": 4}, features("w", 1)],
        nodes=bag, outputs=[b["name"] for b in bag],
        tensors={"table.weight": torch.randn(4, 5)})


def lookups() -> Json:
    """Rows of a table for numbers of a step and of a vector, and waves."""
    return dict(
        inputs=[features("x", 3)],
        nodes=[node("spread", "affine", "x", scale=[3.0, 3.0, 3.0], shift=[2.5, 2.5, 2.5]),
               node("ids", "clip", "spread", min=0.0, max=4.75),
               node("rows", "lookup", "ids", weights="table"), node("end", "last", "ids"),
               node("row", "lookup", "end", weights="table"), node("wave", "sin", "spread"),
               node("ahead", "cos", "spread")],
        outputs=["rows", "row", "wave", "ahead"], tensors={"table.weight": torch.randn(5, 2)})


MAKERS: tuple[Callable[[], Json], ...] = (
    plain, without_biases, initial_state, final_state, bidirectional, bidirectional_ends, pooling,
    attention, pointwise, pointwise_vectors, residual, forecast, half_precision, brain_precision,
    double_precision, elements, ahead, norms, frames, over_time, around,
    self_attention, bags, images, lookups)


def write(maker: Callable[[], Json]) -> None:
    """Writes the folder of one maker, seeded by its own place among the makers."""
    torch.manual_seed(MAKERS.index(maker) + 1)
    made = maker()
    name = maker.__name__
    path = OPS / name
    summary = " ".join((maker.__doc__ or "").split())
    outputs = [o if isinstance(o, dict) else {"name": o} for o in made["outputs"]]
    model_folder.save(path, {
        "format": "carousel/1", "name": name, "version": "1", "summary": summary,
        "inputs": made["inputs"], "nodes": made["nodes"], "outputs": outputs}, made["tensors"])
    folder = model_folder.Folder(path)
    cases = []
    for length in LENGTHS:
        given = random_inputs(made["inputs"], length)
        cases.append(model_folder.case(given, folder.run(given)))
    for horizon in made.get("horizons", ()):
        x = random_inputs(made["inputs"], 7)["x"]
        cases.append(model_folder.case({"x": x}, {"y": folder.forecast(x, horizon)},
                                       horizon=horizon))
    model_folder.write_cases(path / "io.json", cases)


def main() -> None:
    """Writes every folder."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="LSTM with projections is not supported with oneDNN")
    for maker in MAKERS:
        write(maker)


if __name__ == "__main__":
    main()
