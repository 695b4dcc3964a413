"""Makes Tests/Fixtures/onnx_imports: small random models as exporters write them in ONNX, with what ONNX Runtime answers.

A folder holds model.onnx and io.json as ops.py has it: each sequence alone, inputs and outputs as a model folder has them
(the steps first, then the elements of a step). PyTorch's modules are exported twice, by TorchScript (`_script`) and by
torch.export (`_dynamo`); recurrent operators with what PyTorch does not have are written node by node.

Use: python onnx_imports.py [NAME...] (PyTorch 2.13, NumPy, onnx, onnxscript, onnxruntime)
"""

import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from reference import FIXTURES, Array, case, write_cases
from torch import Tensor, nn
from torch.nn import functional as F

ROOT = FIXTURES / "onnx_imports"
LENGTHS = (3, 7, 12)
RANDOM = np.random.default_rng(7)
# The axes of an array: B a batch of one, T the steps, every other letter elements of a step.
Axes = str
WANTED = sys.argv[1:]


def random(*shape: int) -> Array:
    return RANDOM.uniform(-1, 1, shape).astype(np.float32)


def folder_array(array: Array, axes: Axes) -> Array:
    """An array of ONNX as a model folder has it."""
    order = [axes.index("T")] if "T" in axes else []
    order += [i for i, letter in enumerate(axes) if letter not in "BT"]
    moved = array.transpose([axes.index("B")] + order if "B" in axes else order)
    moved = moved.reshape(moved.shape[1:] if "B" in axes else moved.shape)
    return moved.reshape(moved.shape[0], -1) if "T" in axes and moved.dtype != np.int64 else moved.reshape(-1)


def write(name: str, model: onnx.ModelProto, given: Callable[[int], dict[str, Array]], inputs: dict[str, Axes],
          outputs: dict[str, Axes], lengths: tuple[int, ...] = LENGTHS) -> None:
    """Writes a folder; `given` makes the inputs of a length, of which those without axes are not the folder's."""
    for holder in [model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]:
        del holder.metadata_props[:]
        holder.doc_string = ""
    del model.metadata_props[:]
    folder = ROOT / name
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    cases = []
    for length in lengths:
        feed = given(length)
        found = dict(zip(names, session.run(None, feed)))
        cases.append(case({key: folder_array(feed[key].astype(np.int64 if key == "ids" else np.float32), axes)
                           for key, axes in inputs.items()},
                          {key: folder_array(found[key], axes) for key, axes in outputs.items()}))
    write_cases(folder, cases, onnxruntime=onnxruntime.__version__)
    print(name)


def export(name: str, module: nn.Module, given: Callable[[int], dict[str, Array]], inputs: dict[str, Axes],
           outputs: dict[str, Axes], lengths: tuple[int, ...] = LENGTHS, batch: bool = True, dynamo: bool = True,
           states: dict[str, Axes] | None = None) -> None:
    """Exports a module by both exporters."""
    if WANTED and name not in WANTED:
        return
    torch.manual_seed(5)
    module.eval()
    example = given(lengths[1] if len(lengths) > 1 else lengths[0])
    args = tuple(torch.from_numpy(np.repeat(a, 2, axes.index("B")) if batch and "B" in axes else a)
                 for a, axes in ((example[k], inputs.get(k, "B")) for k in example))
    known = inputs | (states or {})
    open_axes = {key: {i: letter.lower() for i, letter in enumerate(known.get(key, "B")) if letter in "BT"}
                 for key in example} if len(lengths) > 1 else {}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.onnx"
        axes = open_axes | {key: {i: letter.lower() for i, letter in enumerate(a) if letter in "BT"}
                            for key, a in outputs.items()} if open_axes else None
        torch.onnx.export(module, args, str(path), dynamo=False, input_names=list(example), output_names=list(outputs),
                          dynamic_axes=axes, opset_version=17)
        write(f"{name}_script", onnx.load(path), given, inputs, outputs, lengths)
        if not dynamo:
            return
        dynamic = (tuple({i: torch.export.Dim.DYNAMIC for i in a} for a in open_axes.values()),) if open_axes else None
        options = {"dynamo": True, "input_names": list(example), "output_names": list(outputs), "verbose": False,
                   "external_data": False}
        try:
            torch.onnx.export(module, args, str(path), dynamic_shapes=dynamic, **options)
            write(f"{name}_dynamo", onnx.load(path), given, inputs, outputs, lengths)
        except (torch.onnx.errors.OnnxExporterError, onnxruntime.capi.onnxruntime_pybind11_state.Fail):
            # This release fixes the steps of a recurrent network, or says that they are open and bakes them in.
            args = tuple(torch.from_numpy(a) for a in example.values())
            torch.onnx.export(module, args, str(path), **options)
            write(f"{name}_dynamo", onnx.load(path), given, inputs, outputs, (lengths[min(1, len(lengths) - 1)],))


def ids(size: int = 11) -> Callable[[int], dict[str, Array]]:
    return lambda length: {"ids": RANDOM.integers(0, size, (1, length))}


def features(size: int, *, first: str = "B") -> Callable[[int], dict[str, Array]]:
    return lambda length: {"x": random(*((1, length, size) if first == "B" else (length, 1, size)))}


class Net(nn.Module):
    """A module whose forward is a function of itself and its inputs."""

    def __init__(self, forward: Callable[..., object], **parts: nn.Module) -> None:
        super().__init__()
        self.function = forward
        for key, part in parts.items():
            setattr(self, key, part)

    def forward(self, *inputs: Tensor) -> object:
        return self.function(self, *inputs)


def lstm(inputs: int, **options: object) -> nn.LSTM:
    return nn.LSTM(inputs, 5, **({"batch_first": True} | options))


def torch_models() -> None:
    torch.manual_seed(3)
    step, vector = {"y": "BTF"}, {"y": "BF"}
    x, tokens = {"x": "BTF"}, {"ids": "BT"}
    export("tagger", Net(lambda m, i: m.fc(m.lstm(m.e(i))[0]), e=nn.Embedding(11, 4),
                         lstm=lstm(4, num_layers=2, bidirectional=True), fc=nn.Linear(10, 3)), ids(), tokens, step)
    export("last_hidden", Net(lambda m, v: m.fc(m.lstm(v)[1][0][-1]), lstm=lstm(4, num_layers=2), fc=nn.Linear(5, 3)),
           features(4), x, vector)
    export("both_hidden", Net(lambda m, v: torch.cat((m.lstm(v)[1][0][-2], m.lstm(v)[1][0][-1]), 1),
                              lstm=lstm(4, bidirectional=True)), features(4), x, vector)
    export("last_step", Net(lambda m, v: torch.log_softmax(m.fc(m.lstm(v)[0][:, -1]), -1), lstm=lstm(4),
                            fc=nn.Linear(5, 3)), features(4), x, vector)
    export("time_first", Net(lambda m, v: m.fc(torch.relu(m.gru(v)[0])), gru=nn.GRU(4, 5, bidirectional=True),
                             fc=nn.Linear(10, 3)), features(4, first="T"), {"x": "TBF"}, {"y": "TBF"})
    export("relu_rnn", Net(lambda m, v: m.rnn(v)[0], rnn=nn.RNN(4, 5, 2, nonlinearity="relu", batch_first=True)),
           features(4), x, step)
    export("pools", Net(lambda m, v: torch.cat((m.lstm(v)[0].mean(1), m.lstm(v)[0].amax(1)), -1), lstm=lstm(4)),
           features(4), x, vector)
    export("conv", Net(lambda m, v: m.lstm(m.pool(torch.relu(m.bn(m.conv(v.transpose(1, 2))))).transpose(1, 2))[0],
                       conv=nn.Conv1d(4, 6, 3, padding=1), bn=nn.BatchNorm1d(6), pool=nn.MaxPool1d(2), lstm=lstm(6)),
           features(4), x, step)
    export("causal_conv", Net(lambda m, v: m.lstm(m.conv(F.pad(v.transpose(1, 2), (4, 0))).transpose(1, 2))[0],
                              conv=nn.Conv1d(4, 6, 3, dilation=2), lstm=lstm(6)), features(4), x, step)
    export("channels_first", Net(lambda m, v: m.lstm(torch.relu(m.conv(v)).transpose(1, 2))[0],
                                 conv=nn.Conv1d(4, 6, 3, padding=1), lstm=lstm(6)),
           lambda length: {"x": random(1, 4, length)}, {"x": "BFT"}, step, dynamo=False)
    export("strided_conv", Net(lambda m, v: m.lstm(m.conv(v.transpose(1, 2)).transpose(1, 2))[0][:, -1],
                               conv=nn.Conv1d(4, 6, 3, stride=2, padding=2), lstm=lstm(6)), features(4), x, vector)

    def attention_pool(m: Net, v: Tensor) -> Tensor:
        h = m.lstm(v)[0]
        return (torch.softmax(m.score(torch.tanh(m.hidden(h))), 1) * h).sum(1)

    export("attention_pool", Net(attention_pool, lstm=lstm(4), hidden=nn.Linear(5, 5), score=nn.Linear(5, 1)),
           features(4), x, vector)

    def attention_product(m: Net, v: Tensor) -> Tensor:
        h = m.lstm(v)[0]
        return torch.bmm(torch.softmax(m.score(h), 1).transpose(1, 2), h).squeeze(1)

    export("attention_product", Net(attention_product, lstm=lstm(4), score=nn.Linear(5, 1)), features(4), x, vector)

    def dot_attention(m: Net, v: Tensor) -> Tensor:
        h = m.lstm(v)[0]
        q, k = m.q(h), m.k(h)
        return torch.softmax(q @ k.transpose(1, 2) / 5 ** 0.5, -1) @ m.v(h)

    export("dot_attention", Net(dot_attention, lstm=lstm(4), q=nn.Linear(5, 5), k=nn.Linear(5, 5), v=nn.Linear(5, 5)),
           features(4), x, step)

    def additive_attention(m: Net, v: Tensor) -> Tensor:
        h = m.lstm(v)[0]
        scores = m.v(torch.tanh(m.q(h).unsqueeze(2) + m.k(h).unsqueeze(1) + m.b)).squeeze(-1)
        return torch.bmm(torch.softmax(scores, -1), h) + h

    export("additive_attention", Net(additive_attention, lstm=lstm(4), q=nn.Linear(5, 6), k=nn.Linear(5, 6, bias=False),
                                     v=nn.Linear(6, 1), b=nn.Parameter(torch.randn(6))), features(4), x, step)

    def summed_scores(m: Net, v: Tensor) -> Tensor:
        h = m.lstm(v)[0]
        scores = (torch.tanh(m.k(h).unsqueeze(1) + m.q(h).unsqueeze(2)) * m.v).sum(-1) / 2
        return torch.bmm(torch.softmax(scores, -1), m.w(h))

    export("summed_scores", Net(summed_scores, lstm=lstm(4), q=nn.Linear(5, 6), k=nn.Linear(5, 6), w=nn.Linear(5, 3),
                                v=nn.Parameter(torch.randn(6))), features(4), x, step)

    def query_attention(m: Net, v: Tensor) -> Tensor:
        h, (last, _) = m.lstm(v)
        weights = torch.softmax(torch.bmm(h, last[-1].unsqueeze(2)), 1)
        return torch.cat((torch.bmm(h.transpose(1, 2), weights).squeeze(2), last[-1]), 1)

    export("query_attention", Net(query_attention, lstm=lstm(4)), features(4), x, vector)
    export("heads", Net(lambda m, v: m.a(m.lstm(v)[0], m.lstm(v)[0], m.lstm(v)[0], need_weights=False)[0],
                        lstm=nn.LSTM(4, 6, batch_first=True), a=nn.MultiheadAttention(6, 2, batch_first=True)),
           features(4), x, step)
    export("activations", Net(
        lambda m, v: torch.cat([f(m.a(v)) for f in (
            F.gelu, F.silu, F.hardswish, F.mish, F.elu, F.leaky_relu, F.softplus, F.hardtanh, F.selu, F.softsign,
            torch.abs, lambda t: t ** 2, lambda t: torch.exp(t).sqrt(), lambda t: 2 - t, lambda t: 1 / (t.abs() + 1),
            lambda t: F.gelu(t, approximate="tanh"))], -1), a=nn.Linear(4, 3)), features(4), x, step)
    def letters(length: int) -> dict[str, Array]:
        return {"ids": RANDOM.integers(0, 9, (1, length)), "letters": RANDOM.integers(0, 7, (1, length, 5))}

    def words(m: Net, i: Tensor, c: Tensor) -> Tensor:
        batch, steps = i.shape
        e = m.e(c).view(batch * steps, 5, 3).transpose(1, 2)
        return m.lstm(torch.cat((m.w(i), torch.relu(m.conv(e)).amax(2).view(batch, steps, 4), m.e(c[..., 0])), -1))[0]

    export("letters", Net(words, w=nn.Embedding(9, 2), e=nn.Embedding(7, 3), conv=nn.Conv1d(3, 4, 3, padding=1), lstm=lstm(9)),
           letters, tokens | {"letters": "BTF"}, step)
    export("time2vec", Net(lambda m, v: m.lstm(torch.cat((v, torch.sin(m.a(v)), torch.cos(m.a(v) * 3)), -1))[0],
                           a=nn.Linear(4, 3), lstm=lstm(10)), features(4), x, step)
    export("norms", Net(lambda m, v: m.g(m.ln(m.lstm(v)[0]).flatten(0, 1)).reshape(v.shape[0], -1, 6), ln=nn.LayerNorm(6),
                        lstm=nn.LSTM(4, 6, batch_first=True), g=nn.GroupNorm(2, 6)), features(4), x, step)

    def frames(m: Net, v: Tensor) -> Tensor:
        batch, steps = v.shape[:2]
        inner = m.pool(torch.relu(m.conv(v.reshape(batch * steps, 1, 9))))
        return m.fc(m.lstm(m.inner(inner.reshape(batch, steps, -1)))[0]).transpose(1, 2)

    export("frames", Net(frames, conv=nn.Conv1d(1, 2, 3), pool=nn.MaxPool1d(2), inner=nn.Linear(6, 5),
                         lstm=lstm(5), fc=nn.Linear(5, 3)), features(9), x, {"y": "BFT"})
    export("spectrum", Net(
        lambda m, v: m.lstm(torch.relu(m.conv(v.unsqueeze(1))).permute(0, 2, 1, 3).flatten(2))[0],
        conv=nn.Conv2d(1, 3, (3, 3), padding=(1, 1), stride=(1, 2)), lstm=lstm(12)), features(8), x, step)
    export("residual", Net(lambda m, v: m.ln(m.lstm(m.a(v))[0] + m.a(v)) * torch.sigmoid(m.gate(v)), a=nn.Linear(4, 5),
                           lstm=lstm(5), ln=nn.LayerNorm(5), gate=nn.Linear(4, 5)), features(4), x, step)
    export("steps", Net(lambda m, v: m.lstm(torch.flip(v, (1,)))[0][:, 1::2], lstm=lstm(4)), features(4), x, step)
    export("split", Net(lambda m, v: torch.stack((m.fc(v)[..., :3], m.fc(v)[..., 3:]), -1).amax(-1)
                        + m.fc(v).chunk(2, -1)[1].mean(-1, keepdim=True), fc=nn.Linear(4, 6)), features(4), x, step)
    export("repeat", Net(lambda m, v: m.fc(m.d(m.e(v)[1][0][-1].unsqueeze(1).repeat(1, v.shape[1], 1))[0]),
                         e=lstm(4), d=lstm(5), fc=nn.Linear(5, 4)), features(4), x, step)
    export("two_inputs", Net(lambda m, i, v: m.lstm(torch.cat((m.e(i), v), -1))[0], e=nn.Embedding(11, 3), lstm=lstm(7)),
           lambda length: ids()(length) | features(4)(length), tokens | x, step)

    def packed(m: Net, i: Tensor, lengths: Tensor) -> Tensor:
        rows = nn.utils.rnn.pack_padded_sequence(m.e(i), lengths, batch_first=True, enforce_sorted=False)
        return m.fc(nn.utils.rnn.pad_packed_sequence(m.lstm(rows)[0], batch_first=True)[0])

    export("packed", Net(packed, e=nn.Embedding(11, 4), lstm=lstm(4, bidirectional=True), fc=nn.Linear(10, 3)),
           lambda length: ids()(length) | {"lengths": np.array([length])}, tokens, step, dynamo=False)

    def cells(m: Net, v: Tensor) -> Tensor:
        state = None
        for one in v.unbind(1):
            state = m.cell(one, state)
        return state[0]

    export("cells", Net(cells, cell=nn.LSTMCell(4, 5)), features(4), x, vector, lengths=(3,), batch=False)
    def streaming(m: Net, v: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        y, states = m.lstm(v, (h, c))
        return m.fc(y), *states

    first = nn.ParameterList(torch.randn(2, 1, 5) for _ in range(2))
    export("learned_states", Net(lambda m, v: m.lstm(v, tuple(s.expand(-1, v.shape[0], -1).contiguous() for s in m.first))[0],
                                 lstm=lstm(4, bidirectional=True), first=first), features(4), x, step)
    export("one_hot", Net(lambda m, i: m.gru(F.one_hot(i, 11).float())[0], gru=nn.GRU(11, 5, batch_first=True)), ids(),
           tokens, step)
    def largest(m: Net, i: Tensor) -> tuple[Tensor, Tensor]:
        scores = m.fc(m.lstm(m.e(i))[0])
        return scores, scores.argmax(-1)

    export("largest", Net(largest, e=nn.Embedding(11, 4), lstm=lstm(4), fc=nn.Linear(5, 3)), ids(), tokens, step)
    def padded(length: int) -> dict[str, Array]:
        return {"ids": np.pad(RANDOM.integers(1, 11, (1, length)), ((0, 0), (0, 2)))}

    def masked_mean(m: Net, i: Tensor) -> Tensor:
        mask = (i != 0).unsqueeze(-1).float()
        return (m.gru(m.e(i))[0] * mask).sum(1) / mask.sum(1).clamp(min=1e-9)

    def masked_attention(m: Net, i: Tensor) -> Tensor:
        h = m.gru(m.e(i))[0]
        weights = torch.softmax(m.score(h).squeeze(-1).masked_fill(i == 0, float("-inf")), 1)
        return (h * weights.unsqueeze(-1)).sum(1)

    gru = {"gru": nn.GRU(4, 5, batch_first=True), "e": nn.Embedding(11, 4, padding_idx=0)}
    export("masked_mean", Net(masked_mean, **gru), padded, tokens, vector)
    export("masked_attention", Net(masked_attention, score=nn.Linear(5, 1), **gru), padded, tokens, vector)
    more_torch_models()
    # A streaming model: states go in and come out, each call has some steps.
    export("streaming", Net(streaming, lstm=lstm(4, num_layers=2),
                            fc=nn.Linear(5, 3)),
           lambda length: features(4)(length) | {"h": np.zeros((2, 1, 5), np.float32), "c": np.zeros((2, 1, 5), np.float32)},
           x, step, batch=False, states={"h": "LBF", "c": "LBF"})
    # The same with the batch in front of the layers' states.
    def turned(m: Net, v: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        y, states = m.lstm(v, (h.transpose(0, 1).contiguous(), c.transpose(0, 1).contiguous()))
        return m.fc(y), *(s.transpose(0, 1) for s in states)

    def chosen(m: Net, v: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        y, first = m.first(v, h[:, 0].unsqueeze(0))
        y, second = m.second(y, h[:, 1].unsqueeze(0))
        return m.fc(y), torch.stack((first[0], second[0]), 1)

    def beside(*names: str) -> Callable[[int], dict[str, Array]]:
        return lambda length: features(4)(length) | {name: np.zeros((1, 2, 5), np.float32) for name in names}

    export("turned_states", Net(turned, lstm=lstm(4, num_layers=2), fc=nn.Linear(5, 3)), beside("h", "c"), x, step,
           batch=False, dynamo=False, states={"h": "BLF", "c": "BLF"})
    export("chosen_states", Net(chosen, first=nn.GRU(4, 5, batch_first=True), second=nn.GRU(5, 5, batch_first=True),
                                fc=nn.Linear(5, 3)), beside("h"), x, step, batch=False, dynamo=False, states={"h": "BLF"})
    # The same with the last steps of the call before, as convolutions of streaming models read them.
    def cached(m: Net, v: Tensor, first: Tensor, second: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        given = torch.cat((first, v.transpose(1, 2)), 2)
        made = torch.relu(m.first(given))
        joined = torch.cat((second, made), 2)
        y, state = m.gru(torch.relu(m.second(joined)).transpose(1, 2), h)
        return m.fc(y), given[:, :, -2:], joined[:, :, joined.shape[2] - 4:], state

    export("cached", Net(cached, first=nn.Conv1d(4, 6, 3), second=nn.Conv1d(6, 4, 3, dilation=2), fc=nn.Linear(5, 3),
                         gru=nn.GRU(4, 5, batch_first=True)),
           lambda length: features(4)(length) | {"c": np.zeros((1, 4, 2), np.float32), "d": np.zeros((1, 6, 4), np.float32),
                                                 "h": np.zeros((1, 1, 5), np.float32)},
           x, step, batch=False, states={"c": "BFF", "d": "BFF", "h": "LBF"})
    # A state that is computed with on its way to the next call, and a vector that is no state.
    def decayed(m: Net, v: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        y, state = m.gru(v, torch.tanh(m.first(h)).unsqueeze(0))
        return m.fc(y), 0.9 * state[0]

    conditioned = lambda length: features(4)(length) | {"h": random(1, 5)}  # noqa: E731
    parts = {"gru": nn.GRU(4, 5, batch_first=True), "first": nn.Linear(5, 5), "fc": nn.Linear(5, 3)}
    export("decayed_state", Net(decayed, **parts), conditioned, x | {"h": "BF"}, step | {"next": "BF"})
    def half_decayed(m: Net, v: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y, (hidden, cell) = m.lstm(v, (h.unsqueeze(0), c.unsqueeze(0)))
        return m.fc(y), 0.9 * hidden[0], cell[0]

    export("half_decayed", Net(half_decayed, lstm=lstm(4), fc=nn.Linear(5, 3)),
           lambda length: features(4)(length) | {"h": random(1, 5), "c": random(1, 5)}, x | {"h": "BF", "c": "BF"},
           step | {"next": "BF", "cell": "BF"})
    export("conditioned", Net(lambda m, v, h: decayed(m, v, h)[0], **parts), conditioned, x | {"h": "BF"}, step)


def more_torch_models() -> None:
    """As people export them who think of one example: with its sizes baked in, from a vector, step by step."""
    x, vector, step = {"x": "BTF"}, {"y": "BF"}, {"y": "BTF"}
    channels = lambda length: {"x": random(1, 4, length)}  # noqa: E731
    front = nn.Sequential(nn.Conv1d(4, 6, 3, padding=1), nn.BatchNorm1d(6), nn.ReLU(), nn.MaxPool1d(2))
    export("fixed_conv", Net(lambda m, v: m.fc(m.lstm(m.front(v).permute(0, 2, 1))[0][:, -1]), front=front, lstm=lstm(6),
                             fc=nn.Linear(5, 3)), channels, {"x": "BFT"}, vector, lengths=(12,), batch=False)
    export("fixed_pools", Net(lambda m, v: torch.cat((F.adaptive_avg_pool1d(m.lstm(v)[0].permute(0, 2, 1), 1).squeeze(-1),
                                                      F.adaptive_max_pool1d(m.lstm(v)[0].permute(0, 2, 1), 1).flatten(1)), 1),
                              lstm=lstm(4)), features(4), x, vector, lengths=(7,), batch=False)
    # Linear layers with a matrix for each group of elements, as DeepFilterNet's are.
    def grouped(m: Net, v: Tensor) -> Tensor:
        y = torch.einsum("btgi,gih->btgh", m.gru(v)[0].unflatten(2, (3, 2)), m.first)
        return torch.matmul(m.second, y.relu().unsqueeze(-1)).flatten(2)

    export("grouped", Net(grouped, gru=nn.GRU(4, 6, batch_first=True), first=nn.Parameter(torch.randn(3, 2, 4)),
                          second=nn.Parameter(torch.randn(3, 2, 4))), features(4), x, step)
    export("einsum", Net(lambda m, v: torch.einsum("bt,bth->bh", torch.softmax(torch.einsum(
        "bth,h->bt", torch.tanh(m.lstm(v)[0]), m.query[0]), 1), m.lstm(v)[0]), lstm=lstm(4),
        query=nn.ParameterList([torch.randn(5)])), features(4), x, vector)
    export("heads_pool", Net(lambda m, v: torch.bmm(torch.softmax(m.score(m.lstm(v)[0]), 1).transpose(1, 2),
                                                    m.lstm(v)[0]).flatten(1), lstm=lstm(4), score=nn.Linear(5, 3)),
           features(4), x, vector)
    export("softmax_over_steps", Net(lambda m, v: m.fc(torch.softmax(m.lstm(v)[0], 1) * m.lstm(v)[0]), lstm=lstm(4),
                                     fc=nn.Linear(5, 3)), features(4), x, step)
    export("heads_averaged", Net(lambda m, v: m.a(m.lstm(v)[0], m.lstm(v)[0], m.lstm(v)[0])[0],
                                 lstm=nn.LSTM(4, 6, batch_first=True), a=nn.MultiheadAttention(6, 2, batch_first=True)),
           features(4), x, step, dynamo=False)
    table = lambda length: {"x": random(1, 8)}  # noqa: E731
    export("vector_steps", Net(lambda m, v: m.fc(m.lstm(torch.relu(m.a(v)).view(-1, 3, 4))[0][:, -1]), a=nn.Linear(8, 12),
                               lstm=lstm(4, bidirectional=True), fc=nn.Linear(10, 2)), table, {"x": "BF"}, vector)
    export("one_step", Net(lambda m, v: m.fc(m.lstm(v.unsqueeze(1))[0][:, -1]), lstm=lstm(8, num_layers=2),
                           fc=nn.Linear(5, 2)), table, {"x": "BF"}, vector)

    def forecast(m: Net, v: Tensor) -> Tensor:
        state = m.encoder(v)[1]
        one, found = v[:, -1:], []
        for _ in range(3):
            out, state = m.decoder(one, state)
            one = m.fc(out)
            found.append(one)
        return torch.cat(found, 1).flatten(1)

    export("forecast", Net(forecast, encoder=lstm(4), decoder=lstm(4), fc=nn.Linear(5, 4)), features(4), x, vector, dynamo=False)
    # A batch of one, whose axis looks like that of the one step.
    export("forecast_one", Net(forecast, encoder=lstm(4), decoder=lstm(4), fc=nn.Linear(5, 4)), features(4), x, vector,
           lengths=(7,), batch=False)

    def masked(m: Net, i: Tensor, mask: Tensor) -> Tensor:
        weights = mask.unsqueeze(-1).float()
        return (m.gru(m.e(i))[0] * weights).sum(1) / weights.sum(1).clamp(min=1e-9)

    export("mask_input", Net(masked, gru=nn.GRU(4, 5, batch_first=True), e=nn.Embedding(11, 4)),
           lambda length: ids()(length) | {"mask": RANDOM.integers(0, 2, (1, length))}, {"ids": "BT", "mask": "BT"}, vector)

    def at_length(m: Net, v: Tensor, lengths: Tensor) -> Tensor:
        h = m.lstm(v)[0]
        mask = (torch.arange(v.shape[1])[None] < lengths[:, None]).unsqueeze(-1).float()
        return torch.cat((h[torch.arange(v.shape[0]), lengths - 1], (h * mask).sum(1)), 1)

    export("at_length", Net(at_length, lstm=lstm(4)), lambda length: features(4)(length) | {"lengths": np.array([length])},
           x, vector, dynamo=False)

    def attend_to_lengths(m: Net, v: Tensor, lengths: Tensor) -> Tensor:
        padding = torch.arange(v.shape[1])[None] >= lengths[:, None]
        return m.lstm(m.attention(v, v, v, key_padding_mask=padding, need_weights=False)[0])[0]

    export("attention_at_lengths", Net(attend_to_lengths, lstm=lstm(4), attention=nn.MultiheadAttention(4, 2, batch_first=True)),
           lambda length: features(4)(length) | {"lengths": np.array([length])}, x, step, lengths=(7,), batch=False)


def node_model(op: str, size: int, directions: str, *, layout: int = 0, biases: bool = True, peepholes: bool = False,
               states: bool = False, **attributes: object) -> tuple[onnx.ModelProto, dict[str, Axes]]:
    """A model of one recurrent node."""
    gates, count = {"LSTM": 4, "GRU": 3, "RNN": 1}[op], 2 if directions == "bidirectional" else 1
    tensors = {"W": random(count, gates * size, 4), "R": random(count, gates * size, size)}
    if biases:
        tensors["B"] = random(count, 2 * gates * size)
    if peepholes:
        tensors["P"] = random(count, 3 * size)
    if states:
        shape = (1, count, size) if layout else (count, 1, size)
        tensors |= {"h0": random(*shape)} | ({"c0": random(*shape)} if op == "LSTM" else {})
    names = ["x", "W", "R", "B" if biases else "", "", "h0" if states else "", "c0" if states and op == "LSTM" else "",
             "P" if peepholes else ""][: 8 if op == "LSTM" else 6]
    outputs = {"y": "BTDF" if layout else "TDBF", "h": "BDF" if layout else "DBF"}
    if op == "LSTM":
        outputs["c"] = outputs["h"]
    node = helper.make_node(op, names, list(outputs), hidden_size=size, direction=directions, layout=layout, **attributes)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", "t", 4] if layout else ["t", "b", 4])
    graph = helper.make_graph([node], "g", [x], [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs],
                              [numpy_helper.from_array(array, key) for key, array in tensors.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), outputs


def lengths_of_examples() -> None:
    """What PyTorch makes of the number of steps: windows, steps from the end, rows of positions."""
    x, step, vector = {"x": "BTF"}, {"y": "BTF"}, {"y": "BF"}
    export("adaptive_means", Net(lambda m, v: m.pool(m.lstm(v)[0].transpose(1, 2)).transpose(1, 2).flatten(1), lstm=lstm(4),
                                 pool=nn.AdaptiveAvgPool1d(3)), features(4), x, vector, (12,), batch=False)
    export("adaptive_largest", Net(lambda m, v: m.pool(m.lstm(v)[0].transpose(1, 2)).mean(-1), lstm=lstm(4),
                                   pool=nn.AdaptiveMaxPool1d(4)), features(4), x, vector, (12,), batch=False)
    export("both_ends", Net(lambda m, v: m.lstm(v)[0][:, [0, -1]].flatten(1), lstm=lstm(4)), features(4), x, vector)
    export("last_but_one", Net(lambda m, v: m.lstm(v)[0][:, -2], lstm=lstm(4)), features(4), x, vector, dynamo=False)
    positions = Net(lambda m, v: m.lstm(v + m.table.weight[None, :v.size(1)])[0], lstm=lstm(4), table=nn.Embedding(16, 4))
    export("rows_of_positions", positions, features(4), x, step, dynamo=False)
    if not WANTED or "deviation" in WANTED:
        # Behind nn.LSTM this release writes the example's length as numbers, with dynamic axes too: it is right for that alone.
        torch.manual_seed(5)
        module = Net(lambda m, v: m.lstm(v)[0].std(1), lstm=lstm(4)).eval()
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(module, (torch.randn(2, 7, 4),), f"{folder}/model.onnx", input_names=["x"], output_names=["y"],
                              dynamic_shapes=(({0: torch.export.Dim("b"), 1: torch.export.Dim("t")},),), dynamo=True,
                              verbose=False, external_data=False)
            write("deviation_dynamo", onnx.load(f"{folder}/model.onnx"), features(4), x, vector, (7,))


def nodes() -> None:
    acts = ["HardSigmoid", "Softsign", "ScaledTanh"]
    models = {
        "lstm_peepholes": node_model("LSTM", 5, "bidirectional", peepholes=True, states=True),
        "lstm_clip": node_model("LSTM", 5, "reverse", clip=0.3, input_forget=1),
        "lstm_activations": node_model("LSTM", 5, "bidirectional", activations=acts + ["Sigmoid", "Relu", "Elu"],
                                       activation_alpha=[0.3, 0.8, 0.7], activation_beta=[0.4, 1.2]),
        "lstm_bare": node_model("LSTM", 5, "forward", biases=False),
        "gru_before": node_model("GRU", 5, "bidirectional", states=True),
        "gru_after": node_model("GRU", 5, "forward", linear_before_reset=1, clip=0.5),
        "gru_activations": node_model("GRU", 5, "forward", activations=["HardSigmoid", "Affine"],
                                      activation_alpha=[0.2, 1.5], activation_beta=[0.5, 0.1]),
        "rnn_reverse": node_model("RNN", 5, "reverse", activations=["LeakyRelu"], activation_alpha=[0.1]),
    }
    for name, (model, outputs) in models.items():
        if WANTED and name not in WANTED:
            continue
        write(name, model, features(4, first="T"), {"x": "TBF"}, outputs)


def written(nodes: list[onnx.NodeProto], inputs: dict[str, tuple[int, list[object]]], **tensors: Array) -> onnx.ModelProto:
    """A model that is written node by node, with an output y."""
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info(key, *form) for key, form in inputs.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, key) for key, array in tensors.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def tables() -> None:
    """Embeddings as other tools than PyTorch write them: in 8 bits, with ids that may count from the end, with floats as ids."""
    node = helper.make_node
    table, scale = random(11, 4), np.float32(0.02)
    recurrent = [node("Transpose", ["e"], ["t"], perm=[1, 0, 2]), node("LSTM", ["t", "W", "R"], ["h"], hidden_size=5),
                 node("Squeeze", ["h", "one"], ["s"]), node("Transpose", ["s"], ["y"], perm=[1, 0, 2])]
    weights = {"W": random(1, 20, 4), "R": random(1, 20, 5), "one": np.array([1])}
    eight = {"table": RANDOM.integers(0, 256, (11, 4)).astype(np.uint8), "scale": scale, "zero": np.uint8(131)}
    columns = {"table": eight["table"], "scale": random(4) ** 2, "zero": RANDOM.integers(100, 150, 4).astype(np.uint8)}
    ids_of, floats_of = {"ids": (TensorProto.INT32, ["b", "t"])}, {"ids": (TensorProto.FLOAT, ["b", "t"])}
    quantized = [node("Gather", ["table", "ids"], ["q"]), node("DequantizeLinear", ["q", "scale", "zero"], ["e"])]
    by_column = [quantized[0], node("DequantizeLinear", ["q", "scale", "zero"], ["e"], axis=2)]
    wrapped = [node("Add", ["ids", "size"], ["more"]), node("Cast", ["ids"], ["f"], to=TensorProto.FLOAT),
               node("Less", ["f", "zero"], ["low"]), node("Not", ["low"], ["high"]),
               node("Cast", ["low"], ["l"], to=TensorProto.INT32), node("Cast", ["high"], ["g"], to=TensorProto.INT32),
               node("Mul", ["l", "more"], ["a"]), node("Mul", ["ids", "g"], ["b"]), node("Add", ["a", "b"], ["i"]),
               node("Gather", ["table", "i"], ["e"])]
    wrap = {"table": table, "size": np.int32(11), "zero": np.float32(0)}
    whole = [node("Cast", ["ids"], ["i"], to=TensorProto.INT32), node("Add", ["i", "two"], ["j"]),
             node("Gather", ["table", "j"], ["e"])]
    made = {
        "table_of_bytes": (quantized, ids_of, eight), "table_of_columns": (by_column, ids_of, columns),
        "ids_from_the_end": (wrapped, ids_of, wrap),
        "ids_as_floats": (whole, floats_of, {"table": random(13, 4), "two": np.int32(2)}),
    }
    for name, (before, inputs, constants) in made.items():
        if WANTED and name not in WANTED:
            continue
        kind = np.int32 if inputs is ids_of else np.float32
        model = written(before + recurrent, inputs, **weights, **constants)
        write(name, model, lambda length: {"ids": RANDOM.integers(0, 11, (1, length)).astype(kind)}, {"ids": "BT"},
                       {"y": "BTF"})


def scaled() -> None:
    """A scaler of scikit-learn as skl2onnx writes it, of rows, before a network."""
    if WANTED and "scaled" not in WANTED:
        return
    node = helper.make_node
    nodes = [node("Reshape", ["x", "rows"], ["r"]),
             node("Scaler", ["r"], ["z"], domain="ai.onnx.ml", offset=[0.5, -1.0, 0.25, 2.0], scale=[2.0, 0.5, 1.5, 0.1]),
             node("Shape", ["x"], ["shape"]), node("Reshape", ["z", "shape"], ["e"]),
             node("Transpose", ["e"], ["t"], perm=[1, 0, 2]), node("LSTM", ["t", "W", "R"], ["h"], hidden_size=5),
             node("Squeeze", ["h", "one"], ["s"]), node("Transpose", ["s"], ["y"], perm=[1, 0, 2])]
    model = written(nodes, {"x": (TensorProto.FLOAT, ["b", "t", 4])}, W=random(1, 20, 4), R=random(1, 20, 5),
                    one=np.array([1]), rows=np.array([-1, 4]))
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
    write("scaled", model, features(4), {"x": "BTF"}, {"y": "BTF"})


def vectors() -> None:
    """Two layers of a vector, without a sequence: a question is a sequence of one step."""
    if WANTED and "vectors" not in WANTED:
        return
    folder = ROOT / "vectors"
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {"W": random(4, 6), "b": random(6), "V": random(6, 3)}
    nodes = [helper.make_node("Gemm", ["x", "W", "b"], ["h"]), helper.make_node("Tanh", ["h"], ["t"]),
             helper.make_node("MatMul", ["t", "V"], ["y"])]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["b", 3])],
        [numpy_helper.from_array(a, k) for k, a in tensors.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), folder / "model.onnx")
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    given = [random(1, 4) for _ in range(3)]
    write_cases(folder, [case({"x": x}, {"y": session.run(None, {"x": x})[0][0]}) for x in given],
                onnxruntime=onnxruntime.__version__)
    print("vectors")


def pair() -> None:
    """An encoder and a decoder in two files, as Keras's lstm_seq2seq is exported: tokens are rows with one 1."""
    size, tokens = 5, 6
    folder = FIXTURES / "onnx_pairs" / "speller"
    folder.mkdir(parents=True, exist_ok=True)

    def value(name: str, *shape: object) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))

    def save(name: str, nodes: list[onnx.NodeProto], inputs: list[onnx.ValueInfoProto],
             outputs: list[onnx.ValueInfoProto], tensors: dict[str, Array]) -> onnxruntime.InferenceSession:
        tensors["zero"] = np.array([0])
        graph = helper.make_graph(nodes, "g", inputs, outputs, [numpy_helper.from_array(a, k) for k, a in tensors.items()])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), folder / f"{name}.onnx")
        return onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), providers=["CPUExecutionProvider"])

    def weights(inputs: int) -> dict[str, Array]:
        return {"W": random(1, 4 * size, inputs), "R": random(1, 4 * size, size), "B": random(1, 8 * size)}

    states = [helper.make_node("Squeeze", ["yh", "zero"], ["h"]), helper.make_node("Squeeze", ["yc", "zero"], ["c"])]
    encoder = save("encoder", [helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
                               helper.make_node("LSTM", ["t", "W", "R", "B"], ["", "yh", "yc"], hidden_size=size), *states],
                   [value("x", "b", "t", 4)], [value("h", "b", size), value("c", "b", size)], weights(4))
    decoder = save("decoder", [helper.make_node("Unsqueeze", ["h_in", "zero"], ["h0"]),
                               helper.make_node("Unsqueeze", ["c_in", "zero"], ["c0"]),
                               helper.make_node("Transpose", ["token"], ["t"], perm=[1, 0, 2]),
                               helper.make_node("LSTM", ["t", "W", "R", "B", "", "h0", "c0"], ["ys", "yh", "yc"], hidden_size=size),
                               helper.make_node("Squeeze", ["ys", "one"], ["s"]),
                               helper.make_node("Transpose", ["s"], ["m"], perm=[1, 0, 2]),
                               helper.make_node("MatMul", ["m", "D"], ["logits"]),
                               helper.make_node("Softmax", ["logits"], ["y"], axis=-1), *states],
                   [value("token", "b", "n", tokens), value("h_in", "b", size), value("c_in", "b", size)],
                   [value("y", "b", "n", tokens), value("h", "b", size), value("c", "b", size)],
                   weights(tokens) | {"D": random(size, tokens), "one": np.array([1])})
    cases = []
    for length in LENGTHS:
        x, ids = random(1, length, 4), RANDOM.integers(0, tokens, (1, 5))
        h, c = encoder.run(None, {"x": x})
        rows = []
        for token in ids[0]:
            y, h, c = decoder.run(None, {"token": np.eye(tokens, dtype=np.float32)[[[token]]], "h_in": h, "c_in": c})
            rows.append(y[0, 0])
        cases.append(case({"x": x[0], "token": ids[0]}, {"y": np.stack(rows)}))
    write_cases(folder, cases, onnxruntime=onnxruntime.__version__)


def attending_pair() -> None:
    """An encoder, and decoders of a token a call that attend to its steps: with the answer of their network, and with its state."""
    size, tokens = 5, 6
    folder = FIXTURES / "onnx_pairs" / "attending"
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)

    def encode(m: Net, i: Tensor) -> tuple[Tensor, ...]:
        steps, states = m.lstm(m.e(i))
        return steps, *states

    def decode(m: Net, token: Tensor, h: Tensor, c: Tensor, steps: Tensor) -> tuple[Tensor, ...]:
        y, states = m.lstm(m.e(token), (h, c))
        y = torch.cat((y, torch.softmax(y @ steps.transpose(1, 2), -1) @ steps), -1)
        return m.fc(y.squeeze(1)), *states

    def decode_by_state(m: Net, token: Tensor, h: Tensor, c: Tensor, steps: Tensor) -> tuple[Tensor, ...]:
        weights = torch.softmax(m.v(torch.tanh(m.w(h[-1]).unsqueeze(1) + m.u(steps))), 1)
        y, states = m.lstm(torch.cat((m.e(token), (weights * steps).sum(1, keepdim=True)), -1), (h, c))
        return m.fc(y.squeeze(1)), *states

    def save(name: str, module: Net, args: tuple[Tensor, ...], inputs: dict[str, dict[int, str]],
             outputs: list[str]) -> onnxruntime.InferenceSession:
        path = str(folder / f"{name}.onnx")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(module.eval(), args, path, dynamo=False, input_names=list(inputs), output_names=outputs,
                              dynamic_axes=inputs, opset_version=17)
        return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    state, answers = torch.zeros(1, 2, size), ["y", "h_out", "c_out"]
    encoder = save("encoder", Net(encode, e=nn.Embedding(7, 4), lstm=lstm(4)), (torch.zeros(2, 3, dtype=torch.int64),),
                   {"ids": {0: "b", 1: "t"}}, ["steps", "h", "c"])
    call = (torch.zeros(2, 1, dtype=torch.int64), state, state, torch.randn(2, 3, size))
    axes = {"token": {0: "b"}, "h": {1: "b"}, "c": {1: "b"}, "steps": {0: "b", 1: "t"}}
    parts = {"e": nn.Embedding(tokens, 4), "lstm": lstm(4), "fc": nn.Linear(2 * size, tokens)}
    by_answer = save("decoder", Net(decode, **parts), call, axes, answers)
    parts = {"e": nn.Embedding(tokens, 4), "lstm": lstm(4 + size), "fc": nn.Linear(size, tokens), "v": nn.Linear(size, 1),
             "w": nn.Linear(size, size), "u": nn.Linear(size, size)}
    by_state = save("decoder_by_state", Net(decode_by_state, **parts), call, axes, answers)
    cases, calls = [], []
    for length in LENGTHS:
        ids, given = RANDOM.integers(0, 7, (1, length)), RANDOM.integers(0, tokens, (1, 5))
        steps, h, c = encoder.run(None, {"ids": ids})
        one = {"token": given[:, :1], "h": h, "c": c, "steps": steps}
        calls.append(case({k: a.reshape(-1) if k in "hc" else a[0] for k, a in one.items()},
                          {k: a.reshape(-1) for k, a in zip(answers, by_state.run(None, one), strict=True)}))
        rows = []
        for token in given[0]:
            y, h, c = by_answer.run(None, {"token": np.array([[token]]), "h": h, "c": c, "steps": steps})
            rows.append(y[0])
        cases.append(case({"ids": ids[0], "token": given[0]}, {"y": np.stack(rows)}))
    write_cases(folder, cases, onnxruntime=onnxruntime.__version__)
    (folder / "calls").mkdir(exist_ok=True)
    write_cases(folder / "calls", calls, onnxruntime=onnxruntime.__version__)


def answering_pairs() -> None:
    """Encoders and decoders of a token a call, with the tokens that PyTorch chose: each decoder attends in another way."""
    words, start, end, limit = 6, 0, 1, 8

    class Encoder(nn.Module):
        def __init__(self, cell: type[nn.Module], layers: int, first: bool) -> None:
            super().__init__()
            self.e, self.rnn = nn.Embedding(7, 4), cell(4, 5, layers, batch_first=first)

        def forward(self, ids: Tensor) -> tuple[Tensor, ...]:
            steps, states = self.rnn(self.e(ids))
            return steps, *(states if isinstance(states, tuple) else (states,))

    def before(m: Net, token: Tensor, h: Tensor, c: Tensor, steps: Tensor) -> tuple[Tensor, ...]:
        """Bahdanau's: the last layer's state before the token beside each step."""
        query = h[-1].unsqueeze(1).repeat(1, steps.size(1), 1)
        weights = torch.softmax(m.v(torch.tanh(m.a(torch.cat((query, steps), 2)))).squeeze(2), 1)
        y, states = m.rnn(torch.cat((m.e(token), torch.bmm(weights.unsqueeze(1), steps)), 2), (h, c))
        return m.fc(y.squeeze(1)), *states

    def dot(m: Net, token: Tensor, h: Tensor, steps: Tensor) -> tuple[Tensor, ...]:
        """Luong's, with the steps first, as PyTorch's chatbot tutorial has it."""
        y, h = m.rnn(m.e(token), h)
        weights = torch.softmax((y * m.a(steps)).sum(2).t(), 1).unsqueeze(1)
        return m.fc(torch.cat((y.squeeze(0), weights.bmm(steps.transpose(0, 1)).squeeze(1)), 1)), h

    def concat(m: Net, token: Tensor, h: Tensor, steps: Tensor) -> tuple[Tensor, ...]:
        """Luong's concat, of the state behind the token."""
        y, h = m.rnn(m.e(token), h)
        query = y.expand(-1, steps.size(1), -1)
        weights = torch.softmax(m.v(torch.tanh(m.a(torch.cat((query, steps), 2)))).squeeze(2), 1)
        return m.fc(torch.cat((y, (weights.unsqueeze(2) * steps).sum(1, keepdim=True)), 2)), h

    def context(m: Net, token: Tensor, h: Tensor, steps: Tensor) -> tuple[Tensor, ...]:
        """Cho's: what the encoder answers in the end, beside every token."""
        y, h = m.rnn(torch.cat((m.e(token), steps.unsqueeze(1)), 2), h)
        return m.fc(torch.cat((y.squeeze(1), steps), 1)), h

    class Summary(Encoder):
        def forward(self, ids: Tensor) -> tuple[Tensor, ...]:
            h = self.rnn(self.e(ids))[1]
            return torch.tanh(h[-1]), h

    class Mean(Encoder):
        """Of the steps that are no padding, for both of the decoder's layers."""

        def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
            steps, kept = self.rnn(self.e(ids))[0], (~mask).unsqueeze(2).float()
            mean = (steps * kept).sum(1) / kept.sum(1).clamp(min=1.0)
            return steps, torch.tanh(mean).unsqueeze(1).expand(-1, 2, -1)

    class Ends(Encoder):
        def forward(self, ids: Tensor) -> tuple[Tensor, ...]:
            steps, (h, c) = self.rnn(self.e(ids))
            return steps, h[0], c[0]

    def prefix(m: Net, tokens: Tensor, h: Tensor, steps: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """Cells, layer by layer, of which the first reads the last of the tokens so far."""
        one = m.one(m.e(tokens[:, -1]), h[:, 0])
        two = m.two(one, h[:, 1])
        scores = (two.unsqueeze(1) @ steps.transpose(1, 2)).masked_fill(mask.unsqueeze(1), -1e9)
        y = torch.cat((two, (torch.softmax(scores, 2) @ steps).squeeze(1)), 1)
        return m.fc(y), torch.stack((one, two), 1)

    def cell(m: Net, token: Tensor, h: Tensor, c: Tensor, steps: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """Bahdanau's, with a cell, and a mask that is added to the scores."""
        scores = m.v(torch.tanh(m.q(h).unsqueeze(1) + m.k(steps))).squeeze(2) + (1 - mask) * -1e9
        x = torch.cat((m.e(token[:, 0]), (torch.softmax(scores, 1).unsqueeze(1) @ steps).squeeze(1)), 1)
        h, c = m.rnn(x, (h, c))
        return m.fc(h), h, c

    e, v, a = nn.Embedding(words, 4), nn.Linear(5, 1, bias=False), nn.Linear(10, 5)
    models = {
        "before": (Encoder(nn.LSTM, 2, True), Net(before, e=e, v=v, a=a, rnn=nn.LSTM(9, 5, 2, batch_first=True),
                                                  fc=nn.Linear(5, words))),
        "dot": (Encoder(nn.GRU, 1, False), Net(dot, e=e, a=nn.Linear(5, 5), rnn=nn.GRU(4, 5), fc=nn.Linear(10, words))),
        "concat": (Encoder(nn.GRU, 1, True), Net(concat, e=e, v=v, a=a, rnn=nn.GRU(4, 5, batch_first=True),
                                                 fc=nn.Linear(10, words))),
        "context": (Summary(nn.GRU, 1, True), Net(context, e=e, rnn=nn.GRU(9, 5, batch_first=True),
                                                  fc=nn.Linear(10, words))),
        "prefix": (Mean(nn.GRU, 1, True), Net(prefix, e=e, one=nn.GRUCell(4, 5), two=nn.GRUCell(5, 5), fc=nn.Linear(10, words))),
        "cell": (Ends(nn.LSTM, 1, True), Net(cell, e=e, v=v, q=nn.Linear(5, 5), k=nn.Linear(5, 5), rnn=nn.LSTMCell(9, 5),
                                             fc=nn.Linear(5, words))),
    }

    def masks(name: str, ids: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Of no padding: what the encoder takes beside the ids, and the decoder beside the steps."""
        if name == "prefix":
            mask = torch.zeros_like(ids, dtype=torch.bool)
            return (mask,), (mask,)
        return (), (torch.ones(ids.shape),) if name == "cell" else ()

    @torch.no_grad()
    def answer(name: str, encoder: nn.Module, decoder: nn.Module, ids: Tensor,
               order: tuple[int, int]) -> tuple[list[Tensor], list[int], float]:
        """The scores of each step, the tokens without the end, and the logarithm of their probability."""
        beside, masked = masks(name, ids)
        steps, *states = encoder(ids.permute(order), *beside)
        token, rows, labels, score = start, [], [], 0.0
        while len(rows) < limit:
            tokens = [start, *labels] if name == "prefix" else [token]
            y, *states = decoder(torch.tensor([tokens]), *states, steps, *masked)
            rows.append(y.reshape(-1))
            token = int(y.argmax())
            score += float(torch.log_softmax(rows[-1].double(), 0)[token])
            if token == end:
                break
            labels.append(token)
        return rows, labels, score

    asked = [torch.from_numpy(RANDOM.integers(0, 7, (1, length))) for length in (1, 4, 11)]
    for name, (encoder, decoder) in models.items():
        order = (1, 0) if name == "dot" else (0, 1)
        for seed in range(1000):
            torch.manual_seed(seed)
            for parameter in [*encoder.parameters(), *decoder.parameters()]:
                nn.init.uniform_(parameter, -2, 2)
            labels = [answer(name, encoder.eval(), decoder.eval(), ids, order)[1] for ids in asked]
            if min(len(set(row)) for row in labels) > 1 and len(set(map(tuple, labels))) == len(labels):
                break
        folder = FIXTURES / "onnx_pairs" / name
        folder.mkdir(parents=True, exist_ok=True)
        ids = torch.ones(2, 3, dtype=torch.int64)
        beside, masked = masks(name, ids)
        steps, *states = encoder(ids.permute(order), *beside)
        kept, names = ["h", "c"][:len(states)], ["mask"][:len(masked)]
        tokens = ids if name == "prefix" else ids[:, :1]
        axes = {"ids": {order[0]: "b", order[1]: "t"},
                "token": {0: "b", 1: "n"} if name == "prefix" else {order[0]: "b"}, "mask": {0: "b", 1: "t"},
                "steps": {0: "b"} if name == "context" else {order[0]: "b", order[1]: "t"},
                **{k: {0 if masked else 1: "b"} for k in kept}}
        for file, module, args, inputs, outputs in (
                ("encoder", encoder, (ids.permute(order), *beside), ["ids", *names[:len(beside)]], ["steps", *kept]),
                ("decoder", decoder, (tokens.permute(order), *states, steps, *masked), ["token", *kept, "steps", *names],
                 ["y", *(f"{k}_out" for k in kept)])):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.onnx.export(module, args, str(folder / f"{file}.onnx"), dynamo=False, input_names=inputs,
                                  output_names=outputs, opset_version=17,
                                  dynamic_axes={k: axes[k] for k in (*inputs, *outputs) if k in axes})
        cases = []
        for ids in asked:
            rows, labels, score = answer(name, encoder, decoder, ids, order)
            cases.append(case({"ids": ids[0].numpy()}, {"y": torch.stack(rows).numpy()},
                              decoded={"y": {"labels": labels, "score": score}}))
        write_cases(folder, cases, torch=torch.__version__)
        print(name, seed)


torch_models()
lengths_of_examples()
nodes()
tables()
vectors()
if not WANTED or "pair" in WANTED:
    pair()
if not WANTED or "attending_pair" in WANTED:
    attending_pair()
if not WANTED or "answering_pairs" in WANTED:
    answering_pairs()
scaled()
