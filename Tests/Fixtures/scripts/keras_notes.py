#!/usr/bin/env python3
"""usage: keras_notes.py FOLDER

Makes Keras models of which the import has something to say: training.VERSION.keras, whose layers draw at inference, and batch_statistics.keras
(keras 2.15 with tensorflow-cpu 2.15); uneven_means.keras, and training.VERSION.keras again (keras 3.15 with torch 2.13).
uneven_means.keras has no answers beside it: PyTorch's differ from TensorFlow's. bfloat16.VERSION.keras computes with 16 bits; read_twice.keras (keras 3.15) loses a mask.
older_weights.h5 (keras 2.15) says that Keras 2.2.4 wrote it, which had the same layout; the layers are in older_weights.json.
"""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py  # noqa: E402
import keras  # noqa: E402

L = keras.layers
version = keras.__version__.split(".")[:2]


def training():
    x = keras.Input((None, 3))
    y = L.Dropout(0.5, name="dropout")(x, training=True)
    # Keras 3 takes no numbers by position.
    second = L.Dropout(0.5, name="second")
    y = second(y, True) if version[0] == "2" else second(y, training=True)
    y = L.Dropout(0.5, name="off")(y, training=False)
    y = L.Bidirectional(L.LSTM(3, recurrent_dropout=0.2, return_sequences=True))(y, training=True)
    y = L.GRU(3, return_sequences=True)(y, training=True)
    inner = keras.Input((None, 3))
    return keras.Model(x, keras.Model(inner, L.LSTM(2)(L.GaussianNoise(0.1)(inner)))(y, training=True))


def batch_statistics():
    x = keras.Input((None, 3))
    return keras.Model(x, L.LSTM(2)(L.BatchNormalization()(x, training=True)))


def uneven_means():
    x = keras.Input((8, 3))
    y = L.AveragePooling1D(3, 1, padding="same", name="even")(x)
    y = L.AveragePooling1D(3, 2, padding="same", name="uneven")(y)
    return keras.Model(x, L.AveragePooling1D(3, 1, name="valid")(y))


def bfloat16():
    layers = [L.LSTM(3, dtype="mixed_bfloat16"), L.Dense(2, dtype="mixed_bfloat16"), L.Activation("tanh", dtype="float32")]
    return keras.Sequential([keras.Input((None, 3)), *layers])


def read_twice():
    x = keras.Input((None,), dtype="int32")
    y = L.Embedding(5, 4, mask_zero=True)(x)
    return keras.Model(x, [L.MultiHeadAttention(2, 3)(y, y), L.MultiHeadAttention(2, 3)(y, y)])


def older_weights(folder):
    layers = [L.LSTM(3, return_sequences=True, name="plain"), L.GRU(2, recurrent_activation="hard_sigmoid", name="given")]
    model = keras.Sequential([keras.Input((None, 3)), *layers])
    Path(f"{folder}/older_weights.json").write_text(model.to_json())
    model.save_weights(f"{folder}/older_weights.h5", save_format="h5")
    with h5py.File(f"{folder}/older_weights.h5", "r+") as file:
        file.attrs["keras_version"] = "2.2.4"


def main():
    if len(sys.argv) != 2 or sys.argv[1] == "--help":
        sys.exit(__doc__)
    training().save(f"{sys.argv[1]}/training.{'.'.join(version)}.keras")
    bfloat16().save(f"{sys.argv[1]}/bfloat16.{'.'.join(version)}.keras")
    if version[0] == "2":
        batch_statistics().save(f"{sys.argv[1]}/batch_statistics.keras")
        older_weights(sys.argv[1])
    else:
        uneven_means().save(f"{sys.argv[1]}/uneven_means.keras")
        read_twice().save(f"{sys.argv[1]}/read_twice.keras")


if __name__ == "__main__":
    main()
