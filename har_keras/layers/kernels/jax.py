"""JAX: scans over time whose gates are arrays of their own, and a hand-derived LSTM gradient.

XLA's CPU code is fast on whole arrays and slow on slices and concatenations, so the weight blocks
are split once, before the loop, and the gates never stand in one array.
"""

from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


def SimpleRNNCell(cell: Any, sequences: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    """See `har_keras.layers.SimpleRNNCell` for the equation."""
    kernel, recurrent = cell.kernel.value, cell.recurrent_kernel.value
    bias = 0 if cell.bias is None else cell.bias.value

    def step(h: Any, x: Any) -> tuple[Any, Any]:
        h = jnp.tanh(x @ kernel + h @ recurrent + bias)
        return h, h

    h, outputs = lax.scan(step, states[0], jnp.swapaxes(sequences, 0, 1))
    return jnp.swapaxes(outputs, 0, 1), [h]


def GRUCell(cell: Any, sequences: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    """See `har_keras.layers.GRUCell` for the equations."""
    wz, wr, wg = jnp.split(cell.kernel.value, 3, axis=-1)
    uz, ur, ug = jnp.split(cell.recurrent_kernel.value, 3, axis=-1)
    rows = [jnp.zeros((3 * cell.units,), wz.dtype)] * 2
    if cell.bias is not None:
        rows = list(cell.bias.value) if cell.reset_after else [cell.bias.value, rows[1]]
    (bz, br, bg), (dz, dr, dg) = (jnp.split(row, 3) for row in rows)

    def step(h: Any, x: Any) -> tuple[Any, Any]:
        z = _sigmoid(x @ wz + h @ uz + (bz + dz))
        r = _sigmoid(x @ wr + h @ ur + (br + dr))
        recurrent = r * (h @ ug + dg) if cell.reset_after else (r * h) @ ug
        g = jnp.tanh(x @ wg + bg + recurrent)
        h = z * h + (1 - z) * g
        return h, h

    h, outputs = lax.scan(step, states[0], jnp.swapaxes(sequences, 0, 1))
    return jnp.swapaxes(outputs, 0, 1), [h]


def LSTMCell(cell: Any, sequences: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    """See `har_keras.layers.LSTMCell` for the equations."""
    kernel = cell.kernel.value
    bias = jnp.zeros((4 * cell.units,), kernel.dtype) if cell.bias is None else cell.bias.value
    weights = kernel, cell.recurrent_kernel.value, bias
    outputs, h, c = _lstm(jnp.swapaxes(sequences, 0, 1), *weights, *states)
    return jnp.swapaxes(outputs, 0, 1), [h, c]


@jax.custom_vjp
def _lstm(x: Any, kernel: Any, recurrent: Any, bias: Any, h: Any, c: Any) -> Any:
    return _lstm_forward(x, kernel, recurrent, bias, h, c)[0]


def _lstm_forward(x: Any, kernel: Any, recurrent: Any, bias: Any, h: Any, c: Any) -> Any:
    blocks = list(zip(_four(kernel), _four(recurrent), _four(bias), strict=True))

    def step(carry: Any, x: Any) -> Any:
        h, c = carry
        i, f, g, o = (x @ w + h @ u + b for w, u, b in blocks)
        i, f, g, o = _sigmoid(i), _sigmoid(f), jnp.tanh(g), _sigmoid(o)
        c = f * c + i * g
        h = o * jnp.tanh(c)
        return (h, c), (h, c, (i, f, g, o))

    (last_h, last_c), (hs, cs, gates) = lax.scan(step, (h, c), x)
    return (hs, last_h, last_c), (x, kernel, recurrent, h, c, hs, cs, gates)


def _lstm_backward(kept: Any, cotangents: Any) -> Any:
    """∂loss/∂ all inputs from ∂loss/∂(hs, last h, last c), with δ for ∂loss/∂(pre-activation)."""
    x, kernel, recurrent, h, c, hs, cs, gates = kept
    dhs, dh, dc = cotangents
    us = _four(recurrent)

    def step(carry: Any, kept: Any) -> Any:
        dh, dc = carry
        dh_t, c, previous_c, (i, f, g, o) = kept
        dh = dh + dh_t
        tanh_c = jnp.tanh(c)
        dc = dc + dh * o * (1 - tanh_c * tanh_c)
        deltas = (
            dc * g * i * (1 - i),
            dc * previous_c * f * (1 - f),
            dc * i * (1 - g * g),
            dh * tanh_c * o * (1 - o),
        )
        return (_sum(d @ u.T for d, u in zip(deltas, us, strict=True)), dc * f), deltas

    steps = (dhs, cs, jnp.concatenate([c[None], cs[:-1]]), gates)
    (dh, dc), deltas = lax.scan(step, (dh, dc), steps, reverse=True)
    previous_h = jnp.concatenate([h[None], hs[:-1]])
    dx = _sum(d @ w.T for d, w in zip(deltas, _four(kernel), strict=True))
    dkernel = jnp.concatenate([_flat(x).T @ _flat(d) for d in deltas], axis=-1)
    drecurrent = jnp.concatenate([_flat(previous_h).T @ _flat(d) for d in deltas], axis=-1)
    dbias = jnp.concatenate([_flat(d).sum(0) for d in deltas])
    return dx, dkernel, drecurrent, dbias, dh, dc


_lstm.defvjp(_lstm_forward, _lstm_backward)


def _sigmoid(x: Any) -> Any:
    return 0.5 * jnp.tanh(0.5 * x) + 0.5


def _four(blocks: Any) -> list[Any]:
    return jnp.split(blocks, 4, axis=-1)


def _flat(steps: Any) -> Any:
    return steps.reshape(-1, steps.shape[-1])


def _sum(terms: Any) -> Any:
    return reduce(jnp.add, terms)
