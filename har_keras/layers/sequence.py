"""Recurrent layers: a cell run over the time axis of `(batch, timesteps, features)`.

Call arguments, masks, `return_sequences`, `return_state`, `initial_state`, `go_backwards` and
`stateful` are those of `keras.layers.RNN`, which they extend; only the loop over time is ours.
"""

from typing import Any

import keras
from keras import ops

from har_keras.layers import kernels
from har_keras.layers.cells import Cell, GRUCell, LSTMCell, SimpleRNNCell

_RNN_ARGUMENTS = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "zero_output_for_mask",
    "name",
    "dtype",
    "trainable",
)


class Recurrent(keras.layers.RNN):
    """A cell of `cell_class`; the constructor takes the arguments of the cell and of the RNN."""

    cell_class: type[Cell]

    def __init__(self, units: int, **kwargs: Any) -> None:
        """Raise `ValueError` where an argument is out of range, `TypeError` where it is unknown."""
        rnn_arguments = {name: kwargs.pop(name) for name in _RNN_ARGUMENTS if name in kwargs}
        dtype, trainable = rnn_arguments.get("dtype"), rnn_arguments.get("trainable", True)
        cell = self.cell_class(units, dtype=dtype, trainable=trainable, name="cell", **kwargs)
        super().__init__(cell, **rnn_arguments)

    @property
    def kernel_path(self) -> str:
        """Which path whole sequences without a mask take: `jax kernel`, or `keras loop`."""
        return f"{keras.backend.backend()} kernel" if self._kernel() else "keras loop"

    def _kernel(self) -> kernels.Kernel | None:
        return kernels.find(self.cell) if getattr(self.cell, "reset_after", True) else None

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """Run the cell over time: (last output, outputs, final states)."""
        kernel = None if mask is not None else self._kernel()
        if kernel is None:
            return super().inner_loop(sequences, initial_state, mask, training)
        steps = ops.flip(sequences, axis=1) if self.go_backwards else sequences
        start = [ops.copy(state) for state in initial_state] if self.stateful else initial_state
        outputs, states = kernel(self.cell, steps, list(start))
        return states[0], outputs, states

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        config.pop("cell")
        config.pop("unroll")
        cell = self.cell.get_config()
        return {k: v for k, v in cell.items() if k not in ("name", "dtype", "trainable")} | config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Recurrent":
        """The layer that `get_config` describes."""
        return cls(**config)


@keras.saving.register_keras_serializable("har_keras")
class SimpleRNN(Recurrent):
    """`SimpleRNNCell` over time."""

    cell_class = SimpleRNNCell


@keras.saving.register_keras_serializable("har_keras")
class LSTM(Recurrent):
    """`LSTMCell` over time."""

    cell_class = LSTMCell


@keras.saving.register_keras_serializable("har_keras")
class GRU(Recurrent):
    """`GRUCell` over time."""

    cell_class = GRUCell
