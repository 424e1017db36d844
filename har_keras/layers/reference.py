"""The NumPy truth that every backend's layers are tested against: one sequence, step by step.

The equations are those of `har_keras.layers.cells`, which also names their sources; `W`, `U` and
`b` (for a GRU with `reset_after` also `d`) are `kernel`, `recurrent_kernel` and `bias` in Keras's
layout, as `get_weights` of a layer of ours or of Keras gives them: `lstm(x, *layer.get_weights())`.

Shapes, all float64: `x` (features,), every state (units,), `kernel` (features, blocks·units),
`recurrent_kernel` (units, blocks·units), `bias` (blocks·units,), or (2, 3·units) for a GRU with
`reset_after`; without a bias leave it out. A whole sequence is (timesteps, features), its outputs
are (timesteps, units), and states that are left out start at zero. Arrays of other real types are
taken as float64. Shapes that do not fit each other raise NumPy's `ValueError`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def simple_rnn_step(
    x: Array, h: Array, kernel: Array, recurrent_kernel: Array, bias: Array | float = 0.0
) -> Array:
    """The next hidden state of a simple RNN (Elman 1990)."""
    return np.tanh(x @ kernel + h @ recurrent_kernel + bias)


def lstm_step(
    x: Array, h: Array, c: Array, kernel: Array, recurrent_kernel: Array, bias: Array | float = 0.0
) -> tuple[Array, Array]:
    """The next hidden and cell state of an LSTM with forget gate (Gers et al. 2000)."""
    i, f, g, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4)
    c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    h = _sigmoid(o) * np.tanh(c)
    return h, c


def gru_step(
    x: Array,
    h: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | float = 0.0,
    reset_after: bool = True,
) -> Array:
    """The next hidden state of a GRU (Cho et al. 2014), reset after the product or before."""
    columns = kernel.shape[1]
    b, d = np.broadcast_to(bias, (2, columns)) if reset_after else (bias, np.zeros(columns))
    xz, xr, xg = np.split(x @ kernel + b, 3)
    uz, ur, ug = np.split(recurrent_kernel, 3, axis=1)
    dz, dr, dg = np.split(d, 3)
    z = _sigmoid(xz + h @ uz + dz)
    r = _sigmoid(xr + h @ ur + dr)
    g = np.tanh(xg + (r * (h @ ug + dg) if reset_after else (r * h) @ ug))
    return z * h + (1 - z) * g


def simple_rnn(
    sequence: ArrayLike,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike = 0.0,
    *,
    h: ArrayLike = 0.0,
) -> Array:
    """The hidden states of a simple RNN at every step, from hidden state `h`."""
    steps, w, u, b = _float64(sequence, kernel, recurrent_kernel, bias)
    outputs = np.empty((len(steps), len(u)))
    state = _state(h, u)
    for t, x in enumerate(steps):
        outputs[t] = state = simple_rnn_step(x, state, w, u, b)
    return outputs


def lstm(
    sequence: ArrayLike,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike = 0.0,
    *,
    h: ArrayLike = 0.0,
    c: ArrayLike = 0.0,
) -> Array:
    """The hidden states of an LSTM at every step, from hidden state `h` and cell state `c`."""
    steps, w, u, b = _float64(sequence, kernel, recurrent_kernel, bias)
    outputs = np.empty((len(steps), len(u)))
    state, cell = _state(h, u), _state(c, u)
    for t, x in enumerate(steps):
        state, cell = lstm_step(x, state, cell, w, u, b)
        outputs[t] = state
    return outputs


def gru(
    sequence: ArrayLike,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike = 0.0,
    *,
    h: ArrayLike = 0.0,
    reset_after: bool = True,
) -> Array:
    """The hidden states of a GRU at every step, from hidden state `h`."""
    steps, w, u, b = _float64(sequence, kernel, recurrent_kernel, bias)
    outputs = np.empty((len(steps), len(u)))
    state = _state(h, u)
    for t, x in enumerate(steps):
        outputs[t] = state = gru_step(x, state, w, u, b, reset_after)
    return outputs


def _sigmoid(x: Array) -> Array:
    return 0.5 * np.tanh(0.5 * x) + 0.5


def _float64(*arrays: ArrayLike) -> list[Array]:
    return [np.asarray(array, "float64") for array in arrays]


def _state(start: ArrayLike, recurrent_kernel: Array) -> Array:
    return np.broadcast_to(np.asarray(start, "float64"), len(recurrent_kernel))
