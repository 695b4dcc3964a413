#!/usr/bin/env python3
"""usage: keras2_models.py FOLDER [CASE...]

Makes small models of Keras 2 as its savers write them, and files as Keras 1 and the layers for cuDNN wrote them, with what
Keras 2 answers beside them, as keras_models.py does. Run with tf_keras 2.21, tensorflow-cpu 2.21 and h5py
(keras2_more_functions, keras2_named_masks, keras2_masked_heads, keras2_attention_masks, keras2_functions_of_several_ops: 2.15).
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras  # noqa: E402
from tf_keras import Input, Model, Sequential  # noqa: E402
from tf_keras import layers as L  # noqa: E402
from tf_keras.src.saving.legacy.hdf5_format import _convert_rnn_weights  # noqa: E402

rng = np.random.default_rng(1)
cases = {}


def case(*kinds):
    def add(function):
        cases[function.__name__] = (function, kinds)
        return function

    return add


def floats(*shape):
    return rng.normal(0, 1, shape).astype("float32")


every = ("h5", "keras", "weights", "lists")
x = floats(2, 6, 3)


@case(*every)
def keras2_hard_sigmoid():
    layers = [L.LSTM(4, recurrent_activation="hard_sigmoid"), L.Dense(3, activation="hard_sigmoid")]
    return Sequential([Input((None, 3)), *layers]), [x]


@case(*every)
def keras2_recurrent():
    layers = [
        L.Bidirectional(L.LSTM(3, return_sequences=True), input_shape=(None, 3)),
        L.RNN([L.GRUCell(3), L.LSTMCell(2)], return_sequences=True),
        L.TimeDistributed(L.Dense(3, activation="relu")),
        L.GRU(3, reset_after=False, go_backwards=True),
    ]
    return Sequential(layers), [x]


@case("h5", "keras")
def keras2_states():
    i, h, c = Input((None, 3)), Input((3,)), Input((3,))
    y, a, b = L.LSTM(3, return_sequences=True, return_state=True)(i, initial_state=[h, c])
    return Model([i, h, c], [L.LSTM(3)(y, initial_state=[a, b]), a, b]), [x, floats(2, 3), floats(2, 3)]


@case("h5", "keras", "lists")
def keras2_nested():
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


@case("h5")
def keras2_functions():
    i = Input((None, 3))
    a = L.LSTM(4, return_sequences=True)(i)
    y = tf.tanh(a * 2.0 + 1.0) - a
    weights = tf.nn.softmax(L.Dense(1)(a), axis=1)
    outputs = [y[:, -1], tf.reduce_mean(y, axis=1), y[:, :, 1:3], tf.reduce_sum(weights * a, axis=1)]
    return Model(i, outputs), [x]


@case("h5")
def keras2_attention():
    i = Input((None, 3))
    a, b = L.LSTM(4, return_sequences=True)(i), L.GRU(4, return_sequences=True)(i)
    outputs = [L.Attention(use_scale=True)([a, b]), L.AdditiveAttention()([a, b]), L.MultiHeadAttention(2, 3)(a, b)]
    return Model(i, outputs), [x]


@case("h5")
def keras2_more_functions():
    i = Input((None, 4))
    a = L.LSTM(4, return_sequences=True)(i)
    outputs = [a[..., 1:], i - i[:, -1:], a[:, ::-1], tf.reduce_mean(a, axis=-1), tf.reduce_sum(a, axis=[1, 2]), tf.reduce_min(a, axis=1)]
    outputs += [tf.tile(a, [1, 1, 2]), tf.gather(a, [0, 2], axis=-1), tf.split(a, [1, 3], axis=2)[1], tf.reduce_mean(tf.stack([a, i], axis=1), axis=1)]
    outputs += [tf.where(a > 0.0, a, 0.1 * a), tf.cast(a > 0.1, tf.float32), tf.pow(a, 3.0), 1.0 / (1.0 + tf.abs(a)), tf.nn.gelu(a)]
    outputs += [tf.matmul(tf.nn.softmax(tf.matmul(a, a, transpose_b=True) / 2.0), a), tf.concat([a[:, :1], a], axis=1), tf.reverse(a, axis=[1])]
    return Model(i, outputs), [rng.normal(0, 1, (2, 6, 4)).astype("float32")]


@case("keras", "h5")
def keras2_masked_heads():
    i, j = Input((None,), dtype="int32"), Input((None,), dtype="int32")
    y, z = L.Embedding(7, 4, mask_zero=True)(i), L.Embedding(5, 4, mask_zero=True)(j)
    a = L.LayerNormalization()(L.Add()([y, L.MultiHeadAttention(2, 3)(y, y)]))
    outputs = [L.LSTM(3)(a), L.MultiHeadAttention(2, 3)(y, z), L.GRU(2)(L.Concatenate()([y, z]))]
    return Model([i, j], outputs), [
        np.array([[1, 2, 0, 3, 0, 0], [4, 0, 6, 1, 2, 3]], "int32"),
        np.array([[1, 0, 0, 3, 2, 0], [4, 1, 1, 0, 0, 0]], "int32"),
    ]


@case("keras", "h5")
def keras2_attention_masks():
    i, j = Input((6, 3)), Input((6,), dtype="int32")
    y, z = L.LSTM(4, return_sequences=True)(i), L.Embedding(7, 4)(j)
    m = tf.not_equal(j, 0)
    lower = tf.linalg.band_part(tf.ones((1, 6, 6)), -1, 0)
    outputs = [L.MultiHeadAttention(2, 3)(y, y, attention_mask=lower), L.MultiHeadAttention(2, 3)(z, z, attention_mask=m[:, tf.newaxis, :])]
    return Model([i, j], outputs), [x, np.array([[1, 2, 0, 3, 0, 0], [4, 0, 6, 1, 2, 3]], "int32")]


@case("h5", "keras")
def keras2_functions_of_several_ops():
    i = Input((6, 3))
    y = L.LSTM(4, return_sequences=True)(i)
    steps = tf.unstack(y, axis=1)
    mask = tf.cast(tf.reduce_any(tf.not_equal(i, 0.0), axis=-1, keepdims=True), tf.float32)
    mean = tf.reduce_sum(y * mask, axis=1) / tf.reduce_sum(mask, axis=1)
    others = [tf.pad(y, [[0, 0], [3, 0], [0, 1]]), tf.norm(y, axis=1), tf.reduce_logsumexp(y, axis=-1), tf.sign(i)]
    return Model(i, [mean, steps[0] - steps[-1], *others]), [x * (floats(2, 6, 1) > -0.5)]


@case("h5", "keras")
def keras2_named_masks():
    """A mask that a call names goes on to the layers behind; so does that there is none."""
    i, m, k = Input((6, 3)), Input((6,), dtype="bool"), Input((6,), dtype="int32")
    e = L.Embedding(5, 3, mask_zero=True)(k)
    y = L.GRU(4, return_sequences=True)(i, mask=m)
    z = L.Bidirectional(L.LSTM(2, return_sequences=True))(i, mask=m)
    outputs = [
        L.GRU(2)(y), L.GlobalAveragePooling1D()(z), L.LSTM(2)(L.Dense(3)(L.Add()([y, z]))),
        L.GRU(2)(L.GRU(3, return_sequences=True)(e, mask=None)), L.GRU(2)(L.GRU(3, return_sequences=True)(e, mask=m)),
        L.GlobalAveragePooling1D()(e, mask=None), L.GRU(2)(L.TimeDistributed(L.Dense(2))(i, mask=m)),
    ]
    return Model([i, m, k], outputs), [
        x, np.array([[1, 1, 0, 1, 1, 0], [0, 1, 1, 0, 0, 0]], bool), np.array([[1, 2, 0, 3, 0, 0], [4, 0, 1, 1, 2, 3]], "int32")]


def save(folder, name, model, inputs, kinds):
    for variable in model.weights:
        if "float" in variable.dtype.name:
            numbers = rng.normal(0, 0.5, variable.shape)
            variable.assign(abs(numbers) + 0.3 if "variance" in variable.name else numbers)
    for kind in kinds:
        path = f"{folder}/{name}.{kind}"
        if kind == "lists":
            path = f"{folder}/{name}_lists.weights"
            model.save_weights(f"{folder}/lists.h5", save_format="h5")
            os.rename(f"{folder}/lists.h5", path + ".h5")
        elif kind == "weights":
            model.save_weights(path + ".h5")
        else:
            model.save(path)
        if kind in ("lists", "weights"):
            with open(path.removesuffix(".weights") + ".json", "w") as file:
                file.write(model.to_json())
        save_answers(path, model, inputs)


def save_answers(path, model, inputs):
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    arrays = {f"input_{index}": array.astype("float32") if array.dtype == bool else array for index, array in enumerate(inputs)}
    np.savez(path + ".npz", **arrays, **{f"output_{index}": array for index, array in enumerate(outputs)})


# Files as they were written before: a list of weights for each layer.


def write(path, version, layers):
    """Layers are (class, configuration, [(name, weight)])."""
    with h5py.File(path, "w") as file:
        described = [{"class_name": kind, "config": config} for kind, config, _ in layers]
        if version and version.startswith("2"):
            described = {"name": "sequential_1", "layers": described}
        model = {"class_name": "Sequential", "config": described}
        file.attrs["model_config"] = json.dumps(model).encode()
        group = file.create_group("model_weights")
        names = [config["name"] for _, config, _ in layers]
        group.attrs["layer_names"] = np.array([name.encode() for name in names])
        if version:
            file.attrs["keras_version"] = version.encode()
        for _, config, weights in layers:
            part = group.create_group(config["name"])
            part.attrs["weight_names"] = np.array([name.encode() for name, _ in weights])
            for name, weight in weights:
                part.create_dataset(name, data=weight)


def keras1(folder):
    """Keras 1: weights of each gate apart, `hard_sigmoid` gates, and names that have changed."""
    units = 4
    lstm = {part: {gate: 0.4 * floats(*shape) for gate in "icfo"} for part, shape in parts(3, units)}
    gru = {part: {gate: 0.4 * floats(*shape) for gate in "zrh"} for part, shape in parts(units, units)}
    dense = [floats(units, 2), floats(2)]
    model = Sequential([
        Input((None, 3)),
        L.LSTM(units, recurrent_activation="hard_sigmoid", return_sequences=True),
        L.GRU(units, recurrent_activation="hard_sigmoid", reset_after=False),
        L.Dense(2, activation="softmax"),
    ])  # fmt: skip
    joined = [np.concatenate([lstm[part][gate] for gate in "ifco"], -1) for part in "WUb"]
    joined += [np.concatenate([gru[part][gate] for gate in "zrh"], -1) for part in "WUb"]
    model.set_weights(joined + dense)
    shared = {"activation": "tanh", "inner_activation": "hard_sigmoid", "go_backwards": False, "consume_less": "cpu"}
    layers = [
        ("LSTM", {"name": "lstm_1", "batch_input_shape": [None, None, 3], "output_dim": units, "return_sequences": True}
         | shared, [(f"lstm_1_{part}_{gate}", lstm[part][gate]) for gate in "icfo" for part in "WUb"]),
        ("GRU", {"name": "gru_1", "output_dim": units, "return_sequences": False} | shared,
         [(f"gru_1_{part}_{gate}", gru[part][gate]) for gate in "zrh" for part in "WUb"]),
        ("Dropout", {"name": "dropout_1", "p": 0.2}, []),
        ("Dense", {"name": "dense_1", "output_dim": 2, "activation": "softmax", "bias": True},
         [("dense_1_W", dense[0]), ("dense_1_b", dense[1])]),
    ]  # fmt: skip
    for name, version in (("keras1", "1.2.2"), ("keras1_without_version", None)):
        write(f"{folder}/{name}.h5", version, layers)
        save_answers(f"{folder}/{name}.h5", model, [x])


def parts(inputs, units):
    return [("W", (inputs, units)), ("U", (units, units)), ("b", (units,))]


def cudnn(folder):
    """Layers for cuDNN, whose matrices Keras itself turns into those of plain layers."""
    units = 4
    names = ["kernel:0", "recurrent_kernel:0", "bias:0"]

    def weights(inputs, gates):
        return [0.5 * floats(*shape) for shape in ((inputs, gates * units), (units, gates * units), (2 * gates * units,))]

    lstm, gru, forward, backward = weights(3, 4), weights(units, 3), weights(units, 4), weights(units, 4)
    dense = [floats(2 * units, 2), floats(2)]
    model = Sequential([
        Input((None, 3)),
        L.LSTM(units, return_sequences=True),
        L.GRU(units, return_sequences=True),
        L.Bidirectional(L.LSTM(units, return_sequences=True)),
        L.Dense(2),
    ])  # fmt: skip
    both = model.layers[2]
    plain = [(model.layers[0], lstm), (model.layers[1], gru), (both.forward_layer, forward), (both.backward_layer, backward)]
    model.set_weights(sum((_convert_rnn_weights(layer, list(kept)) for layer, kept in plain), []) + dense)
    shared = {"units": units, "return_sequences": True, "go_backwards": False}
    inner = {"class_name": "CuDNNLSTM", "config": {"name": "cu_dnnlstm_2"} | shared}
    layers = [
        ("CuDNNLSTM", {"name": "cu_dnnlstm_1", "batch_input_shape": [None, None, 3]} | shared,
         list(zip([f"cu_dnnlstm_1/{name}" for name in names], lstm))),
        ("CuDNNGRU", {"name": "cu_dnngru_1"} | shared, list(zip([f"cu_dnngru_1/{name}" for name in names], gru))),
        ("Bidirectional", {"name": "bidirectional_1", "layer": inner, "merge_mode": "concat"},
         list(zip([f"bidirectional_1/forward_cu_dnnlstm_2/{name}" for name in names], forward))
         + list(zip([f"bidirectional_1/backward_cu_dnnlstm_2/{name}" for name in names], backward))),
        ("Dense", {"name": "dense_1", "units": 2, "activation": "linear", "use_bias": True},
         list(zip(["dense_1/kernel:0", "dense_1/bias:0"], dense))),
    ]  # fmt: skip
    write(f"{folder}/cudnn.h5", "2.2.4", layers)
    save_answers(f"{folder}/cudnn.h5", model, [x])
    # Keras loads such weights into plain layers too.
    plain = {"recurrent_activation": "sigmoid", "reset_after": True}
    for name, settings, _ in layers[:2]:
        settings.update(plain)
    inner.update({"class_name": "LSTM", "config": inner["config"] | plain})
    layers = [(name.replace("CuDNN", ""), settings, kept) for name, settings, kept in layers]
    write(f"{folder}/cudnn_in_plain.h5", "2.2.4", layers)
    save_answers(f"{folder}/cudnn_in_plain.h5", model, [x])


def main():
    if len(sys.argv) < 2 or sys.argv[1] == "--help":
        sys.exit(__doc__)
    folder, names = sys.argv[1], sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    for name, (function, kinds) in cases.items():
        tf_keras.backend.clear_session()
        if not names or name in names:
            save(folder, name, *function(), kinds)
    for function in (keras1, cudnn):
        if not names or function.__name__ in names:
            function(folder)


if __name__ == "__main__":
    main()
