"""Makes the folders keras_… of Tests/Fixtures/onnx_imports: small random models of Keras 3 that tf2onnx writes as a Loop.

It does where a layer has a mask, a GRU its reset gate before the product, or a cell other activations. Files as onnx_imports.py
has them: model.onnx, and in io.json what ONNX Runtime answers.

Of Keras 2 the loops have no count, a condition alone.

Use: python onnx_loops.py (Keras 3.13, TensorFlow 2.21, tf2onnx 1.17, onnxruntime; for the folders keras2_… Keras 2.15)
"""

import tempfile
from pathlib import Path

import keras
import numpy as np
import onnx
import tf2onnx
from keras import layers
from onnx_files import write
from reference import Array

RANDOM = np.random.default_rng(7)


def numbers(steps: int) -> Array:
    """A sequence, of whose steps some are passed over by Masking."""
    x = RANDOM.uniform(-1, 1, (1, steps, 3)).astype(np.float32)
    x[0, RANDOM.random(steps) < 0.3] = -1
    return x


def ids(steps: int) -> Array:
    """Ids, of which 0 is padding in any place."""
    return RANDOM.integers(0, 7, (1, steps)).astype(np.int32)


def sequence(*stack: layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((None, 3), name="x"), *stack])


def text(*stack: layers.Layer) -> keras.Model:
    embedding = layers.Embedding(7, 4, mask_zero=True)
    return keras.Sequential([keras.Input((None,), dtype="int32", name="x"), embedding, *stack])


MODELS = {
    "keras_mask_lstm": (numbers, lambda: sequence(layers.Masking(-1.0), layers.LSTM(4), layers.Dense(2))),
    "keras_mask_steps": (numbers, lambda: sequence(layers.Masking(-1.0), layers.LSTM(4, return_sequences=True))),
    "keras_mask_zero": (ids, lambda: text(layers.GRU(4), layers.Dense(2, activation="softmax"))),
    "keras_mask_both": (ids, lambda: text(layers.Bidirectional(layers.LSTM(4)), layers.Dense(2))),
    "keras_mask_stack": (ids, lambda: text(layers.LSTM(4, return_sequences=True), layers.SimpleRNN(3))),
    "keras_gru_before": (numbers, lambda: sequence(layers.GRU(4, reset_after=False))),
    "keras_hard_sigmoid": (numbers, lambda: sequence(
        layers.LSTM(4, recurrent_activation="hard_sigmoid", return_sequences=True),
        layers.LSTM(3, activation="softsign"))),
    "keras_relu": (numbers, lambda: sequence(layers.SimpleRNN(4, activation="relu"), layers.Dense(1))),
    "keras2_rnn": (numbers, lambda: sequence(layers.SimpleRNN(4, return_sequences=True), layers.Dense(1))),
    "keras2_stack": (numbers, lambda: sequence(
        layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)], return_sequences=True), layers.Dense(2))),
    "keras2_mask_gru": (ids, lambda: text(layers.GRU(4, activation="relu"), layers.Dense(2))),
    # Bidirectional answers zeros at masked steps, where others repeat the answer before.
    "keras_mask_tagger": (ids, lambda: text(
        layers.Bidirectional(layers.LSTM(4, return_sequences=True)), layers.Dense(2))),
}


def export(model: keras.Model, path: Path) -> None:
    """Writes the model as users of this version of Keras do."""
    if keras.__version__.startswith("2"):
        tf2onnx.convert.from_keras(model, output_path=str(path), opset=15)
    else:
        model.export(path, format="onnx", verbose=False)


def main() -> None:
    """Writes every folder."""
    keras.utils.set_random_seed(7)
    for name, (given, build) in MODELS.items():
        if name.startswith("keras2_") != keras.__version__.startswith("2"):
            continue
        model = build()
        model(given(4))
        model.set_weights([RANDOM.uniform(-0.8, 0.8, weight.shape) for weight in model.get_weights()])
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / "model.onnx"
            export(model, path)
            exported = onnx.load(path)
        write(name, exported, given, model)


if __name__ == "__main__":
    main()
