"""TensorFlow: a while loop over time with the hand-derived gradients of `derived`.

Inside a `tf.function` XLA compiles it, which is what makes it fast. Arrays are time-major from here
on: `x` (timesteps, batch, features), `mask` (timesteps, batch, 1) or None.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from har_keras.layers.kernels import derived


def _run(pair: derived.Pair, x: Any, mask: Any, *weights_and_states: Any) -> tuple[Any, list[Any]]:
    """Outputs (timesteps, batch, units) and final states."""

    @tf.custom_gradient
    def run(
        x: Any, kernel: Any, recurrent: Any, bias: Any, recurrent_bias: Any, *states: Any
    ) -> Any:
        def step(now: Any, states: Any) -> Any:
            x, *m = now
            past = states[0] @ recurrent + recurrent_bias
            new, kept = pair.forward(tf.tanh, x @ kernel + bias, past, states)
            new = [_where(m, a, b) for a, b in zip(new, states, strict=True)]
            return new, [new[0], *kept]

        ends, (outputs, *kept) = _scan(step, [x, *masks], states, 1 + pair.kept)

        def gradient(doutputs: Any, *dstates: Any) -> Any:
            def step(now: Any, dstates: Any) -> Any:
                doutput, *kept = now
                kept, m = (kept[:-1], kept[-1:]) if masks else (kept, [])
                dh, *others = dstates
                dstates = [dh + doutput, *others]
                # What a masked step held goes past it, and nothing of it into the step.
                past = [_where(m, tf.zeros_like(d), d) if m else 0 for d in dstates]
                taken = [_where(m, d, tf.zeros_like(d)) for d in dstates]
                delta, delta_recurrent, direct = pair.backward(tf.tanh, taken, kept)
                dh, *others = [d + p for d, p in zip(direct, past, strict=True)]
                dh = dh + tf.matmul(delta_recurrent, recurrent, transpose_b=True)
                deltas = [delta] if delta is delta_recurrent else [delta, delta_recurrent]
                return [dh, *others], deltas

            steps = [doutputs, *kept, *masks]
            dstarts, found = _scan(step, steps, dstates, pair.deltas, reverse=True)
            deltas, recurrent_deltas = found[0], found[-1]
            previous = tf.concat([states[0][None], outputs[:-1]], 0)
            return (
                deltas @ tf.transpose(kernel),
                tf.matmul(_flat(x), _flat(deltas), transpose_a=True),
                tf.matmul(_flat(previous), _flat(recurrent_deltas), transpose_a=True),
                tf.reduce_sum(_flat(deltas), 0),
                tf.reduce_sum(_flat(recurrent_deltas), 0),
                *dstarts,
            )

        return (outputs, *ends), gradient

    masks = [] if mask is None else [mask]
    outputs, *ends = run(x, *weights_and_states)
    return outputs, ends


def _scan(
    step: Callable[[Any, Any], tuple[Any, Any]],
    sequences: Sequence[Any],
    states: Sequence[Any],
    results: int,
    reverse: bool = False,
) -> tuple[list[Any], list[Any]]:
    """Final states, and `results` arrays of what each step gives."""
    length = tf.shape(sequences[0])[0]
    read = [tf.TensorArray(s.dtype, length).unstack(s) for s in sequences]
    written = [tf.TensorArray(states[0].dtype, length) for _ in range(results)]

    def body(t: Any, states: Any, written: Any) -> Any:
        place = length - 1 - t if reverse else t
        states, found = step([s.read(place) for s in read], states)
        return t + 1, states, [w.write(place, f) for w, f in zip(written, found, strict=True)]

    _, ends, written = tf.while_loop(
        lambda t, *_: t < length, body, (0, list(states), written), maximum_iterations=length
    )
    return list(ends), [w.stack() for w in written]


def _kernel(pair: derived.Pair) -> Callable[..., tuple[Any, list[Any]]]:
    """The kernel, see `kernels`, of the cell with this step."""
    compiled = tf.function(partial(_run, pair), jit_compile=True, autograph=False)

    def kernel(
        cell: Any, sequences: Any, states: list[Any], mask: Any = None
    ) -> tuple[Any, list[Any]]:
        mask = None if mask is None else tf.transpose(mask)[..., None]
        x = tf.transpose(tf.convert_to_tensor(sequences), (1, 0, 2))
        no_bias = tf.zeros(cell.bias_shape, x.dtype)
        bias = no_bias if cell.bias is None else tf.convert_to_tensor(cell.bias)
        biases = (bias, tf.zeros_like(bias)) if len(bias.shape) == 1 else tf.unstack(bias)
        given = cell.kernel, cell.recurrent_kernel, *biases, *states
        run = partial(_run, pair) if tf.executing_eagerly() else compiled
        outputs, ends = run(x, mask, *map(tf.convert_to_tensor, given))
        if mask is not None:  # Keras on TensorFlow has no output before the first real step
            begun = tf.cumsum(tf.cast(mask, "int32")) > 0
            outputs = tf.where(begun, outputs, tf.zeros_like(outputs))
        return tf.transpose(outputs, (1, 0, 2)), ends

    return kernel


def _where(mask: Sequence[Any], new: Any, old: Any) -> Any:
    return tf.where(mask[0], new, old) if mask else new


def _flat(steps: Any) -> Any:
    return tf.reshape(steps, (-1, steps.shape[-1]))


SimpleRNNCell = _kernel(derived.SIMPLE_RNN)
LSTMCell = _kernel(derived.LSTM)
GRUCell = _kernel(derived.GRU)
