"""Makes the folders scan_… and jax_… of Tests/Fixtures/onnx_imports: networks that are written out in the body of a loop.

tf2onnx writes the cells of TensorFlow 1's dynamic_rnn as a Scan, jax2onnx those of jax.lax.scan as a Loop. Files as onnx_imports.py
has them: model.onnx, and in io.json what ONNX Runtime answers.

Use: python onnx_scans.py (TensorFlow 2.15 and tf2onnx 1.17 for scan_…, or jax2onnx 0.17 for jax_…; onnxruntime)
"""

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from onnx_files import write
from reference import Array

RANDOM = np.random.default_rng(9)


def numbers(steps: int) -> Array:
    """A sequence."""
    return RANDOM.uniform(-1, 1, (1, steps, 3)).astype(np.float32)


def from_tensorflow() -> None:
    """The cells of tf.compat.v1.nn.rnn_cell, each with weights of its own."""
    import tensorflow as tf  # noqa: PLC0415
    import tf2onnx  # noqa: PLC0415

    v1 = tf.compat.v1
    cells = v1.nn.rnn_cell
    v1.disable_eager_execution()
    v1.disable_control_flow_v2()

    def run(cell: Any, x: Any) -> Any:
        return v1.nn.dynamic_rnn(cell, x, dtype=tf.float32)

    def both(x: Any) -> Any:
        steps, _ = v1.nn.bidirectional_dynamic_rnn(cells.LSTMCell(4), cells.GRUCell(3), x, dtype=tf.float32)
        return tf.concat(steps, 2)

    models: dict[str, Callable[[Any], Any]] = {
        "scan_lstm": lambda x: run(cells.BasicLSTMCell(4), x)[0][:, -1],
        "scan_state": lambda x: run(cells.BasicLSTMCell(4, forget_bias=0.5), x)[1].h,
        "scan_peepholes": lambda x: run(cells.LSTMCell(4, use_peepholes=True, activation=tf.nn.relu), x)[0],
        "scan_gru": lambda x: run(cells.GRUCell(3), x)[0],
        "scan_rnn": lambda x: run(cells.BasicRNNCell(4), x)[0],
        "scan_stack": lambda x: run(cells.MultiRNNCell(
            [cells.ResidualWrapper(cells.LSTMCell(3)), cells.GRUCell(4), cells.BasicRNNCell(2)]), x)[0],
        "scan_both": both,
    }
    for name, build in models.items():
        graph = v1.Graph()
        with graph.as_default(), v1.Session(graph=graph) as session:
            v1.set_random_seed(5)
            y = tf.identity(build(v1.placeholder(tf.float32, [None, None, 3], "x")), "y")
            session.run(v1.global_variables_initializer())
            for variable in v1.global_variables():
                session.run(variable.assign(RANDOM.uniform(-0.8, 0.8, variable.shape)))
            frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), [y.op.name])
        frozen = tf2onnx.tf_loader.tf_optimize(["x:0"], ["y:0"], frozen)
        with v1.Graph().as_default():
            tf.import_graph_def(frozen, name="")
            write(name, tf2onnx.convert.from_graph_def(
                frozen, input_names=["x:0"], output_names=["y:0"], opset=13)[0], numbers)


def from_jax() -> None:
    """Cells as people write them."""
    import jax  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415
    from jax2onnx import to_onnx  # noqa: PLC0415

    def weights(*shape: int) -> Any:
        return jnp.asarray(RANDOM.uniform(-0.8, 0.8, shape), dtype=jnp.float32)

    wx, wh, b, n = weights(3, 16), weights(4, 16), weights(16), weights(4)

    def lstm(state: Any, x: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(x @ wx + h @ wh + b, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    def gru(h: Any, x: Any) -> Any:
        given, own = x @ wx[:, :12] + b[:12], h @ wh[:, :12]
        r = jax.nn.sigmoid(given[:, :4] + own[:, :4])
        z = jax.nn.sigmoid(given[:, 4:8] + own[:, 4:8])
        h = (1 - z) * jnp.tanh(given[:, 8:] + r * (own[:, 8:] + n)) + z * h
        return h, h

    def steps(x: Any) -> Any:
        zeros = jnp.zeros((x.shape[0], 4))
        return jnp.swapaxes(jax.lax.scan(lstm, (zeros, zeros), jnp.swapaxes(x, 0, 1))[1], 0, 1)

    def last(x: Any) -> Any:
        return jax.lax.scan(gru, jnp.zeros((x.shape[0], 4)), jnp.swapaxes(x, 0, 1))[0]

    for name, model in (("jax_lstm", steps), ("jax_gru", last)):
        write(name, to_onnx(model, [("B", "T", 3)]), numbers)


if __name__ == "__main__":
    if importlib.util.find_spec("jax2onnx"):
        from_jax()
    else:
        from_tensorflow()
