#!/usr/bin/env python3
"""usage: keras_masks.py FOLDER

Makes one model with random weights of which every output shows what a layer does with masked steps, as masks.VERSION.keras (and .h5,
where the newest writes functions like layers), and what Keras answers in a .npz beside each. The versions of Keras differ: run with keras 2.15 and 3.3 (tensorflow-cpu 2.15), and 3.15 (torch 2.13).
"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import numpy as np  # noqa: E402

L = keras.layers
version = tuple(int(part) for part in keras.__version__.split(".")[:2])
rng = np.random.default_rng(0)


def last(value):
    return L.LSTM(2)(value)


def model():
    ids = keras.Input((None,), dtype="int32", name="ids")
    numbers = keras.Input((None, 3), name="numbers")
    vector = keras.Input((2,), name="vector")
    x = L.Embedding(7, 3, mask_zero=True)(ids)
    kept = L.LSTM(3, return_sequences=True)(x)

    def states(count):
        return [L.Dense(3)(vector) for _ in range(count)]

    outputs = [
        # Initial states.
        L.LSTM(3)(x, initial_state=states(2)),
        L.GRU(3)(x, initial_state=states(1)),
        L.SimpleRNN(3)(x, initial_state=states(1)),
        L.RNN(L.LSTMCell(3))(x, initial_state=states(2)),
        L.Bidirectional(L.LSTM(3))(x, initial_state=states(4)),
        last(L.LSTM(3, return_sequences=True)(x, initial_state=states(2))),
        # Values of which one is masked, and of which each is.
        *[last(merge([x, numbers])) for merge in (L.Add(), L.Multiply(), L.Average(), L.Concatenate(), L.Maximum())],
        *[last(merge([x, L.Dense(3)(x)])) for merge in (L.Add(), L.Multiply(), L.Concatenate(), L.Minimum())],
        L.GlobalMaxPooling1D()(L.Multiply()([kept, L.Dense(3)(x)])),
        L.GlobalMaxPooling1D()(L.Maximum()([kept, numbers, L.Dense(3)(x)])),
        # Functions, and layers that keep masks in some versions only.
        last(x * 2.0),
        last(x + numbers),
        last(L.Rescaling(2.0)(x)),
        last(L.Identity()(x)),
    ]
    if version >= (3, 9):
        outputs.append(last(L.RMSNormalization()(x)))
    return keras.Model([ids, numbers, vector], outputs)


def main():
    if len(sys.argv) != 2 or sys.argv[1] == "--help":
        sys.exit(__doc__)
    made = model()
    for variable in made.weights:
        variable.assign(rng.normal(0, 0.5, tuple(variable.shape)).astype("float32"))
    inputs = [
        np.array([[1, 2, 3, 0, 0], [4, 0, 5, 6, 0]], "int32"),
        rng.normal(0, 1, (2, 5, 3)).astype("float32"),
        rng.normal(0, 1, (2, 2)).astype("float32"),
    ]
    arrays = {f"input_{index}": array for index, array in enumerate(inputs)}
    arrays |= {f"output_{index}": array for index, array in enumerate(made.predict(inputs, verbose=0))}
    for kind in ("keras", "h5") if version >= (3, 15) else ("keras",):
        path = f"{sys.argv[1]}/masks.{version[0]}.{version[1]}.{kind}"
        made.save(path)
        np.savez(path + ".npz", **arrays)


if __name__ == "__main__":
    main()
