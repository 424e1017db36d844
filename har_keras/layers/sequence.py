"""Recurrent layers: a cell run over the time axis of `(batch, timesteps, features)`.

Call arguments, masks, `return_sequences`, `return_state`, `initial_state`, `go_backwards` and
`stateful` are those of `keras.layers.RNN`, which they extend; only the loop over time is ours.
"""

from typing import Any

import keras
from keras import ops

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

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """Run the cell over time: (last output, outputs, final states)."""
        projected = ops.swapaxes(self.cell.project(sequences), 0, 1)
        states = list(initial_state)
        if mask is None:
            final, outputs = ops.scan(
                lambda states, x: self._step(states, x), states, projected, reverse=self.go_backwards
            )
            last = final[0]
        else:
            steps = (projected, ops.expand_dims(ops.swapaxes(mask, 0, 1), -1))
            start = (ops.zeros_like(states[0]), states)
            (last, final), outputs = ops.scan(
                self._masked_step, start, steps, reverse=self.go_backwards
            )
        if self.go_backwards:
            outputs = ops.flip(outputs, 0)
        return last, ops.swapaxes(outputs, 0, 1), final

    def _step(self, states: list[Any], projected: Any) -> tuple[list[Any], Any]:
        output, states = self.cell.recur(projected, states)
        return states, output

    def _masked_step(self, carry: Any, step: Any) -> tuple[Any, Any]:
        previous, states = carry
        projected, keep = step
        output, new_states = self.cell.recur(projected, states)
        states = [ops.where(keep, new, old) for new, old in zip(new_states, states, strict=True)]
        last = ops.where(keep, output, previous)
        shown = ops.where(keep, output, ops.zeros_like(output)) if self.zero_output_for_mask else last
        return (last, states), shown

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
