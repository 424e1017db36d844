"""Steps of the cells with their gradients, derived by hand: one pair of functions a cell.

`forward(tanh, projected, recurrent, states)` takes `W x_t + b`, `U h_{t-1} + d` (batch,
blocks·units) and the states (batch, units) before the step, and gives the states after it and what
the gradient needs. `backward(tanh, dstates, kept)` takes ∂loss/∂(states after) and gives
∂loss/∂projected, ∂loss/∂recurrent and what of ∂loss/∂(states before) does not go through
`recurrent`. The hidden state is the first of the states. The equations are those of
`har_keras.layers.cells`. `tanh` is the backend's own, as Keras's rounds float64 to float32.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from keras import ops

Tanh = Callable[[Any], Any]


class Pair(NamedTuple):
    """A step and its gradient.

    `kept` counts the arrays (batch, units) kept between them, `deltas` is 1 where ∂loss/∂projected
    and ∂loss/∂recurrent are the same array, else 2.
    """

    forward: Callable[..., tuple[Sequence[Any], Sequence[Any]]]
    backward: Callable[..., tuple[Any, Any, Sequence[Any]]]
    kept: int
    deltas: int = 1


def _simple_rnn(tanh: Tanh, projected: Any, recurrent: Any, states: Any) -> Any:
    h = tanh(projected + recurrent)
    return (h,), (h,)


def _simple_rnn_gradient(tanh: Tanh, dstates: Any, kept: Any) -> Any:
    (dh,), (h,) = dstates, kept
    delta = dh * (1 - h * h)
    return delta, delta, (ops.zeros_like(dh),)


def _lstm(tanh: Tanh, projected: Any, recurrent: Any, states: Any) -> Any:
    _, c = states
    i, f, g, o = ops.split(projected + recurrent, 4, axis=-1)
    i, f, g, o = _sigmoid(tanh, i), _sigmoid(tanh, f), tanh(g), _sigmoid(tanh, o)
    new_c = f * c + i * g
    return (o * tanh(new_c), new_c), (c, i, f, g, o)


def _lstm_gradient(tanh: Tanh, dstates: Any, kept: Any) -> Any:
    (dh, dc), (c, i, f, g, o) = dstates, kept
    tanh_c = tanh(f * c + i * g)
    dc = dc + dh * o * (1 - tanh_c * tanh_c)
    deltas = (
        dc * g * i * (1 - i),
        dc * c * f * (1 - f),
        dc * i * (1 - g * g),
        dh * tanh_c * o * (1 - o),
    )
    delta = ops.concatenate(deltas, axis=-1)
    return delta, delta, (ops.zeros_like(dh), dc * f)


def _gru(tanh: Tanh, projected: Any, recurrent: Any, states: Any) -> Any:
    (h,) = states
    xz, xr, xg = ops.split(projected, 3, axis=-1)
    hz, hr, hg = ops.split(recurrent, 3, axis=-1)
    z, r = _sigmoid(tanh, xz + hz), _sigmoid(tanh, xr + hr)
    g = tanh(xg + r * hg)
    return (z * h + (1 - z) * g,), (h, z, r, g, hg)


def _gru_gradient(tanh: Tanh, dstates: Any, kept: Any) -> Any:
    (dh,), (h, z, r, g, hg) = dstates, kept
    delta_z = dh * (h - g) * z * (1 - z)
    delta_g = dh * (1 - z) * (1 - g * g)
    delta_r = delta_g * hg * r * (1 - r)
    projected = ops.concatenate((delta_z, delta_r, delta_g), axis=-1)
    recurrent = ops.concatenate((delta_z, delta_r, delta_g * r), axis=-1)
    return projected, recurrent, (dh * z,)


def _sigmoid(tanh: Tanh, x: Any) -> Any:
    return 0.5 * tanh(0.5 * x) + 0.5


SIMPLE_RNN = Pair(_simple_rnn, _simple_rnn_gradient, kept=1)
LSTM = Pair(_lstm, _lstm_gradient, kept=5)
GRU = Pair(_gru, _gru_gradient, kept=5, deltas=2)
