#!/usr/bin/env python3
"""usage: keras_models.py FOLDER [CASE...]

Makes small models of Keras 3 with random weights, as its savers write them, and beside each a .npz with inputs and what Keras
answers: MODEL.keras, MODEL.h5, and MODEL.weights.h5 with the layers in MODEL.json. Run with keras 3.15 and tensorflow-cpu 2.21 (attention_behind_permute,
merged_masks, and those from slices on: torch 2.13).
"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import Input, Model, Sequential  # noqa: E402
from keras import layers as L  # noqa: E402
from keras import ops as O  # noqa: E402

rng = np.random.default_rng(0)
cases = {}


def case(*kinds):
    """A case by its function's name, saved in these kinds of file."""

    def add(function):
        cases[function.__name__] = (function, kinds or ("keras",))
        return function

    return add


def floats(*shape):
    return rng.normal(0, 1, shape).astype("float32")


def ids(*rows):
    return np.array(rows, "int32")


every = ("keras", "h5", "weights")
x = floats(2, 6, 3)


@case(*every)
def plain():
    layers = [L.LSTM(4, return_sequences=True), L.Dropout(0.3), L.GRU(3), L.Dense(2, activation="softmax")]
    return Sequential([Input((None, 3)), *layers]), [x]


@case(*every)
def hard_sigmoid():
    layers = [L.LSTM(4, recurrent_activation="hard_sigmoid"), L.Dense(3, activation="hard_sigmoid")]
    return Sequential([Input((None, 3)), *layers]), [x]


@case()
def gru_before():
    return Sequential([Input((None, 3)), L.GRU(4, reset_after=False), L.Dense(2)]), [x]


@case()
def without_biases():
    layers = [L.LSTM(4, use_bias=False, return_sequences=True), L.GRU(3, use_bias=False)]
    return Sequential([Input((None, 3)), *layers]), [x]


@case()
def rnn():
    layers = [L.SimpleRNN(4, activation="relu", return_sequences=True), L.SimpleRNN(3)]
    return Sequential([Input((None, 3)), *layers]), [x]


@case()
def cell_activations():
    layers = [
        L.LSTM(3, activation="softsign", recurrent_activation="hard_sigmoid", return_sequences=True),
        L.LSTM(3, activation="elu", return_sequences=True),
        L.GRU(3, activation=L.LeakyReLU(0.3), return_sequences=True),
        L.LSTM(3, activation="linear", recurrent_activation="softsign"),
    ]
    return Sequential([Input((None, 3)), *layers]), [x]


@case()
def backwards():
    layers = [L.LSTM(4, go_backwards=True, return_sequences=True), L.GRU(3, go_backwards=True)]
    return Sequential([Input((None, 3)), *layers]), [x]


@case()
def bidirectional():
    layers = [
        L.Bidirectional(L.LSTM(3, return_sequences=True)),
        L.Bidirectional(L.GRU(2, return_sequences=True), merge_mode="sum"),
        L.Bidirectional(L.GRU(2)),
    ]
    return Sequential([Input((None, 3)), *layers]), [x]


@case()
def bidirectional_merges():
    i = Input((None, 3))
    outputs = [L.Bidirectional(L.GRU(2), merge_mode=mode)(i) for mode in ("ave", "mul")]
    outputs += L.Bidirectional(L.LSTM(2, return_sequences=True), merge_mode=None)(i)
    one = L.LSTM(2, return_sequences=True)
    other = L.LSTM(3, return_sequences=True, go_backwards=True, activation="relu")
    return Model(i, outputs + [L.Bidirectional(one, backward_layer=other)(i)]), [x]


@case()
def bidirectional_states():
    i = Input((None, 3))
    states = [Input((3,)) for _ in range(4)]
    y = L.Bidirectional(L.LSTM(3, return_sequences=True, return_state=True))(i, initial_state=states)
    return Model([i, *states], y), [x] + [floats(2, 3) for _ in states]


@case("keras")
def bidirectional_final_states():
    i = Input((None, 3))
    _, a, _, b, _ = L.Bidirectional(L.LSTM(3, return_sequences=True, return_state=True))(i)
    return Model(i, L.Dense(2)(L.Concatenate()([a, b]))), [x]


@case("keras", "h5")
def states():
    i, h, c = Input((None, 3)), Input((3,)), Input((3,))
    y, a, b = L.LSTM(3, return_sequences=True, return_state=True)(i, initial_state=[h, c])
    z = L.LSTM(3)(y, initial_state=[a, b])
    return Model([i, h, c], [z, a, b]), [x, floats(2, 3), floats(2, 3)]


@case(*every)
def cells():
    layers = [
        L.RNN(L.LSTMCell(3), return_sequences=True),
        L.Bidirectional(L.RNN(L.GRUCell(2), return_sequences=True)),
        L.RNN([L.GRUCell(3), L.LSTMCell(2), L.GRUCell(2, reset_after=False)]),
    ]
    return Sequential([Input((None, 3)), *layers]), [x]


@case()
def embedding():
    layers = [L.Embedding(9, 4), L.SpatialDropout1D(0.2), L.Bidirectional(L.LSTM(3)), L.Dense(2, activation="sigmoid")]
    return Sequential([Input((None,)), *layers]), [ids([1, 0, 3, 8, 2], [4, 4, 5, 0, 6])]


@case()
def time_distributed():
    layers = [
        L.TimeDistributed(L.Dense(4, activation="relu")),
        L.GRU(3, return_sequences=True),
        L.TimeDistributed(L.Dense(2, activation="softmax")),
    ]
    return Sequential([Input((None, 3)), *layers]), [x]


@case()
def frames():
    layers = [
        L.TimeDistributed(L.Conv1D(3, 3, activation="relu")),
        L.TimeDistributed(L.MaxPooling1D(2)),
        L.TimeDistributed(L.BatchNormalization()),
        L.TimeDistributed(L.Flatten()),
        L.LSTM(3),
    ]
    return Sequential([Input((None, 8, 2)), *layers]), [floats(2, 4, 8, 2)]


@case()
def frames_in_a_model():
    inner = Sequential([Input((8, 2)), L.Conv1D(3, 3, strides=2, padding="same"), L.GlobalMaxPooling1D(), L.Dense(3)])
    return Sequential([Input((None, 8, 2)), L.TimeDistributed(inner), L.GRU(3)]), [floats(2, 4, 8, 2)]


@case()
def norms():
    layers = [
        L.LayerNormalization(),
        L.LSTM(4, return_sequences=True),
        L.BatchNormalization(),
        L.UnitNormalization(),
        L.TimeDistributed(L.GroupNormalization(2)),
        L.RMSNormalization(),
        L.GRU(4),
        L.LayerNormalization(center=False),
        L.BatchNormalization(scale=False),
    ]
    return Sequential([Input((None, 3)), *layers]), [x]


@case("keras", "h5")
def normalization():
    layer = L.Normalization()
    layer.adapt(100 + 5 * floats(50, 6, 3))
    return Sequential([Input((None, 3)), layer, L.LSTM(3), L.Rescaling(2.5, offset=-1)]), [100 + 5 * x]


@case()
def normalization_beside():
    i = Input((None, 3))
    y = L.LSTM(3, return_sequences=True)(L.Normalization(mean=[1.0, 2, 3], variance=[4.0, 0.5, 0.1])(i))
    return Model(i, L.Add()([y, i])), [x]


@case()
def convolutions():
    layers = [
        L.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu"),
        L.Conv1D(4, 4, padding="same", groups=2),
        L.DepthwiseConv1D(3, padding="same", depth_multiplier=2),
        L.SeparableConv1D(3, 3, padding="same", activation="tanh"),
        L.LSTM(3),
    ]
    return Sequential([Input((None, 3)), *layers]), [x]


@case()
def steps():
    layers = [
        L.ZeroPadding1D((2, 1)),
        L.Conv1D(4, 3, strides=2),
        L.UpSampling1D(2),
        L.MaxPooling1D(3, 1, padding="same"),
        L.AveragePooling1D(3, 2, padding="same"),
        L.Cropping1D((1, 1)),
        L.GRU(3, return_sequences=True),
    ]
    return Sequential([Input((21, 2)), *layers]), [floats(2, 21, 2)]


@case()
def autoencoder():
    layers = [L.LSTM(3), L.RepeatVector(6), L.LSTM(3, return_sequences=True), L.TimeDistributed(L.Dense(3))]
    return Sequential([Input((6, 3)), *layers]), [x]


@case()
def convolutions_before_steps():
    layers = [L.Conv1D(4, 3, activation="relu"), L.MaxPooling1D(2), L.Flatten(), L.RepeatVector(3), L.LSTM(2)]
    return Sequential([Input((12, 2)), *layers]), [floats(2, 12, 2)]


@case()
def lengths():
    i, j = Input((None, 3)), Input((None, 2))
    a, b = L.LSTM(4, return_sequences=True)(i), L.GRU(4, return_sequences=True)(j)
    return Model([i, j], L.Concatenate()([a, L.AdditiveAttention()([a, b])])), [x, floats(2, 4, 2)]


tokens = ids([1, 0, 3, 8, 2, 0], [0, 4, 5, 7, 0, 0])


@case("keras", "h5")
def masked_tokens():
    i = Input((None,))
    e = L.Embedding(9, 4, mask_zero=True)(i)
    a = L.Bidirectional(L.LSTM(3, return_sequences=True))(e)
    b = L.Dense(2)(L.GRU(3, return_sequences=True)(L.Dropout(0.2)(e)))
    return Model(i, [a, b, L.LSTM(2)(a), L.Bidirectional(L.GRU(2))(e), L.GlobalAveragePooling1D()(b)]), [tokens]


@case("keras", "h5")
def masked_steps():
    padded = floats(2, 6, 3)
    padded[0, 4:], padded[1, 1], padded[1, 3, 1] = -1, -1, -1
    layers = [
        L.Masking(-1.0),
        L.LSTM(3, return_sequences=True),
        L.TimeDistributed(L.Dense(3)),
        L.GRU(2, go_backwards=True, return_sequences=True),
        L.SimpleRNN(2, zero_output_for_mask=True, return_sequences=True),
    ]
    return Sequential([Input((None, 3)), *layers]), [padded]


@case()
def masked_attention():
    i = Input((None,))
    e = L.Embedding(9, 4, mask_zero=True)(i)
    a = L.LSTM(4, return_sequences=True)(e)
    return Model(i, [L.Attention()([a, e]), L.AdditiveAttention()([a, a]), L.Concatenate()([a, e])]), [tokens]


@case()
def flatten():
    layers = [L.LSTM(4, return_sequences=True), L.Flatten(), L.Dropout(0.1), L.Dense(3, activation="relu"), L.Dense(1)]
    return Sequential([Input((6, 3)), *layers]), [x]


@case()
def reshape():
    return Sequential([Input((6,)), L.Reshape((6, 1)), L.LSTM(3), L.Dense(1)]), [floats(2, 6)]


@case()
def permute():
    layers = [L.Reshape((6, 2, 2)), L.TimeDistributed(L.Permute((2, 1))), L.TimeDistributed(L.Flatten()), L.LSTM(3)]
    return Sequential([Input((6, 4)), *layers]), [floats(2, 6, 4)]


@case()
def merges():
    i, v = Input((None, 3)), Input((2,))
    a, b = L.LSTM(3, return_sequences=True)(i), L.Dense(3)(i)
    kinds = [L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum]
    y = L.Concatenate()([kind()([a, b]) for kind in kinds])
    z = L.Concatenate()([L.LSTM(3)(i), L.Dense(3, activation="relu")(v)])
    return Model([i, v], [y, z]), [x, floats(2, 2)]


@case(*every)
def nested():
    i = Input((None, 3))
    encoder = Model(i, L.BatchNormalization()(L.LSTM(3, return_sequences=True, name="same")(i)), name="encoder")
    layers = [
        L.BatchNormalization(),
        L.GRU(3, return_sequences=True, name="same"),
        L.Dense(3, trainable=False),
        L.BatchNormalization(trainable=False),
    ]
    decoder = Sequential([Input((None, 3)), *layers], name="decoder")
    i = Input((None, 3))
    y = encoder(i)
    return Model(i, L.Add()([decoder(encoder(L.Dense(3)(y))), y])), [x]


@case()
def shared_layer():
    i = Input((None, 3))
    dense = L.Dense(3)
    return Model(i, dense(L.LSTM(3, return_sequences=True)(dense(i)))), [x]


@case()
def attention():
    i = Input((None, 3))
    a, b = L.LSTM(4, return_sequences=True)(i), L.GRU(4, return_sequences=True)(i)
    outputs = [
        L.Attention(use_scale=True)([a, b], use_causal_mask=True),
        L.Attention(use_scale=True, score_mode="concat")([a, b]),
        L.AdditiveAttention()([a, b, L.Dense(4)(a)]),
        L.MultiHeadAttention(2, 3, value_dim=4)(a, b),
    ]
    return Model(i, outputs), [x]


@case()
def attention_by_dot():
    i = Input((None, 3))
    a, b = L.LSTM(4, return_sequences=True)(i), L.GRU(4, return_sequences=True)(i)
    weights = L.Activation("softmax")(L.Dot(axes=[2, 2])([a, b]))
    return Model(i, L.Concatenate()([L.Dot(axes=[2, 1])([weights, b]), a])), [x]


@case()
def attention_over_steps():
    i = Input((6, 3))
    a = L.LSTM(4, return_sequences=True)(i)
    scores = L.Activation("softmax")(L.Flatten()(L.Dense(1, activation="tanh")(a)))
    products = L.Multiply()([a, L.Permute((2, 1))(L.RepeatVector(4)(scores))])
    weights = L.Softmax(axis=1)(L.Dense(1)(a))
    return Model(i, [L.GlobalAveragePooling1D()(products), L.Flatten()(L.Dot(axes=1)([weights, a]))]), [x]


@case()
def attention_behind_permute():
    i = Input((6, 3))
    a = L.LSTM(4, return_sequences=True)(i)
    weights = L.Permute((2, 1))(L.Dense(6, activation="softmax")(L.Permute((2, 1))(a)))
    b = L.Dense(6, activation="tanh", use_bias=False)(L.Permute((2, 1))(i))
    c = L.Permute((2, 1))(L.Dense(6)(b))
    return Model(i, [L.Dense(2)(L.Flatten()(L.Multiply()([a, weights]))), L.LSTM(2)(c)]), [x]


@case()
def merged_masks():
    i = Input((None,), dtype="int32")
    a, b = L.Embedding(11, 4, mask_zero=True)(i), L.Embedding(11, 2, mask_zero=True)(i)
    added = L.LSTM(3)(L.Add()([a, L.Dense(4)(a)]))
    return Model(i, [added, L.GRU(3)(L.Concatenate()([a, b]))]), [tokens]


@case()
def dot():
    i = Input((None, 3))
    a, b = L.LSTM(4)(i), L.GRU(4)(i)
    return Model(i, [L.Dot(axes=1)([a, b]), L.Dot(axes=1, normalize=True)([a, b])]), [x]


@case()
def activations():
    i = Input((None, 3))
    y = L.Dense(4)(L.GRU(3, return_sequences=True)(i))
    names = "mish hard_silu gelu log_sigmoid log_softmax relu6 tanh_shrink celu silu softplus selu".split()
    layers = [L.Activation(name) for name in names] + [
        L.LeakyReLU(0.2), L.ELU(0.7), L.PReLU(shared_axes=[1]), L.ReLU(1.5, negative_slope=0.1),
        L.ReLU(threshold=0.3), L.Softmax(), L.Dense(2, activation=L.ELU(0.5)),
    ]  # fmt: skip
    return Model(i, [layer(y) for layer in layers]), [x]


@case("keras", "h5")
def functions():
    i = Input((None, 3))
    a = L.LSTM(4, return_sequences=True)(i)
    y = O.tanh(a * 2.0 + 1.0) - a
    weights = O.softmax(L.Dense(1)(a), axis=1)
    return Model(i, [y[:, -1], O.mean(y, axis=1), y[:, :, 1:3], O.sum(weights * a, axis=1)]), [x]


@case()
def pools():
    i = Input((None, 3))
    a = L.LSTM(3, return_sequences=True)(i)
    return Model(i, [L.GlobalAveragePooling1D()(a), L.GlobalMaxPooling1D(keepdims=True)(a)]), [x]


@case("keras", "h5")
def parts_of_steps():
    """Steps and ranges of steps that are chosen by their places, from both ends."""
    i = Input((None, 3))
    h = L.LSTM(4, return_sequences=True)(i)
    parts = [h[:, 2], h[:, -2], O.mean(h[:, -3:], axis=1), O.mean(h[:, 1::2], axis=1)]
    return Model(i, [L.Concatenate()(parts), h[:, 1:-1]]), [x]


@case("keras", "h5")
def sum_over_length():
    """A mean that is written with the model's number of steps."""
    i = Input((x.shape[1], 3))
    return Model(i, L.Dense(2)(O.sum(L.LSTM(4, return_sequences=True)(i), axis=1) / x.shape[1])), [x]


@case()
def stateful():
    layers = [L.LSTM(3, stateful=True, return_sequences=True), L.Dense(1)]
    return Sequential([Input((None, 3), batch_size=2), *layers]), [x]


@case("keras", "h5")
def encoder_decoder():
    """The encoder is there for its states alone."""
    a, b = Input((None, 3)), Input((None, 2))
    _, h, c = L.LSTM(4, return_state=True)(a)
    y, _, _ = L.LSTM(4, return_sequences=True, return_state=True)(b, initial_state=[h, c])
    return Model([a, b], L.Dense(2, activation="softmax")(y)), [x, floats(2, 4, 2)]


@case()
def vector_beside_steps():
    """A vector repeated for as many steps as an input has; steps scaled by a gate of their mean."""
    a, b = Input((6, 3)), Input((2,))
    y = L.LSTM(4, return_sequences=True)(L.Concatenate()([a, L.RepeatVector(6)(b)]))
    gate = L.Dense(4, activation="sigmoid")(L.Reshape((1, 4))(L.GlobalAveragePooling1D()(y)))
    return Model([a, b], L.Multiply()([y, gate])), [x, floats(2, 2)]


@case("keras", "h5")
def more_functions():
    i = Input((None, 3))
    a = L.LSTM(4, return_sequences=True)(i)
    y = O.clip(a, -0.3, 0.2) + O.flip(a, axis=1) ** 2
    z = [O.std(a, axis=1), O.var(a, axis=1), O.normalize(a[:, -1], axis=-1), O.max(O.leaky_relu(a), axis=1)]
    back = L.Normalization(mean=1.5, variance=2.0, invert=True)(y)
    return Model(i, [back, O.concatenate(z, axis=-1)]), [x]


@case()
def masked_mean_of_attention():
    i = Input((None,), dtype="int32")
    h = L.LSTM(4, return_sequences=True)(L.Embedding(7, 3, mask_zero=True)(i))
    return Model(i, L.GlobalAveragePooling1D()(L.Attention()([h, h]))), [ids([1, 2, 3, 0, 0], [4, 5, 6, 1, 2])]


@case("keras", "h5")
def slices():
    i = Input((None, 3))
    a = L.LSTM(4, return_sequences=True)(i)
    four = L.Reshape((-1, 2, 2))(a)
    outputs = [a[..., 1:], a[:, :, 0][:, :, None], i - i[:, -1:], a[:, 1:] - a[:, :-1], a[..., -1], four[:, :, 0], four[..., 1]]
    outputs += [O.take(a, [2, 0, -1], axis=-1), O.take(a, -1, axis=1), *O.split(a, 2, axis=-1), O.split(a, [1, 3], axis=2)[1]]
    return Model(i, outputs), [x]


@case()
def reductions():
    i = Input((None, 4))
    four = L.Reshape((-1, 2, 2))(i)
    outputs = [O.mean(i, axis=-1), O.sum(i, axis=2, keepdims=True), O.max(i, axis=-1), O.min(i, axis=1), O.mean(i, axis=(1, 2))]
    outputs += [O.min(i, axis=(1, 2)), O.sum(four, axis=2), O.max(four, axis=3), i - O.mean(i, axis=-1, keepdims=True)]
    return Model(i, outputs), [floats(2, 6, 4)]


@case("keras", "h5")
def comparisons():
    i, t = Input((None, 4)), Input((None,), dtype="int32")
    first, hidden = i[..., :1], L.LSTM(3)(L.Embedding(7, 4)(t))
    outputs = [O.where(i > 0.0, i, 0.1 * i), O.where(i >= first, i, -1.0), O.cast(i < 0.2, "float32"), O.cast(O.not_equal(t, 0), "float32")]
    outputs += [O.cast(O.logical_and(i > 0.0, O.logical_not(i > 0.5)), "float32"), O.cast(O.logical_or(i > 0.5, i <= -0.5), "float32")]
    return Model([i, t], [*outputs, hidden]), [floats(2, 5, 4), ids([1, 2, 0, 3, 0], [4, 5, 6, 1, 2])]


@case()
def arithmetic_functions():
    i = Input((None, 4))
    size = O.abs(i) + 1.0
    outputs = [1.0 / size, O.log1p(size), O.expm1(i), O.rsqrt(size), O.reciprocal(size), i**3, size**-0.5, O.gelu(i), O.glu(i)]
    outputs += [O.gelu(i, approximate=False), O.log_sigmoid(i), O.log_softmax(i), O.hard_silu(i), i * O.ones_like(i) + O.zeros_like(i)]
    return Model(i, outputs), [floats(2, 6, 4)]


@case()
def arrangements():
    i = Input((None, 4))
    a = L.LSTM(4, return_sequences=True)(i)
    one = O.expand_dims(a[:, -1], axis=1)
    outputs = [O.flip(a, axis=-1), O.repeat(a, 2, axis=1), O.repeat(a, 2, axis=-1), O.tile(a, (1, 1, 3)), O.tile(one, (1, 5, 1))]
    outputs += [O.mean(O.stack([a, i], axis=1), axis=1), O.max(O.stack([a, i, -a], axis=-1), axis=-1), O.stack([a[:, 0], a[:, -1]], axis=1)]
    outputs += [O.swapaxes(O.swapaxes(a, 1, 2) * 2.0, 1, 2), O.moveaxis(O.moveaxis(a, 1, 2), 2, 1)]
    return Model(i, outputs), [floats(2, 6, 4)]


@case()
def products():
    i = Input((None, 4))
    scores = O.matmul(i, O.transpose(i, (0, 2, 1))) / 2.0
    weights = O.softmax(L.Dense(1)(i), axis=1)
    outputs = [O.matmul(O.softmax(scores), i), O.squeeze(O.matmul(O.transpose(weights, (0, 2, 1)), i), 1)]
    outputs += [O.einsum("bqk,bkd->bqd", O.softmax(O.einsum("bqd,bkd->bqk", i, i) * 0.5), i)]
    outputs += [O.einsum("bt,btd->bd", O.squeeze(weights, -1), i), O.einsum("btd,bd->bt", i, i[:, -1])]
    return Model(i, outputs), [floats(2, 6, 4)]


@case()
def joined_steps():
    i, v = Input((None, 3)), Input((2,))
    one, three = L.RepeatVector(1)(L.Dense(3)(v)), L.RepeatVector(3)(L.Dense(3)(v))
    outputs = [O.concatenate([one, i], axis=1), L.Concatenate(axis=1)([one, three, i, three, one]), O.concatenate([i, i[:, :1], i[:, -1:]], axis=1)]
    return Model([i, v], [*outputs, L.Concatenate(axis=1)([three, one])]), [x, floats(2, 2)]


@case()
def joined_steps_of_a_length():
    i = Input((8, 3))
    return Model(i, L.Concatenate(axis=1)([L.Conv1D(3, 3)(i), L.MaxPooling1D(2)(i)])), [floats(2, 8, 3)]


@case("keras", "h5")
def lstm_fcn():
    i = Input((8, 3))
    a, b = L.LSTM(4)(L.Permute((2, 1))(i)), L.GlobalAveragePooling1D()(L.Conv1D(4, 3, padding="same")(i))
    return Model(i, L.Dense(2, activation="softmax")(L.concatenate([a, b]))), [floats(2, 8, 3)]


@case()
def lstm_fcn_of_one_step():
    i = Input((1, 8))
    a, b = L.LSTM(4)(i), L.GlobalAveragePooling1D()(L.Conv1D(4, 3, padding="same")(L.Permute((2, 1))(i)))
    return Model(i, L.Dense(2)(L.concatenate([a, b]))), [floats(2, 1, 8)]


@case()
def permute_before_bidirectional():
    layers = [L.Permute((2, 1)), L.Bidirectional(L.LSTM(4, return_sequences=True)), L.GRU(3)]
    return Sequential([Input((8, 3)), *layers]), [floats(2, 8, 3)]


@case()
def steps_of_a_vector():
    layers = [L.Dense(12, activation="relu"), L.Reshape((4, 3)), L.Bidirectional(L.LSTM(5, return_sequences=True)), L.Dense(2)]
    return Sequential([Input((8,)), *layers]), [floats(2, 8)]


@case()
def flat_steps():
    return Sequential([Input((6, 3)), L.Flatten(), L.Dense(5, activation="relu"), L.Dense(2)]), [x]


@case("keras", "h5")
def spectral():
    layers = [L.SpectralNormalization(L.Conv1D(4, 3)), L.SpectralNormalization(L.Dense(3)), L.LSTM(2)]
    return Sequential([Input((None, 3)), *layers]), [x]


@case()
def one_hot():
    i = Input((None,), dtype="int32")
    return Model(i, [L.LSTM(3)(O.one_hot(i, 7)), L.GRU(2)(L.CategoryEncoding(7, output_mode="one_hot")(i))]), [ids([1, 2, 0, 3, 6], [4, 5, 6, 1, 2])]


@case("keras", "h5")
def transposed_convolutions():
    i = Input((None, 3))
    return Model(i, [L.Conv1DTranspose(2, k, strides=s, padding=p, activation="tanh")(i) for k, s, p in [(7, 2, "same"), (3, 2, "valid"), (2, 3, "same"), (3, 1, "same")]]), [x]


@case("keras", "h5")
def images_in_steps():
    layers = [L.Conv2D(3, (2, 3), strides=(1, 2), padding="same", activation="relu"), L.MaxPooling2D(2), L.BatchNormalization()]
    i = Input((None, 6, 5, 2))
    y = i
    for layer in layers:
        y = L.TimeDistributed(layer)(y)
    pools = [L.GlobalAveragePooling2D(), L.GlobalMaxPooling2D(), L.Flatten()]
    return Model(i, [L.LSTM(2)(L.TimeDistributed(pool)(y)) for pool in pools]), [floats(2, 4, 6, 5, 2)]


@case()
def images_over_steps():
    i = Input((None, 6, 2))
    y = L.MaxPooling2D((1, 2))(L.Conv2D(3, (3, 3), strides=(2, 1), padding="same", activation="relu")(i))
    z = L.AveragePooling2D((2, 3))(L.Conv2D(3, (2, 1))(i))
    outputs = [L.Bidirectional(L.GRU(3))(L.Reshape((-1, 9))(y)), L.LSTM(3)(L.TimeDistributed(L.Flatten())(z)), L.GlobalAveragePooling2D()(y)]
    return Model(i, outputs), [floats(2, 8, 6, 2)]


@case()
def vectors_as_a_step():
    i, j = Input((6,)), Input((6,))
    a, b = L.GRU(4)(L.Reshape((1, 6))(i)), L.Bidirectional(L.LSTM(3))(j[:, None])
    return Model([i, j], [L.Dense(2)(L.concatenate([a, b])), L.LSTM(3)(O.expand_dims(i, 1))]), [floats(2, 6), floats(2, 6)]


@case()
def a_vector_of_steps():
    return Sequential([Input((6,)), L.Reshape((2, 3)), L.TimeDistributed(L.Dense(4)), L.LSTM(3)]), [floats(2, 6)]


@case()
def steps_of_another_size():
    return Sequential([Input((6, 4)), L.Reshape((3, 8)), L.LSTM(3)]), [floats(2, 6, 4)]


@case("keras", "h5")
def arrays_beside_values():
    i = Input((6, 3))
    elements, positions = O.convert_to_tensor(floats(3)), O.convert_to_tensor(floats(6, 3))
    y = O.maximum((elements - i * elements) / O.convert_to_tensor([[0.5, 2.0, 4.0]]), elements)
    return Model(i, [L.LSTM(3)(y), L.GRU(3)(i + positions), L.GRU(2)(positions[None, :, :1] * i)]), [x]


@case("keras", "h5")
def called_twice():
    i = Input((None, 3))
    inner = Model(i, L.LSTM(3, return_sequences=True)(L.Dense(3)(i)), name="inner")
    i = Input((None, 3))
    once, twice = inner(i), inner(i * 2.0)
    return Model(i, [once, L.GRU(2)(twice), inner(inner(inner(i)))]), [x]


@case("keras", "h5")
def dictionaries():
    i, j = Input((None, 3), name="q"), Input((None, 2), name="a")
    inner = Model({"q": i, "a": j}, {"z": L.LSTM(3)(i), "b": L.GRU(3)(j)}, name="inner")
    i, j = Input((None, 3)), Input((None, 2))
    y = inner({"a": j, "q": i})
    return Model([i, j], {"first": L.Dense(2)(y["z"] - 2 * y["b"]), "second": L.LSTM(3)(i)}), [x, floats(2, 6, 2)]


@case("keras", "h5")
def masks_as_steps():
    i, m, k = Input((6, 3)), Input((6,), dtype="bool"), Input((6,), dtype="int32")
    y = L.Embedding(5, 3, mask_zero=True)(k)
    z = L.Concatenate(axis=1)([y, L.Masking()(i)])
    outputs = [L.LSTM(3)(i, mask=m), L.Bidirectional(L.GRU(2))(i, mask=m), L.GRU(3)(z), L.GlobalAveragePooling1D()(z)]
    return Model([i, m, k], outputs), [x, np.array([[1, 1, 0, 1, 1, 0], [0, 1, 1, 0, 0, 0]], bool), ids([1, 2, 0, 3, 0, 0], [4, 0, 1, 1, 2, 3])]


@case("keras", "h5")
def layers_under_masks():
    i = Input((None,), dtype="int32")
    y = L.Embedding(7, 4, mask_zero=True)(i)
    z = L.Bidirectional(L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True))(y)
    a = L.LayerNormalization()(L.Add()([y, L.MultiHeadAttention(2, 3)(y, y)]))
    return Model(i, [z, L.GlobalAveragePooling1D()(a), L.LSTM(3)(a)]), [ids([1, 2, 0, 3, 0, 0], [4, 5, 6, 1, 2, 3])]


@case("keras", "h5")
def u_net():
    i = Input((8, 3))
    a = L.Conv1D(4, 3, padding="same", strides=2, activation="relu")(i)
    b = L.LSTM(4, return_sequences=True)(L.MaxPooling1D(2)(a))
    c = L.Add()([L.UpSampling1D(2)(b), a])
    return Model(i, L.Conv1D(2, 1)(L.Concatenate()([L.Conv1DTranspose(4, 4, strides=2, padding="same")(c), i]))), [floats(2, 8, 3)]


@case("keras", "h5")
def cumulative():
    i = Input((None, 3))
    y = (i - O.mean(i, -1, keepdims=True)) / (O.std(i, -1, keepdims=True) + 0.1)
    outputs = [L.LSTM(3)(y), O.cumsum(i, 1), O.cumsum(i, 2), O.roll(i, -1, 2), L.Dense(2)(O.var(i, (1, 2), keepdims=True)[:, 0])]
    return Model(i, outputs), [x]


@case()
def more_steps_than_there_are():
    i = Input((6, 3))
    return Model(i, L.LSTM(3)(i[:, -24:])), [x]


@case("keras", "h5")
def einsum_dense():
    layers = [L.EinsumDense("abc,cd->abd", (None, 5), bias_axes="d"), L.LSTM(4, return_sequences=True)]
    return Sequential([Input((None, 3)), *layers, L.EinsumDense("...x,xy->...y", 2, activation="tanh")]), [x]


@case("keras", "h5")
def padded_means():
    i = Input((None, 6, 5, 2))
    y = L.TimeDistributed(L.AveragePooling2D(3, 1, padding="same"))(i)
    z = L.TimeDistributed(L.AveragePooling1D(3, 1, padding="same"))(L.Reshape((-1, 6, 10))(i))
    return Model(i, [L.LSTM(2)(L.TimeDistributed(L.Flatten())(v)) for v in (y, z)]), [floats(2, 4, 6, 5, 2)]


@case("keras", "h5")
def norms_of_steps():
    i = Input((6, 3))
    norms = [L.Normalization(axis=1), L.Normalization(axis=(1, 2)), L.Normalization(axis=(1, 2), invert=True)]
    for norm in norms:
        norm.adapt(rng.normal(2, 3, (20, 6, 3)).astype("float32"))
    return Model(i, [L.LSTM(2)(norm(i)) for norm in norms] + [L.GRU(3)(L.BatchNormalization(axis=1)(i))]), [x]


@case("keras", "h5")
def masks_of_several():
    i, j = Input((None,), dtype="int32"), Input((None,), dtype="int32")
    y, z = L.Embedding(7, 3, mask_zero=True)(i), L.Embedding(5, 3, mask_zero=True)(j)
    outputs = [L.LSTM(3)(L.Concatenate()([y, z])), L.GRU(2)(L.Add()([y, z])), L.MultiHeadAttention(2, 3)(y, z)]
    return Model([i, j], outputs), [ids([1, 2, 0, 3, 0, 0], [4, 0, 6, 1, 2, 3]), ids([1, 0, 0, 3, 2, 0], [4, 1, 1, 0, 0, 0])]


@case("keras", "h5")
def images_alone():
    i = Input((8, 6, 1))
    y = L.BatchNormalization(axis=3)(L.MaxPooling2D(2)(L.Conv2D(3, 3, padding="same", activation="elu")(i)))
    outputs = [L.GRU(3)(L.Reshape((3, 12))(L.Permute((2, 1, 3))(y))), L.LSTM(2)(L.TimeDistributed(L.Flatten())(L.Permute((3, 1, 2))(y)))]
    return Model(i, outputs), [floats(2, 8, 6, 1)]


@case("keras", "h5")
def dense_over_steps():
    i = Input((6, 3))
    last = i[:, -1:, :]
    future = L.Permute((2, 1))(L.Dense(4)(L.Permute((2, 1))(i - last))) + last
    past = L.Reshape((6, 3))(L.Dense(18)(L.GRU(4)(i)))
    slopes = [L.LSTM(2)(L.PReLU(shared_axes=axes)(i)) for axes in (None, [2])]
    return Model(i, [future, L.LSTM(3)(i - past), L.GRU(2)(L.Concatenate()([past, i])), *slopes]), [x]


@case("keras", "h5")
def dense_over_rows():
    i = Input((None, 4, 3))
    y = L.TimeDistributed(L.Dense(5, activation="tanh"))(i)
    y = y * O.sigmoid(O.mean(y, 2, keepdims=True)) + O.max(y, 3, keepdims=True)
    return Model(i, L.LSTM(3)(L.TimeDistributed(L.Flatten())(y))), [floats(2, 5, 4, 3)]


@case("keras", "h5")
def one_number_of_a_sequence():
    i = Input((None, 3))
    y = L.LSTM(4, return_sequences=True)(i)
    a, b = O.mean(y, (1, 2)), O.max(O.max(y, 1), -1)
    z = L.Concatenate()([a[:, None], O.expand_dims(b, -1), y[:, -1, 0][..., None], y[:, -1]])
    return Model(i, [z, y - a[:, None, None], O.stack([a, b], 1), O.sqrt(O.sum(y * y, (1, 2)))]), [x]


# A mask of steps where an element is 0.
masked = x * np.array([[1, 1, 0, 1, 1, 0], [0, 1, 1, 0, 0, 1]])[:, :, None].astype("float32")


@case("keras", "h5")
def attention_masks():
    i = Input((None, 3))
    y = L.LSTM(4, return_sequences=True)(i)
    m = O.not_equal(i[:, :, 0], 0.0)
    outputs = [L.MultiHeadAttention(2, 3)(y, y, attention_mask=m[:, None, :]), L.MultiHeadAttention(2, 3)(y, y, value_mask=m),
               L.MultiHeadAttention(2, 3)(y, i, key=2 * i, key_mask=m), L.Attention()([y, y], mask=[None, m]),
               L.MultiHeadAttention(2, 3)(y, y, attention_mask=(i[:, :, 2] > -9.0)[:, None, None, :], use_causal_mask=True)]
    return Model(i, outputs), [masked]


@case("keras", "h5")
def masks_of_ids():
    i = Input((6,), dtype="int32")
    y, z = L.Embedding(7, 4)(i), L.Embedding(7, 4, mask_zero=True)(i)
    # MultiHeadAttention takes the mask from what it read.
    w = L.Embedding(7, 4, mask_zero=True)(i)
    m = O.not_equal(i, 0)[:, None, :]
    outputs = [L.MultiHeadAttention(2, 3)(y, y, attention_mask=m), L.LSTM(3)(L.MultiHeadAttention(2, 3)(z, z, attention_mask=m))]
    return Model(i, [*outputs, L.MultiHeadAttention(2, 3)(w, w, attention_mask=np.tril(np.ones((6, 6))))]), [ids([1, 2, 0, 3, 0, 0], [4, 5, 6, 1, 2, 3])]


@case("keras", "h5")
def grouped_queries():
    i = Input((None,), dtype="int32")
    y = L.Embedding(7, 4, mask_zero=True)(i)
    z = L.GroupQueryAttention(3, 4, 2)(y, y)
    return Model(i, [L.LSTM(3)(z), L.GroupQueryAttention(3, 4, 1, use_bias=False)(z, y, use_causal_mask=True)]), [ids([1, 2, 0, 3, 0, 0], [4, 5, 6, 1, 2, 3])]


@case("keras", "h5")
def categories():
    i, k, n = Input((6, 3)), Input((1,), dtype="int32"), Input((4,), dtype="int32")
    one, several = L.CategoryEncoding(5, output_mode="one_hot")(k), L.CategoryEncoding(5)(n)
    y = L.Concatenate()([L.LSTM(3)(i), one, several, L.CategoryEncoding(5, output_mode="count")(n)])
    return Model([i, k, n], L.Dense(2)(y)), [x, ids([1], [4]), ids([1, 2, 1, 0], [4, 3, 3, 3])]


@case("keras", "h5")
def rolled_steps():
    i = Input((None, 3))
    return Model(i, [i - O.roll(i, 1, 1), O.roll(L.GRU(2, return_sequences=True)(i), -1, 1)]), [x]


@case("keras", "h5")
def rolled_by_several_steps():
    i = Input((6, 3))
    return Model(i, [O.roll(i, 2, 1), O.roll(i, -8, 1)]), [x]


@case("keras", "h5")
def channels_first():
    i = Input((6, 4))
    first = {"data_format": "channels_first"}
    y = L.LSTM(4, return_sequences=True)(i)
    z = L.TimeDistributed(L.Conv2D(3, (1, 2), **first))(L.Reshape((6, 1, 2, 2))(y))
    outputs = [L.Dense(3)(L.Flatten(**first)(y)), L.GRU(3)(L.Conv1D(5, 2, **first)(y)), L.GRU(2)(L.MaxPooling1D(2, **first)(y)),
               L.GlobalAveragePooling1D(keepdims=True, **first)(y), L.LSTM(2)(L.TimeDistributed(L.Flatten(**first))(z))]
    return Model(i, outputs), [floats(2, 6, 4)]


@case("keras", "h5")
def norms_along_axes():
    i = Input((6, 4, 3))
    norms = [L.LayerNormalization(axis=[2, 3]), L.LayerNormalization(center=False), L.LayerNormalization(axis=[1, 2, 3], scale=False),
             L.GroupNormalization(3), L.GroupNormalization(2, axis=2), L.UnitNormalization(axis=1), L.RMSNormalization()]
    return Model(i, [L.LSTM(2)(L.TimeDistributed(L.Flatten())(norm(i))) for norm in norms]), [floats(2, 6, 4, 3)]


@case("keras", "h5")
def groups_over_steps():
    i = Input((None, 4))
    y = L.GroupNormalization(2, epsilon=0.1)(L.LSTM(4, return_sequences=True)(i))
    return Model(i, [L.GRU(3)(y), L.UnitNormalization(axis=1)(i)]), [floats(2, 6, 4)]


@case("keras", "h5")
def images_of_several_kinds():
    i = Input((None, 6, 4))
    y = L.Conv2D(6, 3, padding="same", groups=2, activation="relu")(L.ZeroPadding2D(((1, 0), (0, 2)))(i))
    y = L.UpSampling2D((2, 1))(L.Cropping2D(((1, 2), (1, 0)))(L.DepthwiseConv2D((2, 3), strides=(1, 1), depth_multiplier=2)(y)))
    y = L.SeparableConv2D(3, 2, depth_multiplier=2, activation="tanh")(y)
    z = L.TimeDistributed(L.Reshape((3, 2, 4)))(i)
    for layer in (L.ZeroPadding2D((0, 1)), L.Conv2D(4, 2, groups=4), L.UpSampling2D(2), L.SeparableConv2D(2, (3, 1)), L.Cropping2D((0, 1))):
        z = L.TimeDistributed(layer)(z)
    return Model(i, [L.LSTM(3)(L.TimeDistributed(L.Flatten())(value)) for value in (y, z)]), [floats(2, 8, 6, 4)]


@case("keras", "h5")
def columns_as_steps():
    i = Input((8, None, 1))
    y = L.MaxPooling2D((2, 1))(L.Conv2D(3, (3, 2), strides=(1, 2), padding="same", activation="relu")(i))
    y = L.BatchNormalization()(L.AveragePooling2D((2, 2))(L.SeparableConv2D(4, (2, 3), padding="same")(y)))
    return Model(i, L.Bidirectional(L.LSTM(3, return_sequences=True))(L.TimeDistributed(L.Flatten())(L.Permute((2, 1, 3))(y)))), [floats(2, 8, 11, 1)]


@case("keras", "h5")
def columns_of_a_sequence():
    i = Input((8, 6, 1))
    y = L.Conv2D(2, 3, padding="same")(L.Reshape((8, 6, 1))(L.GRU(6, return_sequences=True)(L.Reshape((8, 6))(i))))
    z = L.Reshape((6, 16))(L.Permute((2, 1, 3))(y))
    return Model(i, [L.LSTM(3)(z), L.Dense(2)(L.Flatten()(L.Permute((3, 1, 2))(y)))]), [floats(2, 8, 6, 1)]


@case("keras", "h5")
def the_last_steps():
    i = Input((None, 3))
    y = L.LSTM(4, return_sequences=True)(i)
    return Model(i, [L.Dense(3)(L.Reshape((16,))(y[:, -4:])), L.GRU(2)(L.Reshape((2, 4))(y[:, -3:-1])), L.Dense(2)(L.Reshape((12,))(y[:, 1:4]))]), [x]


@case("keras", "h5")
def ids_of_some_steps():
    return Sequential([Input((5,), dtype="int32"), L.Embedding(7, 3), L.LSTM(2)]), [ids([1, 2, 0, 3, 6], [4, 5, 6, 1, 2])]


@case("keras", "h5")
def softmax_along_axes():
    i = Input((None, 3, 4))
    y = L.Rescaling(40.0)(i)
    return Model(i, [L.Softmax(axis=axis)(y) for axis in ([2, 3], 2, -1, [1, 3], 1)] + [L.Activation("log_softmax")(y)]), [floats(2, 6, 3, 4)]


@case()
def log_softmax_along_axes():
    i = Input((None, 3, 4))
    return Model(i, [O.log_softmax(i, axis=axis) for axis in (1, 2)] + [O.softmax(i, axis=-1)]), [floats(2, 6, 3, 4)]


@case("keras", "h5")
def products_over_steps():
    i = Input((None, 3))
    y = L.LSTM(4, return_sequences=True)(i)
    return Model(i, [L.Dot(axes=1)([i, y]), L.Dot(axes=1)([L.Softmax(axis=1)(L.Dense(1)(y)), y])]), [x]


@case()
def products_with_arrays():
    i = Input((None, 3))
    y = L.LSTM(4, return_sequences=True)(i)
    z = O.reshape(y, (-1, 6, 2, 2))
    matrix, vector, square = floats(4, 5), floats(4), floats(2, 2)
    sequences = [O.matmul(y, matrix), O.dot(y, matrix), O.tensordot(y, matrix, axes=[[2], [0]]), O.tensordot(y, matrix, axes=1),
                 O.einsum("bti,ij->btj", y, matrix), O.matmul(y, vector)]
    return Model(i, [*sequences, O.matmul(y[:, -1], matrix), L.GRU(2)(L.TimeDistributed(L.Flatten())(O.matmul(z, square)))]), [x]


@case()
def widened_by_arrays():
    i = Input((6, 1))
    y = L.LSTM(1, return_sequences=True)(i)
    z = L.Reshape((1, 4))(L.LSTM(4)(i))
    rows = O.reshape(L.LSTM(4)(i), (-1, 2, 1, 2)) * floats(3, 1)
    return Model(i, [y + floats(1, 1, 4), O.subtract(floats(4), y), y * floats(1, 6, 4), z * floats(1, 3, 4), rows]), [floats(2, 6, 1)]


@case("keras", "h5")
def larger_images():
    i = Input((None, 3, 4, 2))
    bilinear = {"interpolation": "bilinear"}
    y = i
    for layer in (L.UpSampling2D((2, 3), **bilinear), L.Conv2D(2, 3, strides=2), L.Conv2DTranspose(3, (3, 2), strides=(2, 1), padding="same")):
        y = L.TimeDistributed(layer)(y)
    z = L.TimeDistributed(L.Conv2DTranspose(2, 2, strides=3, activation="tanh", use_bias=False))(i)
    rows = L.TimeDistributed(L.Conv1DTranspose(2, 3, strides=2))(L.TimeDistributed(L.Reshape((6, 4)))(i))
    return Model(i, [L.LSTM(2)(L.TimeDistributed(L.Flatten())(value)) for value in (y, z, rows)]), [floats(2, 5, 3, 4, 2)]


@case("keras", "h5")
def larger_images_of_channels():
    i = Input((2, 6))
    y = L.Conv1DTranspose(3, 3, strides=2, padding="same", data_format="channels_first")(i)
    z = L.UpSampling2D((2, 1), interpolation="bilinear")(L.Reshape((3, 4, 3))(y))
    return Model(i, L.Dense(2)(L.Flatten()(z))), [floats(2, 2, 6)]


@case("keras", "h5")
def masked_beside_unmasked():
    i, j = Input((5,), dtype="int32", name="masked"), Input((4, 3), name="plain")
    y = L.LSTM(3)(L.Embedding(7, 3, mask_zero=True)(i))
    return Model([i, j], L.Concatenate()([y, L.GRU(2)(j)])), [ids([1, 2, 3, 0, 0], [4, 5, 6, 1, 0]), floats(2, 4, 3)]


@case("keras", "h5", "weights")
def shared_by_nested_models():
    block = Sequential([Input((None, 4)), L.LSTM(4, return_sequences=True), L.LayerNormalization()], name="block")
    middle = Sequential([Input((None, 4)), block, L.Dense(4, activation="relu")], name="middle")
    row = Sequential([Input((4,)), L.Dense(3)], name="row")
    i = Input((None, 4))
    return Model(i, [L.TimeDistributed(row)(middle(block(middle(i)))), row(i[:, -1])]), [floats(2, 6, 4)]


@case("keras", "h5")
def norms_without_weights():
    i = Input((6, 4))
    unit, plain = L.UnitNormalization(), L.LayerNormalization(center=False, scale=False)
    rows = L.UnitNormalization(axis=2)(L.Reshape((6, 2, 2))(i))
    return Model(i, [unit(L.GRU(3)(i)), unit(plain(i)), plain(L.LSTM(4)(i)), L.TimeDistributed(L.Flatten())(rows)]), [floats(2, 6, 4)]


@case("keras", "h5")
def one_id_of_a_sequence():
    i, shop = Input((None, 3), name="sales"), Input((), dtype="int32", name="shop")
    y = L.Concatenate()([L.LSTM(4)(i), L.Embedding(5, 2)(shop)])
    return Model([i, shop], L.Dense(2)(y)), [x, ids(3, 1)]


@case("keras", "h5")
def unread_attention_scores():
    i = Input((6, 4))
    y, _ = L.Attention()([i, i], return_attention_scores=True)
    z, _ = L.MultiHeadAttention(2, 3)(y, i, return_attention_scores=True)
    return Model(i, L.LSTM(3)(z)), [floats(2, 6, 4)]


@case("keras", "h5")
def steps_behind_elements():
    layers = [L.Permute((2, 1)), L.UpSampling1D(2), L.Permute((2, 1)), L.LSTM(4)]
    return Sequential([Input((6, 3)), *layers]), [x]


@case("keras", "h5")
def functions_of_several_ops():
    i = Input((6, 3))
    y = L.LSTM(4, return_sequences=True)(i)
    rows = O.pad(O.reshape(y, (-1, 6, 2, 2)), ((0, 0), (0, 0), (0, 1), (1, 2)), constant_values=3.0)
    padded = O.pad(y, ((0, 0), (2, 1), (1, 0)))
    ends = [O.pad(y, ((0, 0), (2, 3), (0, 0)), mode=mode) for mode in ("reflect", "constant")]
    lengths = [O.norm(y, axis=1), O.norm(y, axis=-1, keepdims=True), O.norm(y, ord=1, axis=-1), O.norm(y, axis=(1, 2))]
    sums = [O.logsumexp(y * 90, axis=-1), O.logsumexp(y, axis=1, keepdims=True), O.logsumexp(y, axis=(1, 2))]
    steps, parts = O.unstack(y, axis=1), O.unstack(y, axis=-1)
    others = [O.sign(i), O.log2(y + 2), O.log10(y + 2), O.amax(y, axis=1), O.amin(y, axis=-1), O.average(y, axis=1)]
    more = [y + O.full_like(y, 0.3), O.squeeze(y[:, -1:], 1), steps[1] - steps[-1], O.stack([parts[0], parts[3]], axis=-1)]
    return Model(i, [L.TimeDistributed(L.Flatten())(rows), padded, *ends, *lengths, *sums, *others, *more]), [x * (abs(x) > 0.2)]


@case("keras", "h5")
def functions_of_elements():
    i = Input((None, 3))
    y = L.LSTM(4, return_sequences=True)(i)
    numbered = [O.elu(y, alpha=0.5), O.celu(y, alpha=2.0), O.leaky_relu(y, negative_slope=0.3), O.threshold(y, 0.1, -1.0)]
    numbered += [O.soft_shrink(y, 0.2), O.hard_shrink(y, 0.2), O.tanh_shrink(y), O.gelu(y, approximate=False)]
    known = O.where(O.isnan(i), 0.0, O.nan_to_num(i[:, :, :3]))
    time2vec = O.concatenate([i[:, :, :1], O.sin(known * 9 + 0.5), O.cos(i * 12)], axis=-1)
    products = [O.einsum("btd,btd->bt", y, y + 1), O.einsum("btd,btd->btd", y, y + 1)]
    return Model(i, [*numbered, L.GRU(2)(time2vec), *products]), [x]


@case("keras", "h5")
def ids_beside_numbers():
    i = Input((None, 4))
    columns = [L.Embedding(5, 3)(i[:, :, 0]), L.Embedding(3, 2)(O.cast(i[:, :, 1], "int32")), i[:, :, 2:]]
    masked = L.LSTM(3, return_sequences=True)(L.Embedding(5, 2, mask_zero=True)(i[:, :, 0]))
    ids = np.stack([rng.integers(0, 5, (2, 6)), rng.integers(0, 3, (2, 6))], -1)
    return Model(i, [L.LSTM(4)(L.Concatenate()(columns)), masked]), [np.concatenate([ids, floats(2, 6, 2)], -1).astype("float32")]


@case("keras", "h5")
def letters_of_words():
    i = Input((None, 5), dtype="int32")
    letters = L.TimeDistributed(L.Conv1D(4, 2, activation="relu"))(L.TimeDistributed(L.Embedding(7, 3))(i))
    words = L.TimeDistributed(L.GlobalMaxPooling1D())(letters)
    columns = L.Concatenate()([L.Embedding(7, 2)(i[:, :, k]) for k in range(3)])
    outputs = [L.Bidirectional(L.LSTM(3, return_sequences=True))(words), L.GRU(2)(columns)]
    return Model(i, outputs), [rng.integers(0, 7, (2, 6, 5)).astype("int32")]


@case("keras", "h5")
def thresholds_with_slopes():
    i = Input((None, 3))
    y = L.LSTM(4, return_sequences=True)(L.ReLU(max_value=1.2, negative_slope=0.1, threshold=0.3)(i))
    return Model(i, [y, keras.activations.relu(y, negative_slope=0.1), L.ReLU(negative_slope=0.2, threshold=0.1)(L.GRU(2)(i))]), [x]


@case("keras", "h5")
def one_hot_columns():
    i = Input((None, 3))
    kind = O.one_hot(O.cast(i[..., 0], "int32"), 5)
    return Model(i, L.LSTM(3)(L.Concatenate()([kind, i[..., 1:]]))), [np.concatenate([rng.integers(0, 5, (2, 6, 1)), rng.normal(0, 1, (2, 6, 2))], -1).astype("float32")]


@case("keras", "h5")
def interactions():
    q, r, x = Input((None,), dtype="int32"), Input((None,), dtype="int32"), Input((None, 2))
    skill = L.Embedding(20, 2)
    steps = [L.Embedding(40, 3)(q + 20 * r), skill(O.flip(q, 1)), L.Embedding(2, 2)(O.cast(x[..., 0] > 0, "int32"))]
    y = L.Concatenate()([L.LSTM(4)(L.Concatenate()(steps)), skill(q[:, -1]), L.GRU(2)(skill(q[:, :-1]))])
    return Model([q, r, x], y), [rng.integers(0, n, (2, 6)).astype("int32") for n in (20, 2)] + [floats(2, 6, 2)]


def randomize(model):
    """Gives every weight another number than those that training starts from."""
    fixed = {id(v) for layer in model.layers if isinstance(layer, L.Normalization) for v in layer.weights}
    for variable in model.weights:
        if not variable.dtype.startswith("float") or "seed" in variable.path or id(variable) in fixed:
            continue
        numbers = rng.normal(0, 0.5, variable.shape)
        variable.assign(abs(numbers) + 0.3 if "variance" in variable.path else numbers)


def save(folder, name, model, inputs, kinds):
    randomize(model)
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    outputs = outputs if isinstance(outputs, (list, tuple, dict)) else [outputs]
    outputs = list(outputs.values()) if isinstance(outputs, dict) else outputs
    arrays = {f"input_{index}": array.astype("float32") if array.dtype == bool else array for index, array in enumerate(inputs)}
    arrays |= {f"output_{index}": array for index, array in enumerate(outputs)}
    for kind in kinds:
        path = f"{folder}/{name}.{kind}"
        if kind == "weights":
            model.save_weights(path + ".h5")
            with open(f"{folder}/{name}.json", "w") as file:
                file.write(model.to_json())
        else:
            model.save(path)
        np.savez(path + ".npz", **arrays)


def main():
    if len(sys.argv) < 2 or sys.argv[1] == "--help":
        sys.exit(__doc__)
    folder, names = sys.argv[1], sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    for name, (function, kinds) in cases.items():
        keras.utils.clear_session()
        if not names or name in names:
            save(folder, name, *function(), kinds)


if __name__ == "__main__":
    main()
