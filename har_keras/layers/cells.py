"""Recurrent cells: one time step each, written as their equations.

A cell splits its step in two. `project` is the part that does not look back, `W x_t + b`, taken for
a whole sequence as one matrix product; `recur` is the rest and alone runs step by step. Weight
names, shapes and the order of the gates are those of Keras's cells, so weights move freely between
the two.

Shapes: `inputs` is `(batch, features)` or `(batch, timesteps, features)`, every state
`(batch, units)`, all in the layer's compute dtype.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class Cell(keras.layers.Layer):
    """Frame of all cells: `blocks` weight blocks of `units` columns each, and an optional bias."""

    blocks = 1
    states = 1

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        """Raise `ValueError` unless `units` is a positive integer."""
        if not isinstance(units, int) or units <= 0:
            raise ValueError(f"units={units!r}: expected a positive integer")
        super().__init__(**kwargs)
        self.units = units
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    @property
    def state_size(self) -> int | list[int]:
        """Width of the state, or of each state."""
        return self.units if self.states == 1 else [self.units] * self.states

    @property
    def output_size(self) -> int:
        """Width of the output, which is the hidden state."""
        return self.units

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create `kernel` (features, blocks·units), `recurrent_kernel`, `bias`."""
        columns = self.blocks * self.units
        self.kernel = self.add_weight(
            shape=(input_shape[-1], columns), initializer=self.kernel_initializer, name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, columns),
            initializer=self.recurrent_initializer,
            name="recurrent_kernel",
        )
        self.bias = (
            self.add_weight(shape=self._bias_shape(), initializer=self._initial_bias, name="bias")
            if self.use_bias
            else None
        )

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.blocks * self.units,)

    def _initial_bias(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        return self.bias_initializer(shape, dtype=dtype)

    def project(self, inputs: Any) -> Any:
        """`W x_t + b` for one step or all: (..., features) to (..., blocks·units)."""
        projected = ops.matmul(inputs, self.kernel)
        return projected if self.bias is None else projected + self.bias

    def recur(self, projected: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """One step from `project`'s output and the previous states: (hidden state, new states)."""
        raise NotImplementedError

    def call(self, inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """One whole step, as `keras.layers.RNN` and `StackedRNNCells` take it."""
        states = list(states) if isinstance(states, list | tuple) else [states]
        return self.recur(self.project(inputs), states)

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """Zeros, one array of (batch, units) for each state."""
        shape = batch_size, self.units
        return [ops.zeros(shape, self.compute_dtype) for _ in range(self.states)]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        serialize = keras.initializers.serialize
        return super().get_config() | {
            "units": self.units,
            "use_bias": self.use_bias,
            "kernel_initializer": serialize(self.kernel_initializer),
            "recurrent_initializer": serialize(self.recurrent_initializer),
            "bias_initializer": serialize(self.bias_initializer),
        }


@keras.saving.register_keras_serializable("har_keras")
class SimpleRNNCell(Cell):
    """Simple recurrent cell (Elman 1990).

    h_t = tanh(W x_t + U h_{t-1} + b)
    """

    def recur(self, projected: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """One step."""
        (h,) = states
        h = ops.tanh(projected + ops.matmul(h, self.recurrent_kernel))
        return h, [h]


@keras.saving.register_keras_serializable("har_keras")
class LSTMCell(Cell):
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

    def __init__(self, units: int, unit_forget_bias: bool = True, **kwargs: Any) -> None:
        """See `Cell`."""
        super().__init__(units, **kwargs)
        self.unit_forget_bias = unit_forget_bias

    def _initial_bias(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        bias = super()._initial_bias(shape, dtype)
        if not self.unit_forget_bias:
            return bias
        ones = ops.ones((self.units,), dtype)
        return ops.concatenate([bias[: self.units], ones, bias[2 * self.units :]])

    def recur(self, projected: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """One step."""
        h, c = states
        i, f, g, o = ops.split(projected + ops.matmul(h, self.recurrent_kernel), 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"unit_forget_bias": self.unit_forget_bias}


@keras.saving.register_keras_serializable("har_keras")
class GRUCell(Cell):
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

    def __init__(self, units: int, reset_after: bool = True, **kwargs: Any) -> None:
        """See `Cell`."""
        super().__init__(units, **kwargs)
        self.reset_after = reset_after

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def project(self, inputs: Any) -> Any:
        """`W x_t + b`."""
        if self.bias is None or not self.reset_after:
            return super().project(inputs)
        return ops.matmul(inputs, self.kernel) + self.bias[0]

    def recur(self, projected: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """One step."""
        (h,) = states
        u = self.units
        if self.reset_after:
            recurrent = ops.matmul(h, self.recurrent_kernel)
            if self.bias is not None:
                recurrent = recurrent + self.bias[1]
            z, r = ops.split(ops.sigmoid(projected[:, : 2 * u] + recurrent[:, : 2 * u]), 2, axis=-1)
            g = ops.tanh(projected[:, 2 * u :] + r * recurrent[:, 2 * u :])
        else:
            gates = projected[:, : 2 * u] + ops.matmul(h, self.recurrent_kernel[:, : 2 * u])
            z, r = ops.split(ops.sigmoid(gates), 2, axis=-1)
            g = ops.tanh(
                projected[:, 2 * u :] + ops.matmul(r * h, self.recurrent_kernel[:, 2 * u :])
            )
        h = z * h + (1 - z) * g
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"reset_after": self.reset_after}
