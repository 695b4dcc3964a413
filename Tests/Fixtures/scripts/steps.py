"""Makes Tests/Fixtures/steps: ops that change the number of steps, as PyTorch and Keras compute them.

Each folder holds model.json, model.safetensors and io.json, small and random. A maker builds the layers
of its framework and says what they make of one sequence; that is the yardstick, not the folder. Inputs
have several lengths, so that windows end where the sequence does, before and behind.

Use: python steps.py (with torch, keras and tensorflow)
"""

import os
from collections.abc import Callable
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from reference import FIXTURES, Array, Json, case, write_cases, write_folder  # noqa: E402
from torch import Tensor, nn  # noqa: E402

Run = Callable[[dict[str, Array]], dict[str, Array]]
LENGTHS = (9, 10, 23, 33)
RANDOM = np.random.default_rng(12)


def node(name: str, op: str, *inputs: str | None, **attributes: Any) -> Json:
    """A node of the graph."""
    return {"name": name, "op": op, "inputs": list(inputs)} | attributes


def features(name: str, size: int, **attributes: Any) -> Json:
    """An input of `size` floats a step."""
    return {"name": name, "kind": "features", "size": size} | attributes


def normal(*shape: int) -> Array:
    """Random float32."""
    return RANDOM.normal(size=shape).astype(np.float32)


def torch_tensors(**modules: nn.Module) -> dict[str, Array]:
    """The tensors of PyTorch's modules, each under its own prefix."""
    return {f"{prefix}.{name}": tensor.detach().numpy() for prefix, module in modules.items()
            for name, tensor in module.state_dict().items()}


def keras_tensors(**layers: keras.Layer) -> dict[str, Array]:
    """The tensors of Keras's layers, each under its own prefix, as a folder has them."""
    tensors = {}
    for prefix, layer in layers.items():
        weights = [np.array(w) for w in layer.get_weights()]
        if isinstance(layer, keras.layers.Conv1D):
            named = {"weight": weights[0].transpose(2, 1, 0), "bias": weights[1]}
        elif isinstance(layer, keras.layers.GRU):
            r_z_n = [np.concatenate([w[h:2 * h], w[:h], w[2 * h:]]) for h in [layer.units] for w in
                     (weights[0].T, weights[1].T, *weights[2])]
            named = dict(zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), r_z_n, strict=True))
        else:
            named = {"weight": weights[0].T, "bias": weights[1]}
        tensors |= {f"{prefix}.{k}": np.ascontiguousarray(v) for k, v in named.items()}
    return tensors


def over_steps(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """What a function of [N, C, L] makes of [T, C]."""
    return function(x.T.unsqueeze(0)).squeeze(0).T


def torch_kernels() -> tuple[Json, Run]:
    """Strides, paddings and rounded-up lengths as PyTorch has them."""
    strided, valid = nn.Conv1d(3, 4, 3, stride=2, padding=1), nn.Conv1d(4, 4, 2, dilation=2, groups=2)
    lopsided, lstm = nn.Conv1d(3, 4, 4, stride=3), nn.LSTM(4, 5, batch_first=True)
    pools: dict[str, tuple[Json, nn.Module]] = {
        "largest": (dict(kernel=3, stride=2, padding=1), nn.MaxPool1d(3, 2, 1)),
        "reaching": (dict(kernel=3, stride=2, padding=[1, 1], ceil=True), nn.MaxPool1d(3, 2, 1, ceil_mode=True)),
        "spread": (dict(kernel=2, stride=1, dilation=3), nn.MaxPool1d(2, 1, dilation=3)),
        "mean": (dict(kernel=2), nn.AvgPool1d(2)),
        "mean_padded": (dict(kernel=4, stride=3, padding=2), nn.AvgPool1d(4, 3, 2)),
        "mean_reaching": (dict(kernel=4, stride=3, padding=2, ceil=True), nn.AvgPool1d(4, 3, 2, ceil_mode=True)),
        "mean_inside": (dict(kernel=4, stride=3, padding=2, ceil=True, count_padding=False),
                        nn.AvgPool1d(4, 3, 2, ceil_mode=True, count_include_pad=False))}

    def run(given: dict[str, Array]) -> dict[str, Array]:
        x = torch.from_numpy(given["x"])
        c = over_steps(strided, x)
        found = {"strided": c, "valid": over_steps(valid, c),
                 "lopsided": over_steps(lambda t: lopsided(F.pad(t, (3, 1))), x)}
        found |= {name: over_steps(module, x) for name, (_, module) in pools.items()}
        h, (final, _) = lstm(c.unsqueeze(0))
        return as_arrays(found | {"h": h[0], "h.hidden": final[0, 0], "centre": c.mean(0), "end": h[0, -1]})

    return dict(
        inputs=[features("x", 3)],
        nodes=[node("strided", "conv", "x", stride=2, padding=1),
               node("valid", "conv", "strided", padding="valid", dilation=2, groups=2),
               node("lopsided", "conv", "x", stride=3, padding=[3, 1]),
               *(node(name, "average_pool" if name.startswith("mean") else "max_pool", "x", **attributes)
                 for name, (attributes, _) in pools.items()),
               node("h", "lstm", "strided"), node("centre", "mean", "strided"), node("end", "last", "h")],
        outputs=["strided", "valid", "lopsided", *pools, "h", "h.hidden", "centre", "end"],
        tensors=torch_tensors(strided=strided, valid=valid, lopsided=lopsided, h=lstm)), run


def torch_selections() -> tuple[Json, Run]:
    """Steps left out, repeated and put before and behind, as PyTorch has them."""
    def run(given: dict[str, Array]) -> dict[str, Array]:
        x = torch.from_numpy(given["x"])
        return as_arrays({
            "later": x[1:], "earlier": x[:-2], "middle": x[2:-3], "some": x[1::3], "newest": x[-3:],
            "newest_but_one": x[-4:-1], "oldest": x[1:5:2], "zeros": F.pad(x.T, (2, 1)).T,
            "reflected": F.pad(x.T, (3, 8), "reflect").T, "edges": F.pad(x.T, (1, 2), "replicate").T,
            "twice": x.repeat_interleave(2, 0), "back": x.repeat_interleave(2, 0)[::2] + x,
            "change": x[1:] - x[:-1]})

    return dict(
        inputs=[features("x", 3)],
        nodes=[node("later", "slice_steps", "x", start=1), node("earlier", "slice_steps", "x", end=-2),
               node("middle", "slice_steps", "x", start=2, end=-3),
               node("some", "slice_steps", "x", start=1, stride=3),
               node("newest", "slice_steps", "x", start=-3),
               node("newest_but_one", "slice_steps", "x", start=-4, end=-1),
               node("oldest", "slice_steps", "x", start=1, end=5, stride=2),
               node("zeros", "pad_steps", "x", before=2, after=1),
               node("reflected", "pad_steps", "x", before=3, after=8, mode="reflect"),
               node("edges", "pad_steps", "x", before=1, after=2, mode="edge"),
               node("twice", "repeat_steps", "x"), node("halved", "slice_steps", "twice", stride=2),
               node("back", "add", "halved", "x"), node("before", "slice_steps", "x", end=-1),
               node("change", "subtract", "later", "before")],
        outputs=["later", "earlier", "middle", "some", "newest", "newest_but_one", "oldest", "zeros", "reflected",
                 "edges", "twice", "back", "change"], tensors={}), run


def keras_kernels() -> tuple[Json, Run]:
    """Strides and paddings as Keras has them."""
    layers = keras.layers
    same, causal = layers.Conv1D(4, 3, 2, "same"), layers.Conv1D(4, 4, 3, "causal")
    even, gru = layers.Conv1D(5, 4, 3, "same", activation="relu"), layers.GRU(4, return_sequences=True)
    pools: dict[str, tuple[Json, keras.Layer]] = {
        "largest": (dict(kernel=2, padding="same"), layers.MaxPooling1D(2, 2, "same")),
        "wider": (dict(kernel=5, stride=2, padding="same"), layers.MaxPooling1D(5, 2, "same")),
        "mean": (dict(kernel=3, stride=2, padding="same"), layers.AveragePooling1D(3, 2, "same")),
        "mean_valid": (dict(kernel=4, stride=1), layers.AveragePooling1D(4, 1, "valid"))}
    later = layers.AveragePooling1D(3, 1, "valid")

    def run(given: dict[str, Array]) -> dict[str, Array]:
        x = given["x"][None]
        c = even(x)
        found = {"same": same(x), "causal": causal(x), "even": c, "h": gru(layers.MaxPooling1D(2, 2, "same")(c)),
                 "thrice": layers.UpSampling1D(3)(x), "cropped": layers.Cropping1D((1, 2))(x),
                 "later": later(layers.ZeroPadding1D((2, 0))(x))}
        found |= {name: layer(x) for name, (_, layer) in pools.items()}
        return {name: np.array(value)[0] for name, value in found.items()}

    run({"x": normal(9, 3)})
    for layer in (same, causal, even, gru):
        layer.set_weights([0.4 * normal(*w.shape) for w in layer.get_weights()])
    return dict(
        inputs=[features("x", 3)],
        nodes=[node("same", "conv", "x", stride=2, padding="same"),
               node("causal", "conv", "x", stride=3, padding="causal"),
               node("c", "conv", "x", stride=3, padding="same", weights="even"), node("even", "relu", "c"),
               node("halved", "max_pool", "even", padding="same"), node("h", "gru", "halved"),
               *(node(name, "average_pool" if name.startswith("mean") else "max_pool", "x", **attributes)
                 for name, (attributes, _) in pools.items()),
               node("thrice", "repeat_steps", "x", times=3), node("cropped", "slice_steps", "x", start=1, end=-2),
               node("later", "average_pool", "x", kernel=3, stride=1, padding=[2, 0])],
        outputs=["same", "causal", "even", "h", *pools, "thrice", "cropped", "later"],
        tensors=keras_tensors(same=same, causal=causal, even=even, h=gru)), run


def torch_streamed() -> tuple[Json, Run]:
    """Pools that look back alone, so that the model streams."""
    conv, lstm = nn.Conv1d(3, 4, 3), nn.LSTM(4, 3, batch_first=True)

    def run(given: dict[str, Array]) -> dict[str, Array]:
        x = torch.from_numpy(given["x"])
        c = over_steps(lambda t: conv(F.pad(t, (2, 0))), x)
        mean = over_steps(lambda t: F.avg_pool1d(F.pad(t, (2, 0)), 3, 1), c)
        largest = over_steps(lambda t: F.max_pool1d(F.pad(t, (3, 0), value=-torch.inf), 4, 1), mean)
        inside = torch.stack([x[max(0, t - 2):t + 1].mean(0) for t in range(len(x))])
        return as_arrays({"largest": largest, "inside": inside, "y": lstm(largest.unsqueeze(0))[0][0]})

    return dict(
        inputs=[features("x", 3)],
        nodes=[node("c", "conv", "x", padding=[2, 0], weights="conv"),
               node("mean", "average_pool", "c", kernel=3, stride=1, padding=[2, 0]),
               node("largest", "max_pool", "mean", kernel=4, stride=1, padding="causal"),
               node("inside", "average_pool", "x", kernel=3, stride=1, padding="causal"),
               node("y", "lstm", "largest", weights="lstm")],
        outputs=["largest", "inside", "y"], tensors=torch_tensors(conv=conv, lstm=lstm)), run


def torch_cross() -> tuple[Json, Run]:
    """Attention to another sequence, of the steps of one and of its end."""
    encoder, decoder = nn.GRU(3, 4, bidirectional=True, batch_first=True), nn.GRU(2, 8, batch_first=True)
    general, half = nn.Linear(8, 5, bias=False), nn.Linear(8, 5, bias=False)

    def run(given: dict[str, Array]) -> dict[str, Array]:
        x, y = torch.from_numpy(given["source"]), torch.from_numpy(given["target"])
        keys, _ = encoder(x.unsqueeze(0))
        queries, final = decoder(y.unsqueeze(0))
        values = half(keys)
        heads = [F.scaled_dot_product_attention(queries[..., i:i + 4], keys[..., i:i + 4], keys[..., i:i + 4])
                 for i in (0, 4)]
        scores = queries @ general.weight.T @ values.transpose(1, 2)
        one = torch.softmax(0.5 * final[0] @ keys[0].T, -1) @ values[0]
        found = {"heads": torch.cat(heads, -1)[0], "general": (torch.softmax(scores, -1) @ values)[0], "one": one[0]}
        found["longest"] = torch.cat([found["general"], final[0].expand(len(y), -1)], -1).max(0).values
        return as_arrays(found | {"y": queries[0], "x": keys[0]})

    tensors = torch_tensors(x=encoder, y=decoder, values=half)
    return dict(
        inputs=[features("source", 3, axis="source"), features("target", 2, axis="target")],
        nodes=[node("x", "gru", "source"), node("y", "gru", "target"), node("values", "linear", "x"),
               node("heads", "attention", "y", "x", scale=0.5, heads=2),
               node("general", "attention", "y", "values", score="bilinear"),
               node("one", "attention", "y.hidden", "x", "values", scale=0.5),
               node("ends", "repeat", "y.hidden", "target"), node("joined", "concat", "general", "ends"),
               node("longest", "max", "joined")],
        outputs=["heads", "general", "one", "longest", "y", "x"],
        tensors=tensors | {"general.weight": np.ascontiguousarray(general.weight.detach().numpy().T)}), run


def keras_cross() -> tuple[Json, Run]:
    """A decoder that attends to an encoder of other steps, as Keras's AdditiveAttention does."""
    layers = keras.layers
    words, letters = layers.Embedding(9, 4), layers.Embedding(7, 3)
    encoder = layers.Bidirectional(layers.GRU(4, return_sequences=True))
    decoder, reduced, head = layers.GRU(6, return_sequences=True), layers.Dense(6), layers.Dense(5, "softmax")
    additive, scaled = layers.AdditiveAttention(), layers.Attention()

    def run(given: dict[str, Array]) -> dict[str, Array]:
        keys = reduced(encoder(words(given["source"][None])))
        queries = decoder(letters(given["target"][None]))
        context = additive([queries, keys])
        found = {"context": context, "y": head(np.concatenate([queries, context], -1)),
                 "dot": scaled([queries, keys])}
        return {name: np.array(value)[0] for name, value in found.items()}

    run({"source": np.array([1]), "target": np.array([1])})
    for layer in (words, letters, encoder, decoder, reduced, head, additive):
        layer.set_weights([0.5 * normal(*w.shape) for w in layer.get_weights()])
    backward = keras_tensors(x=encoder.backward_layer)
    tensors = keras_tensors(x=encoder.forward_layer, h=decoder, keys=reduced, logits=head)
    tensors |= {f"{name}_reverse": value for name, value in backward.items()}
    tensors |= {"words.weight": np.array(words.get_weights()[0]), "letters.weight": np.array(letters.get_weights()[0]),
                "context.weight": np.array(additive.get_weights()[0])}
    return dict(
        inputs=[{"name": "target", "kind": "tokens", "size": 7, "axis": "target"},
                {"name": "source", "kind": "tokens", "size": 9}],
        nodes=[node("words", "embedding", "source"), node("letters", "embedding", "target"),
               node("x", "gru", "words"), node("keys", "linear", "x"), node("h", "gru", "letters"),
               node("context", "attention", "h", "keys", score="additive"), node("dot", "attention", "h", "keys"),
               node("joined", "concat", "h", "context"), node("logits", "linear", "joined"),
               node("y", "softmax", "logits")],
        outputs=["context", "y", "dot"], tensors=tensors), run


def keras_autoencoder() -> tuple[Json, Run]:
    """A vector repeated as often as the sequence has steps, and five times."""
    layers = keras.layers
    encoder, decoder = layers.GRU(5), layers.GRU(4, return_sequences=True)
    head, fixed = layers.Dense(3), layers.GRU(2, return_sequences=True)

    def run(given: dict[str, Array]) -> dict[str, Array]:
        code = encoder(given["x"][None])
        found = {"y": head(decoder(layers.RepeatVector(len(given["x"]))(code))),
                 "five": fixed(layers.RepeatVector(5)(code))}
        return {name: np.array(value)[0] for name, value in found.items()}

    run({"x": normal(9, 3)})
    for layer in (encoder, decoder, head, fixed):
        layer.set_weights([0.4 * normal(*w.shape) for w in layer.get_weights()])
    return dict(
        inputs=[features("x", 3)],
        nodes=[node("encoder", "gru", "x"), node("code", "repeat", "encoder.hidden", "x"),
               node("decoder", "gru", "code"), node("y", "linear", "decoder"),
               node("few", "repeat", "encoder.hidden", steps=5), node("five", "gru", "few")],
        outputs=["y", "five"], tensors=keras_tensors(encoder=encoder, decoder=decoder, y=head, five=fixed)), run


def keras_masks() -> tuple[Json, Run]:
    """Ids that are 0 where a sequence is padded, before, behind or inside."""
    layers = keras.layers
    words = layers.Embedding(6, 3, mask_zero=True)
    forward = layers.GRU(4, return_sequences=True)
    backward = layers.GRU(4, return_sequences=True, go_backwards=True)
    both = layers.Bidirectional(layers.GRU(3, return_sequences=True))
    ends = layers.Bidirectional(layers.GRU(3))
    mean, attention = layers.GlobalAveragePooling1D(), layers.AdditiveAttention()

    def run(given: dict[str, Array]) -> dict[str, Array]:
        ids = given["ids"][None]
        x, m = words(ids), words.compute_mask(ids)
        h = forward(x, mask=m)
        found = {"h": h, "back": backward(x, mask=m)[:, ::-1], "both": both(x, mask=m), "ends": ends(x, mask=m),
                 "mean": mean(h, mask=m), "context": attention([h, h], mask=[m, m]), "end": h[:, -1]}
        return {name: np.array(value)[0] for name, value in found.items()}

    run({"ids": np.array([1, 2])})
    for layer in (words, forward, backward, both, ends, attention):
        layer.set_weights([0.5 * normal(*w.shape) for w in layer.get_weights()])
    tensors = {"words.weight": np.array(words.get_weights()[0])} | keras_tensors(h=forward, back=backward)
    for name, layer in (("both", both), ("e", ends)):
        tensors |= keras_tensors(**{name: layer.forward_layer})
        tensors |= {f"{k}_reverse": v for k, v in keras_tensors(**{name: layer.backward_layer}).items()}
    tensors["attended.weight"] = np.array(attention.get_weights()[0])
    return dict(
        inputs=[{"name": "ids", "kind": "tokens", "size": 6}], padded="ids",
        nodes=[node("words", "embedding", "ids"), node("m", "mask", "ids"), node("h", "gru", "words", mask="m"),
               node("back", "gru", "words", mask="m", direction="reverse"),
               node("both", "gru", "words", mask="m", masked_output="zero"), node("e", "gru", "words", mask="m"),
               node("ends", "affine", "e.hidden", scale=1),
               node("mean", "mean", "h", mask="m"), node("attended", "attention", "h", "h", score="additive", mask="m"),
               node("context", "multiply", "attended", "m"), node("end", "last", "h")],
        outputs=["h", "back", "both", "ends", "mean", "context", "end"], tensors=tensors), run


def keras_masking() -> tuple[Json, Run]:
    """Features that are -1 where a step is missing; two layers from a state; it streams."""
    layers = keras.layers
    masking = layers.Masking(-1.0)
    lower, upper = layers.GRU(4, return_sequences=True), layers.GRU(3, return_sequences=True)

    def run(given: dict[str, Array]) -> dict[str, Array]:
        x = given["x"][None]
        m = masking.compute_mask(x)
        a = lower(masking(x), mask=m, initial_state=given["h0"][None])
        return {"a": np.array(a)[0], "b": np.array(upper(a, mask=m))[0]}

    run({"x": normal(9, 2), "h0": normal(4)})
    for layer in (lower, upper):
        layer.set_weights([0.5 * normal(*w.shape) for w in layer.get_weights()])
    return dict(
        inputs=[features("x", 2), {"name": "h0", "kind": "vector", "size": 4}], padded="x",
        nodes=[node("m", "mask", "x", value=-1), node("seen", "multiply", "x", "m"),
               node("a", "gru", "seen", "h0", mask="m"), node("b", "gru", "a", mask="m")],
        outputs=["a", "b"], tensors=keras_tensors(a=lower, b=upper)), run


def torch_masks() -> tuple[Json, Run]:
    """A mask that is given, its steps left out: what PyTorch makes of the others alone."""
    lstm = nn.LSTM(3, 4, 2, bidirectional=True, batch_first=True)
    score = nn.Linear(8, 1)

    def run(given: dict[str, Array]) -> dict[str, Array]:
        x, m = torch.from_numpy(given["x"]), torch.from_numpy(given["m"])[:, 0] != 0
        packed, (hidden, cell) = lstm(x[m].unsqueeze(0))
        h = torch.zeros(len(x), 8)
        h[m] = packed[0]
        kept, bias = h[m], torch.where(m, 0.0, -torch.inf).expand(len(x), -1)
        causal = bias + torch.full((len(x), len(x)), -torch.inf).triu(1)
        seen = torch.arange(len(x)) >= m.int().argmax()
        contexts = F.scaled_dot_product_attention(h[seen][None], h[None], h[None], attn_mask=causal[seen])[0]
        past = torch.zeros(len(x), 8)
        past[seen] = contexts
        return as_arrays({
            "h": h, "h.hidden": torch.cat([hidden[2, 0], hidden[3, 0]]), "h.cell": torch.cat([cell[2, 0], cell[3, 0]]),
            "first": x[m][0], "last": x[m][-1], "mean": kept.mean(0), "max": kept.max(0).values, "sum": kept.sum(0),
            "weighed": torch.softmax(score(kept), 0).T[0] @ kept,
            "context": F.scaled_dot_product_attention(h[None], h[None], h[None], attn_mask=bias[None])[0], "past": past})

    pools = [node(way, way, "x" if way in ("first", "last") else "h", mask="m")
             for way in ("first", "last", "mean", "max", "sum")]
    return dict(
        inputs=[features("x", 3), features("m", 1)], padded="m",
        nodes=[node("h", "lstm", "x", mask="m", masked_output="zero"), *pools, node("s", "linear", "h"),
               node("weighed", "softmax_sum", "s", "h", mask="m"),
               node("context", "attention", "h", "h", mask="m", scale=8 ** -0.5),
               node("past", "attention", "h", "h", mask="m", scale=8 ** -0.5, causal=True)],
        outputs=["h", "h.hidden", "h.cell", "first", "last", "mean", "max", "sum", "weighed", "context", "past"],
        tensors=torch_tensors(h=lstm, s=score)), run


def torch_masked_kernels() -> tuple[Json, Run]:
    """Convolutions and pools that take the steps of a mask for padding."""
    before, strided = nn.Conv1d(3, 4, 3), nn.Conv1d(3, 4, 3, stride=2, padding=1)

    def run(given: dict[str, Array]) -> dict[str, Array]:
        x, m = torch.from_numpy(given["x"]), torch.from_numpy(given["m"]) != 0
        kept = torch.where(m, x, 0)

        def windows(t: Tensor, kernel: int, stride: int, ends: tuple[int, int], filler: float) -> Tensor:
            return F.pad(t.T, ends, value=filler).T.unfold(0, kernel, stride)

        def largest(kernel: int, stride: int, ends: tuple[int, int]) -> Tensor:
            found = windows(torch.where(m, x, -torch.inf), kernel, stride, ends, -torch.inf).amax(-1)
            return torch.where(found == -torch.inf, 0, found)

        def mean(kernel: int, stride: int, ends: tuple[int, int]) -> Tensor:
            counts = windows(m.float(), kernel, stride, ends, 0).sum(-1)
            return windows(kept, kernel, stride, ends, 0).sum(-1) / counts.clamp(min=1)

        return as_arrays({
            "causal": over_steps(lambda t: before(F.pad(t, (2, 0))), kept), "strided": over_steps(strided, kept),
            "largest": largest(3, 1, (2, 0)), "largest_strided": largest(3, 2, (1, 1)), "mean": mean(3, 1, (2, 0)),
            "mean_padded": over_steps(lambda t: F.avg_pool1d(t, 4, 3, 2), kept), "mean_inside": mean(4, 3, (2, 2)),
            "left": windows(m.float(), 3, 2, (1, 1), 0).amax(-1)})

    masked = dict(mask="m")
    return dict(
        inputs=[features("x", 3), features("m", 1)], padded="m",
        nodes=[node("causal", "conv", "x", weights="before", **masked),
               node("strided", "conv", "x", stride=2, padding=1, **masked),
               node("largest", "max_pool", "x", kernel=3, stride=1, padding="causal", **masked),
               node("largest_strided", "max_pool", "x", kernel=3, stride=2, padding=1, **masked),
               node("mean", "average_pool", "x", kernel=3, stride=1, padding="causal", **masked),
               node("mean_padded", "average_pool", "x", kernel=4, stride=3, padding=2, **masked),
               node("mean_inside", "average_pool", "x", kernel=4, stride=3, padding=2, count_padding=False, **masked),
               node("known", "mask", "m"), node("left", "max_pool", "known", kernel=3, stride=2, padding=1)],
        outputs=["causal", "strided", "largest", "largest_strided", "mean", "mean_padded", "mean_inside", "left"],
        tensors=torch_tensors(before=before, strided=strided)), run


def torch_unet() -> tuple[Json, Run]:
    """Two levels down and up again with skips, cropped or padded as U-Nets do it, whatever the length."""
    down, low, bottom = nn.Conv1d(3, 4, 3, padding=1), nn.Conv1d(4, 5, 3, padding=1), nn.Conv1d(5, 6, 3, padding=1)
    middle, top = nn.Conv1d(11, 5, 3, padding=1), nn.Conv1d(9, 2, 3, padding=1)

    def fitted(t: Tensor, steps: int) -> Tensor:
        ends = steps - t.shape[-1]
        return F.pad(t, (ends // 2, ends - ends // 2))

    def run(given: dict[str, Array]) -> dict[str, Array]:
        x = torch.from_numpy(given["x"])
        first = down(x.T[None]).relu()
        second = low(F.max_pool1d(first, 2)).relu()
        third = bottom(F.max_pool1d(second, 2)).relu()
        up = middle(torch.cat([second, fitted(third.repeat_interleave(2, 2), second.shape[-1])], 1)).relu()
        wide = up.repeat_interleave(2, 2)
        padded = torch.cat([first, fitted(wide, first.shape[-1])], 1)
        cropped = torch.cat([first[..., :wide.shape[-1]], wide], 1)
        newest = first[..., first.shape[-1] - wide.shape[-1]:]
        return as_arrays({"y": top(padded)[0].T, "shorter": top(cropped)[0].T, "newest": newest[0].T,
                          "later": F.pad(wide, (first.shape[-1] - wide.shape[-1], 0))[0].T})

    def conv(name: str, source: str) -> list[Json]:
        return [node(f"{name}_c", "conv", source, padding=1, weights=name), node(name, "relu", f"{name}_c")]

    return dict(
        inputs=[features("x", 3)],
        nodes=[*conv("down", "x"), node("down_p", "max_pool", "down"), *conv("low", "down_p"),
               node("low_p", "max_pool", "low"), *conv("bottom", "low_p"), node("bottom_u", "repeat_steps", "bottom"),
               node("bottom_f", "crop_or_pad", "bottom_u", "low", align="center"),
               node("joined", "concat", "low", "bottom_f"), *conv("middle", "joined"),
               node("middle_u", "repeat_steps", "middle"), node("middle_f", "crop_or_pad", "middle_u", "down", align="center"),
               node("skip", "concat", "down", "middle_f"), node("y", "conv", "skip", padding=1, weights="top"),
               node("down_f", "crop_or_pad", "down", "middle_u"), node("short", "concat", "down_f", "middle_u"),
               node("shorter", "conv", "short", padding=1, weights="top"),
               node("newest", "crop_or_pad", "down", "middle_u", align="end"),
               node("later", "crop_or_pad", "middle_u", "x", align="end")],
        outputs=["y", "shorter", "newest", "later"],
        tensors=torch_tensors(down=down, low=low, bottom=bottom, middle=middle, top=top)), run


def as_arrays(values: dict[str, Tensor]) -> dict[str, Array]:
    """PyTorch's tensors as NumPy's arrays."""
    return {name: value.detach().numpy() for name, value in values.items()}


def pad(values: Array, length: int) -> None:
    """Puts what a mask knows before, behind and into a sequence, as its length is."""
    filler = -1 if values.ndim == 2 and values.shape[1] > 1 else 0
    for kind, steps in ((9, slice(0, 3)), (10, slice(-4, None)), (23, slice(0, 2)), (23, slice(-1, None)),
                        (23, slice(8, 12)), (33, slice(5, None, 3))):
        if kind == length:
            values[steps] = filler


def random_inputs(inputs: list[Json], length: int) -> dict[str, Array]:
    """Random values for each declared input; of another axis than the first one's, of another length."""
    def value(declared: Json) -> Array:
        axis = declared.get("axis")
        if axis not in lengths and declared["kind"] != "vector":
            lengths[axis] = int(RANDOM.integers(1, length + 4)) if lengths else length
        if declared["kind"] == "tokens":
            return RANDOM.integers(0, declared["size"], lengths[axis])
        if declared["kind"] == "vector":
            return normal(declared["size"])
        return normal(lengths[axis], declared["size"])

    lengths: dict[str | None, int] = {}
    return {declared["name"]: value(declared) for declared in inputs}


MAKERS: tuple[Callable[[], tuple[Json, Run]], ...] = (
    torch_kernels, torch_selections, torch_streamed, keras_kernels, torch_cross, keras_cross, keras_autoencoder,
    keras_masks, keras_masking, torch_masks, torch_masked_kernels, torch_unet)


def main() -> None:
    """Writes every folder."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    for maker in MAKERS:
        made, run = maker()
        path = FIXTURES / "steps" / maker.__name__
        write_folder(path, made)
        cases = []
        for length in LENGTHS:
            given = random_inputs(made["inputs"], length)
            if "padded" in made:
                pad(given[made["padded"]], length)
            cases.append(case(given, run(given)))
        write_cases(path, cases, torch=torch.__version__, keras=keras.__version__)


if __name__ == "__main__":
    main()
