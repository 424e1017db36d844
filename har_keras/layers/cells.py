"""Recurrent cells: one time step each, written as their equations.

A cell splits its step in two. `project` is the part that does not look back, `W x_t + b`, taken for
a whole sequence as one matrix product; `recur` is the rest and alone runs step by step. Arguments,
weight names, shapes and the order of the gates are those of Keras's cells, so weights and configs
move freely between the two. The equations are written with the default activations.

Shapes: `inputs` is `(batch, features)` or `(batch, timesteps, features)`, every state
`(batch, units)`, all in the layer's compute dtype.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from har_keras.layers.cell import Cell, GatedCell, product


@keras.saving.register_keras_serializable("har_keras")
class SimpleRNNCell(Cell):
    """Simple recurrent cell (Elman 1990).

    h_t = tanh(W x_t + U h_{t-1} + b)
    """

    def recur(
        self, projected: Any, states: list[Any], masks: list[Any] | None = None
    ) -> tuple[Any, list[Any]]:
        """One step."""
        (h,) = states
        h = self.activation(projected + product(h, self.recurrent_kernel, masks))
        return h, [h]


@keras.saving.register_keras_serializable("har_keras")
class LSTMCell(GatedCell):
    """Long short-term memory (Hochreiter & Schmidhuber 1997) with forget gate (Gers et al. 2000).

    i_t = σ(W_i x_t + U_i h_{t-1} + b_i)        input gate
    f_t = σ(W_f x_t + U_f h_{t-1} + b_f)        forget gate
    g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)     candidate
    o_t = σ(W_o x_t + U_o h_{t-1} + b_o)        output gate
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
    h_t = o_t ⊙ tanh(c_t)

    The blocks stand in the order i, f, g, o. The forget gate's bias starts at 1 unless
    `unit_forget_bias` is false (Jozefowicz et al. 2015).
    """

    blocks = 4
    states = 2

    def __init__(
        self, units: int, *arguments: Any, unit_forget_bias: bool = True, **kwargs: Any
    ) -> None:
        """See `GatedCell`."""
        super().__init__(units, *arguments, **kwargs)
        self.unit_forget_bias = unit_forget_bias

    def _initial_bias(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        if not self.unit_forget_bias:
            return super()._initial_bias(shape, dtype)
        first, last = ((n * self.units,) for n in (1, 2))
        bias = self.bias_initializer
        forget = ops.ones(first, dtype)
        return ops.concatenate([bias(first, dtype=dtype), forget, bias(last, dtype=dtype)])

    def recur(
        self, projected: Any, states: list[Any], masks: list[Any] | None = None
    ) -> tuple[Any, list[Any]]:
        """One step."""
        h, c = states
        gates = projected + product(h, self.recurrent_kernel, masks)
        i, f, g, o = ops.split(gates, 4, axis=-1)
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        h = self.recurrent_activation(o) * self.activation(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"unit_forget_bias": self.unit_forget_bias}


@keras.saving.register_keras_serializable("har_keras")
class GRUCell(GatedCell):
    """Gated recurrent unit (Cho et al. 2014).

    z_t = σ(W_z x_t + U_z h_{t-1} + b_z)                      update gate
    r_t = σ(W_r x_t + U_r h_{t-1} + b_r)                      reset gate
    g_t = tanh(W_g x_t + b_g + r_t ⊙ (U_g h_{t-1} + d_g))     candidate, `reset_after=True` (cuDNN)
    g_t = tanh(W_g x_t + b_g + U_g (r_t ⊙ h_{t-1}))           candidate, `reset_after=False` (Cho)
    h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ g_t

    The blocks stand in the order z, r, g. With `reset_after` the bias has a second row for the
    recurrent product, as in cuDNN: shape (2, 3·units).
    """

    blocks = 3

    def __init__(
        self, units: int, *arguments: Any, reset_after: bool = True, **kwargs: Any
    ) -> None:
        """See `GatedCell`."""
        super().__init__(units, *arguments, **kwargs)
        self.reset_after = reset_after

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """(2, 3·units) with `reset_after`, else (3·units,)."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def project(self, inputs: Any, masks: list[Any] | None = None) -> Any:
        """`W x_t + b`."""
        if not self.reset_after:
            return super().project(inputs, masks)
        return self._affine(0, inputs, self.kernel, masks)

    def _affine(self, row: int, vectors: Any, kernel: Any, masks: list[Any] | None) -> Any:
        products = product(vectors, kernel, masks)
        return products if self.bias is None else products + self.bias[row]

    def recur(
        self, projected: Any, states: list[Any], masks: list[Any] | None = None
    ) -> tuple[Any, list[Any]]:
        """One step."""
        (h,) = states
        xz, xr, xg = ops.split(projected, 3, axis=-1)
        if self.reset_after:
            recurrent = self._affine(1, h, self.recurrent_kernel, masks)
            hz, hr, hg = ops.split(recurrent, 3, axis=-1)
        else:
            gates = self.recurrent_kernel[:, : 2 * self.units]
            hz, hr = ops.split(product(h, gates, masks and masks[:2]), 2, axis=-1)
        z = self.recurrent_activation(xz + hz)
        r = self.recurrent_activation(xr + hr)
        if not self.reset_after:
            candidate = self.recurrent_kernel[:, 2 * self.units :]
            g = self.activation(xg + product(r * h, candidate, masks and masks[2:]))
        else:
            g = self.activation(xg + r * hg)
        h = z * h + (1 - z) * g
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"reset_after": self.reset_after}
