"""The NumPy truth that every backend's layers are tested against: one sequence, step by step.

The equations are those of `har_keras.layers.cells`, which also names their sources; `W`, `U` and
`b` (for a GRU with `reset_after` also `d`) are `kernel`, `recurrent_kernel` and `bias` in Keras's
layout, as `get_weights` of a layer of ours or of Keras gives them: `lstm(x, *layer.get_weights())`.

Shapes, all float64: `x` (features,), every state (units,), `kernel` (features, blocks·units),
`recurrent_kernel` (units, blocks·units), `bias` (blocks·units,), or (2, 3·units) for a GRU with
`reset_after`. Without a bias leave it out, and give what would come after it by name. A whole
sequence is (timesteps, features), its outputs are (timesteps, units), and states that are left out
start at zero. Arrays of other real types are taken as float64. Shapes that do not fit each other
raise NumPy's `ValueError`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

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
    i, f, g, o = (x @ kernel + h @ recurrent_kernel + bias).reshape(4, -1)
    c = expit(f) * c + expit(i) * np.tanh(g)
    h = expit(o) * np.tanh(c)
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
    b, d = np.broadcast_to(bias, (2, kernel.shape[1])) if reset_after else (bias, 0.0)
    xz, xr, xg = (x @ kernel + b).reshape(3, -1)
    if reset_after:
        uz, ur, ug = (h @ recurrent_kernel + d).reshape(3, -1)
        z, r = expit(xz + uz), expit(xr + ur)
        g = np.tanh(xg + r * ug)
    else:
        before, after = np.split(recurrent_kernel, [2 * len(h)], axis=1)
        uz, ur = (h @ before).reshape(2, -1)
        z, r = expit(xz + uz), expit(xr + ur)
        g = np.tanh(xg + (r * h) @ after)
    return z * h + (1 - z) * g


def graves_lstm_step(
    x: Array,
    h: Array,
    c: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | float,
    peephole: Array,
) -> tuple[Array, Array]:
    """The next hidden and cell state of an LSTM with peepholes (Graves 2013)."""
    i, f, g, o = (x @ kernel + h @ recurrent_kernel + bias).reshape(4, -1)
    pi, pf, po = peephole
    c = expit(f + pf * c) * c + expit(i + pi * c) * np.tanh(g)
    h = expit(o + po * c) * np.tanh(c)
    return h, c


def layer_norm_lstm_step(
    x: Array,
    h: Array,
    c: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | float,
    gain: Array,
    cell_gain: Array,
    cell_bias: Array,
) -> tuple[Array, Array]:
    """The next hidden and cell state of a layer-normalised LSTM (Ba et al. 2016)."""
    gates = _normal(x @ kernel) * gain[0] + _normal(h @ recurrent_kernel) * gain[1] + bias
    i, f, g, o = gates.reshape(4, -1)
    c = expit(f) * c + expit(i) * np.tanh(g)
    h = expit(o) * np.tanh(_normal(c) * cell_gain + cell_bias)
    return h, c


def layer_norm_gru_step(
    x: Array,
    h: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | float,
    gain: Array,
) -> Array:
    """The next hidden state of a layer-normalised GRU (Ba et al. 2016)."""
    both = [len(h) * 2]
    b, d = np.broadcast_to(bias, (2, kernel.shape[1]))
    wx, wg = np.split(x @ kernel, both)
    uh, ug = np.split(h @ recurrent_kernel, both)
    xz, xr, xg = np.split(np.concatenate([_normal(wx), _normal(wg)]) * gain[0] + b, 3)
    hz, hr, hg = np.split(np.concatenate([_normal(uh), _normal(ug)]) * gain[1] + d, 3)
    z, r = expit(xz + hz), expit(xr + hr)
    g = np.tanh(xg + r * hg)
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
    return _over_time(simple_rnn_step, [h], sequence, kernel, recurrent_kernel, bias)


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
    return _over_time(lstm_step, [h, c], sequence, kernel, recurrent_kernel, bias)


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
    step = partial(gru_step, reset_after=reset_after)
    return _over_time(step, [h], sequence, kernel, recurrent_kernel, bias)


def graves_lstm(
    sequence: ArrayLike,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike = 0.0,
    peephole: ArrayLike = ((0.0,), (0.0,), (0.0,)),
    *,
    h: ArrayLike = 0.0,
    c: ArrayLike = 0.0,
) -> Array:
    """The hidden states of an LSTM with peepholes, `peephole` (3, units), at every step."""
    weights = kernel, recurrent_kernel, bias, peephole
    return _over_time(graves_lstm_step, [h, c], sequence, *weights)


def layer_norm_lstm(
    sequence: ArrayLike,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike = 0.0,
    gain: ArrayLike = ((1.0,), (1.0,)),
    cell_gain: ArrayLike = 1.0,
    cell_bias: ArrayLike = 0.0,
    *,
    h: ArrayLike = 0.0,
    c: ArrayLike = 0.0,
) -> Array:
    """The hidden states of a layer-normalised LSTM, `gain` (2, 4·units), at every step."""
    weights = kernel, recurrent_kernel, bias, gain, cell_gain, cell_bias
    return _over_time(layer_norm_lstm_step, [h, c], sequence, *weights)


def layer_norm_gru(
    sequence: ArrayLike,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike = 0.0,
    gain: ArrayLike = ((1.0,), (1.0,)),
    *,
    h: ArrayLike = 0.0,
) -> Array:
    """The hidden states of a layer-normalised GRU, `gain` (2, 3·units), at every step."""
    weights = kernel, recurrent_kernel, bias, gain
    return _over_time(layer_norm_gru_step, [h], sequence, *weights)


def _over_time(
    step: Callable[..., Any], start: Sequence[ArrayLike], sequence: ArrayLike, *weights: ArrayLike
) -> Array:
    """The first state after each `step(x, *states, *weights)`, from the states `start`."""
    steps, *arrays = (np.asarray(array, "float64") for array in (sequence, *weights))
    units = len(arrays[1])
    states: Sequence[Array] = [np.broadcast_to(np.asarray(s, "float64"), units) for s in start]
    outputs = np.empty((len(steps), units))
    for t, x in enumerate(steps):
        new = step(x, *states, *arrays)
        states = new if isinstance(new, tuple) else (new,)
        outputs[t] = states[0]
    return outputs


def _normal(a: Array) -> Array:
    return (a - a.mean()) / np.sqrt(a.var() + 1e-5)
