"""JAX: scans over time whose gates are arrays of their own, and a hand-derived LSTM gradient.

XLA's CPU code is fast on whole arrays and slow on slices and concatenations, so the weight blocks
are split once, before the loop, and the gates never stand in one array. Arrays are time-major from
here on: `x` (timesteps, batch, features), `mask` (timesteps, batch, 1) or None.
"""

from collections.abc import Callable
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def _simple_rnn(x: Any, mask: Any, kernel: Any, recurrent: Any, bias: Any, h: Any) -> Any:
    def step(h: Any, now: Any) -> tuple[Any, Any]:
        x, m = now
        h = _held(m, jnp.tanh(x @ kernel + h @ recurrent + bias), h)
        return h, h

    h, outputs = lax.scan(step, h, (x, mask))
    return outputs, h


@jax.jit
def _gru_reset_after(x: Any, mask: Any, kernel: Any, recurrent: Any, bias: Any, h: Any) -> Any:
    (wz, wr, wg), (uz, ur, ug) = _split(3, kernel), _split(3, recurrent)
    (bz, br, bg), (dz, dr, dg) = (_split(3, row) for row in bias)

    def step(h: Any, now: Any) -> tuple[Any, Any]:
        x, m = now
        z = _sigmoid(x @ wz + h @ uz + (bz + dz))
        r = _sigmoid(x @ wr + h @ ur + (br + dr))
        g = jnp.tanh(x @ wg + bg + r * (h @ ug + dg))
        h = _held(m, z * h + (1 - z) * g, h)
        return h, h

    h, outputs = lax.scan(step, h, (x, mask))
    return outputs, h


@jax.jit
def _gru_reset_before(x: Any, mask: Any, kernel: Any, recurrent: Any, bias: Any, h: Any) -> Any:
    (wz, wr, wg), (uz, ur, ug) = _split(3, kernel), _split(3, recurrent)
    bz, br, bg = _split(3, bias)

    def step(h: Any, now: Any) -> tuple[Any, Any]:
        x, m = now
        z = _sigmoid(x @ wz + h @ uz + bz)
        r = _sigmoid(x @ wr + h @ ur + br)
        g = jnp.tanh(x @ wg + (r * h) @ ug + bg)
        h = _held(m, z * h + (1 - z) * g, h)
        return h, h

    h, outputs = lax.scan(step, h, (x, mask))
    return outputs, h


@jax.custom_vjp
def _lstm_with_gradient(
    x: Any, mask: Any, kernel: Any, recurrent: Any, bias: Any, h: Any, c: Any
) -> Any:
    return _lstm_forward(x, mask, kernel, recurrent, bias, h, c)[0]


def _lstm_forward(x: Any, mask: Any, kernel: Any, recurrent: Any, bias: Any, h: Any, c: Any) -> Any:
    blocks = list(zip(_split(4, kernel), _split(4, recurrent), _split(4, bias), strict=True))

    def step(carry: Any, now: Any) -> Any:
        x, m = now
        h, c = carry
        i, f, g, o = (x @ w + h @ u + b for w, u, b in blocks)
        i, f, g, o = _sigmoid(i), _sigmoid(f), jnp.tanh(g), _sigmoid(o)
        new_c = f * c + i * g
        c, h = _held(m, new_c, c), _held(m, o * jnp.tanh(new_c), h)
        return (h, c), (h, c, (i, f, g, o))

    (last_h, last_c), (hs, cs, gates) = lax.scan(step, (h, c), (x, mask))
    return (hs, last_h, last_c), (x, mask, kernel, recurrent, h, c, hs, cs, gates)


def _lstm_backward(kept: Any, cotangents: Any) -> Any:
    """∂loss/∂ all inputs from ∂loss/∂(hs, last h, last c), with δ for ∂loss/∂(pre-activation)."""
    x, mask, kernel, recurrent, h, c, hs, cs, gates = kept
    dhs, dh, dc = cotangents
    us = _split(4, recurrent)

    def step(carry: Any, kept: Any) -> Any:
        dh, dc = carry
        dh_t, m, c, previous_c, (i, f, g, o) = kept
        dh = dh + dh_t
        # What a masked step held goes past it, and nothing of it into the step.
        past_dh, past_dc = (0, 0) if m is None else (jnp.where(m, 0, dh), jnp.where(m, 0, dc))
        dh, dc = dh - past_dh, dc - past_dc
        tanh_c = jnp.tanh(c)
        dc = dc + dh * o * (1 - tanh_c * tanh_c)
        deltas = (
            dc * g * i * (1 - i),
            dc * previous_c * f * (1 - f),
            dc * i * (1 - g * g),
            dh * tanh_c * o * (1 - o),
        )
        dh = _sum(d @ u.T for d, u in zip(deltas, us, strict=True))
        return (dh + past_dh, dc * f + past_dc), deltas

    steps = (dhs, mask, cs, jnp.concatenate([c[None], cs[:-1]]), gates)
    (dh, dc), deltas = lax.scan(step, (dh, dc), steps, reverse=True)
    previous_h = jnp.concatenate([h[None], hs[:-1]])
    dx = _sum(d @ w.T for d, w in zip(deltas, _split(4, kernel), strict=True))
    dkernel = jnp.concatenate([_flat(x).T @ _flat(d) for d in deltas], axis=-1)
    drecurrent = jnp.concatenate([_flat(previous_h).T @ _flat(d) for d in deltas], axis=-1)
    dbias = jnp.concatenate([_flat(d).sum(0) for d in deltas])
    return dx, None, dkernel, drecurrent, dbias, dh, dc


_lstm_with_gradient.defvjp(_lstm_forward, _lstm_backward)
_lstm = jax.jit(_lstm_with_gradient)


def _kernel(run: Callable[..., Any]) -> Callable[..., tuple[Any, list[Any]]]:
    """The kernel of a cell whose whole sequences `run` computes, see `kernels`."""

    def kernel(
        cell: Any, sequences: Any, states: list[Any], mask: Any = None
    ) -> tuple[Any, list[Any]]:
        mask = None if mask is None else jnp.swapaxes(mask, 0, 1)[..., None]
        no_bias = jnp.zeros(cell.bias_shape, cell.compute_dtype)
        bias = no_bias if cell.bias is None else cell.bias.value
        weights = cell.kernel.value, cell.recurrent_kernel.value, bias
        outputs, *states = run(jnp.swapaxes(sequences, 0, 1), mask, *weights, *states)
        return jnp.swapaxes(outputs, 0, 1), states

    return kernel


def _held(mask: Any, new: Any, old: Any) -> Any:
    return new if mask is None else jnp.where(mask, new, old)


def _sigmoid(x: Any) -> Any:
    return 0.5 * jnp.tanh(0.5 * x) + 0.5


def _split(count: int, blocks: Any) -> list[Any]:
    return jnp.split(blocks, count, axis=-1)


def _flat(steps: Any) -> Any:
    return steps.reshape(-1, steps.shape[-1])


def _sum(terms: Any) -> Any:
    return reduce(jnp.add, terms)


SimpleRNNCell = _kernel(_simple_rnn)
LSTMCell = _kernel(_lstm)
GRUCell = _kernel(_gru_reset_after)
GRUCellResetBefore = _kernel(_gru_reset_before)
