"""JAX: scans over time, with the hand-derived gradients of `derived`.

Arrays are time-major from here on: `x` (timesteps, batch, features), `mask` (timesteps, batch, 1)
or None.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from har_keras.layers.kernels import derived


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _run(
    pair: derived.Pair,
    x: Any,
    mask: Any,
    kernel: Any,
    recurrent: Any,
    biases: tuple[Any, Any],
    states: list[Any],
) -> tuple[Any, list[Any]]:
    """Outputs (timesteps, batch, units) and final states."""
    return _forward(pair, x, mask, kernel, recurrent, biases, states)[0]


def _forward(
    pair: derived.Pair, x: Any, mask: Any, kernel: Any, recurrent: Any, biases: Any, states: Any
) -> Any:
    bias, recurrent_bias = biases

    def step(states: Any, now: Any) -> Any:
        x, m = now
        projected, past = x @ kernel + bias, states[0] @ recurrent
        past = past if recurrent_bias is None else past + recurrent_bias
        new, kept = pair.forward(jnp.tanh, projected, past, states)
        new = [_where(m, a, b) for a, b in zip(new, states, strict=True)]
        return new, (new[0], kept)

    ends, (outputs, kept) = lax.scan(step, states, (x, mask))
    return (outputs, ends), (x, mask, kernel, recurrent, biases, states[0], outputs, kept)


def _backward(pair: derived.Pair, residuals: Any, cotangents: Any) -> Any:
    x, mask, kernel, recurrent, biases, start, outputs, kept = residuals
    doutputs, dstates = cotangents
    previous = jnp.concatenate([start[None], outputs[:-1]])
    # A step's deltas are larger than the weights' gradient: sum it up instead of keeping them.
    sums_up = x.shape[1] >= len(kernel) + len(recurrent)

    def of_weights(x: Any, previous: Any, delta: Any, past_delta: Any) -> Any:
        past_sum = None if biases[1] is None else past_delta.sum(0)
        return x.T @ delta, previous.T @ past_delta, (delta.sum(0), past_sum)

    def step(carry: Any, now: Any) -> tuple[Any, Any]:
        (dh, *others), sums = carry
        x, previous, m, doutput, kept = now
        dstates = [dh + doutput, *others]
        # What a masked step held goes past it, and nothing of it into the step.
        held = [0 if m is None else jnp.where(m, 0, d) for d in dstates]
        delta, past_delta, direct = pair.backward(
            jnp.tanh, [_where(m, d, 0) for d in dstates], kept
        )
        dh, *others = [d + past for d, past in zip(direct, held, strict=True)]
        dstates = [dh + past_delta @ recurrent.T, *others]
        if not sums_up:
            return (dstates, sums), (delta, None if past_delta is delta else past_delta)
        sums = jax.tree.map(jnp.add, sums, of_weights(x, previous, delta, past_delta))
        return (dstates, sums), delta @ kernel.T

    weights = kernel, recurrent, biases
    sums = jax.tree.map(jnp.zeros_like, weights) if sums_up else None
    steps = x, previous, mask, doutputs, kept
    (dstates, sums), given = lax.scan(step, (dstates, sums), steps, reverse=True)
    if sums_up:
        return given, None, *sums, dstates
    deltas, past_deltas = given
    flat = [_flat(a) for a in (x, previous, deltas, deltas if past_deltas is None else past_deltas)]
    return deltas @ kernel.T, None, *of_weights(*flat), dstates


_run.defvjp(_forward, _backward)
_compiled = jax.jit(_run, static_argnums=0)


@jax.jit
def _gru_reset_before(x: Any, mask: Any, kernel: Any, recurrent: Any, bias: Any, h: Any) -> Any:
    (wz, wr, wg), (uz, ur, ug) = (jnp.split(w, 3, axis=-1) for w in (kernel, recurrent))
    bz, br, bg = jnp.split(bias, 3)

    def step(h: Any, now: Any) -> tuple[Any, Any]:
        x, m = now
        z = jax.nn.sigmoid(x @ wz + h @ uz + bz)
        r = jax.nn.sigmoid(x @ wr + h @ ur + br)
        g = jnp.tanh(x @ wg + (r * h) @ ug + bg)
        h = _where(m, z * h + (1 - z) * g, h)
        return h, h

    h, outputs = lax.scan(step, h, (x, mask))
    return outputs, [h]


def _kernel(pair: derived.Pair | None) -> Callable[..., tuple[Any, list[Any]]]:
    """The kernel, see `kernels`, of the cell with this step; None is the GRU that resets before."""

    def kernel(
        cell: Any, sequences: Any, states: list[Any], mask: Any = None
    ) -> tuple[Any, list[Any]]:
        mask = None if mask is None else jnp.swapaxes(mask, 0, 1)[..., None]
        x = jnp.swapaxes(sequences, 0, 1)
        weights = cell.kernel.value, cell.recurrent_kernel.value
        bias = jnp.zeros(cell.bias_shape, x.dtype) if cell.bias is None else cell.bias.value
        if pair is None:
            outputs, ends = _gru_reset_before(x, mask, *weights, bias, *states)
        else:
            biases = (bias, None) if bias.ndim == 1 else tuple(bias)
            outputs, ends = _compiled(pair, x, mask, *weights, biases, states)
        return jnp.swapaxes(outputs, 0, 1), ends

    return kernel


def _where(mask: Any, new: Any, old: Any) -> Any:
    return new if mask is None else jnp.where(mask, new, old)


def _flat(steps: Any) -> Any:
    return steps.reshape(-1, steps.shape[-1])


SimpleRNNCell = _kernel(derived.SIMPLE_RNN)
LSTMCell = _kernel(derived.LSTM)
GRUCell = _kernel(derived.GRU)
GRUCellResetBefore = _kernel(None)
