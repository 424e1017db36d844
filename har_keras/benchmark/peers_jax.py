"""A plain `jax.lax.scan` over each cell, as one would write it without a library."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from har_keras.benchmark.config import Shape
from har_keras.benchmark.contenders import CLASSES, Contender, data

GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3}


def build(cell: str, shape: Shape) -> Contender:
    """Layers of `cell`, a dense head, Adam."""
    x, y, _ = map(jnp.asarray, data(shape))
    mask = jnp.any(x != 0, -1) if shape.mask else None
    weights = _weights(cell, shape)
    state = [weights, *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)), 0]

    def loss(weights: Any) -> Any:
        logits = _logits(cell, weights, x, mask)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1))

    @jax.jit
    def update(weights: Any, mean: Any, square: Any, step: Any) -> Any:
        gradient = jax.grad(loss)(weights)
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
        square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, square, gradient)
        rate = 0.001 * jnp.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
        weights = jax.tree.map(
            lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, mean, square
        )
        return weights, mean, square, step + 1

    forward = jax.jit(lambda weights: _logits(cell, weights, x, mask))

    def train() -> None:
        state[:] = jax.block_until_ready(update(*state))

    return Contender(train, lambda: jax.block_until_ready(forward(state[0])))


def _weights(cell: str, shape: Shape) -> Any:
    rng = np.random.default_rng(1)
    width = GATES[cell] * shape.units
    sizes = [(rows, width) for n in range(shape.depth) for rows in _rows(shape, n)]
    layers = [jnp.asarray(rng.normal(0, 0.1, size), jnp.float32) for size in sizes]
    head = jnp.asarray(rng.normal(0, 0.1, (shape.units, CLASSES)), jnp.float32)
    biases = [jnp.zeros(width) for _ in range(shape.depth)]
    return layers[::2], layers[1::2], biases, head


def _rows(shape: Shape, number: int) -> tuple[int, int]:
    return (shape.units if number else shape.features), shape.units


def _logits(cell: str, weights: Any, x: Any, mask: Any) -> Any:
    *layers, head = weights
    sequence = jnp.swapaxes(x, 0, 1)
    kept = None if mask is None else jnp.swapaxes(mask, 0, 1)[..., None]
    for kernel, recurrent, bias in zip(*layers, strict=True):
        zeros = jnp.zeros((x.shape[0], recurrent.shape[0]))

        def step(
            state: Any,
            inputs: Any,
            kernel: Any = kernel,
            recurrent: Any = recurrent,
            bias: Any = bias,
        ) -> Any:
            x_t, kept_t = inputs
            new = _STEPS[cell](state, x_t @ kernel + bias, recurrent)
            if kept_t is not None:
                new = jax.tree.map(lambda n, o: jnp.where(kept_t, n, o), new, state)
            return new, new[0]

        _, sequence = jax.lax.scan(step, (zeros, zeros), (sequence, kept))
    return sequence[-1] @ head


def _lstm(state: Any, inputs: Any, recurrent: Any) -> Any:
    h, c = state
    i, f, g, o = jnp.split(inputs + h @ recurrent, 4, -1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def _gru(state: Any, inputs: Any, recurrent: Any) -> Any:
    h, unused = state
    z, r, n = jnp.split(inputs, 3, -1)
    hz, hr, hn = jnp.split(h @ recurrent, 3, -1)
    z, r = jax.nn.sigmoid(z + hz), jax.nn.sigmoid(r + hr)
    return z * h + (1 - z) * jnp.tanh(n + r * hn), unused


def _simple_rnn(state: Any, inputs: Any, recurrent: Any) -> Any:
    h, unused = state
    return jnp.tanh(inputs + h @ recurrent), unused


_STEPS = {"lstm": _lstm, "gru": _gru, "simple_rnn": _simple_rnn}
