"""Recurrent layers: a cell run over the time axis of `(batch, timesteps, features)`.

Arguments, call arguments and attributes are those of Keras's layers, whose place they can take;
`keras.layers.RNN`, which they extend, gives masks, initial states and directions their meaning.
Two things are ours: the loop over time, and that the states of a stateful layer are among its
`variables` (not its `weights`, so they are in no file): JAX too carries them through `fit`,
`evaluate` and `predict`.
"""

from operator import attrgetter
from typing import Any

import keras
from keras import ops

from har_keras.errors import UserError
from har_keras.layers import kernels
from har_keras.layers.cells import GRUCell, LSTMCell, SimpleRNNCell
from har_keras.layers.variants import GravesLSTMCell, LayerNormGRUCell, LayerNormLSTMCell

_RNN_ARGUMENTS = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
    "zero_output_for_mask",
    "activity_regularizer",
    "name",
    "dtype",
    "trainable",
    "autocast",
    "input_shape",
    "batch_input_shape",
)


def _of_cell(name: str) -> Any:
    return property(attrgetter(f"cell.{name}"))


class Recurrent(keras.layers.RNN):
    """A cell of `cell_class`; the constructor takes the arguments of the cell and of the RNN."""

    cell_class: Any

    units = _of_cell("units")
    activation = _of_cell("activation")
    use_bias = _of_cell("use_bias")
    kernel_initializer = _of_cell("kernel_initializer")
    recurrent_initializer = _of_cell("recurrent_initializer")
    bias_initializer = _of_cell("bias_initializer")
    kernel_regularizer = _of_cell("kernel_regularizer")
    recurrent_regularizer = _of_cell("recurrent_regularizer")
    bias_regularizer = _of_cell("bias_regularizer")
    kernel_constraint = _of_cell("kernel_constraint")
    recurrent_constraint = _of_cell("recurrent_constraint")
    bias_constraint = _of_cell("bias_constraint")
    dropout = _of_cell("dropout")
    recurrent_dropout = _of_cell("recurrent_dropout")

    def __init__(self, units: int, *arguments: Any, **kwargs: Any) -> None:
        """Raise `ValueError` for an argument that is out of range or unknown."""
        rnn_arguments = {name: kwargs.pop(name) for name in _RNN_ARGUMENTS if name in kwargs}
        dtype, trainable = rnn_arguments.get("dtype"), rnn_arguments.get("trainable", True)
        both = {"dtype": dtype, "trainable": trainable, "name": "cell"}
        super().__init__(self.cell_class(units, *arguments, **both, **kwargs), **rnn_arguments)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    @property
    def kernel_path(self) -> str:
        """Which path whole sequences take: `jax kernel` (or another backend's), or `keras loop`."""
        return f"{keras.backend.backend()} kernel" if self._kernel() else "keras loop"

    def _kernel(self) -> kernels.Kernel | None:
        return None if self.unroll else kernels.find(self.cell)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Create the weights; raise `UserError` where `kernels.choice` is `fast` and cannot be."""
        if kernels.choice == "fast" and not self._kernel():
            raise UserError(
                f"hardware.kernel=fast: {self.name} ({type(self).__name__}) has no fast kernel for"
                f" its arguments on {keras.backend.backend()}; hardware.kernel=auto takes Keras's"
                " loop for it"
            )
        super().build(sequences_shape, initial_state_shape)

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """Run the cell over time: (last output, outputs, final states)."""
        kernel = self._kernel()
        if kernel is None:
            return super().inner_loop(sequences, initial_state, mask, training)
        steps = ops.cast(sequences, self.cell.compute_dtype)
        steps = ops.flip(steps, axis=1) if self.go_backwards else steps
        if training and self.dropout:
            (dropped,) = self.cell.get_dropout_mask(steps[:, 0])
            steps = steps * dropped[:, None]
        start = [ops.copy(state) for state in initial_state] if self.stateful else initial_state
        if mask is None:
            outputs, states = kernel(self.cell, steps, list(start), None)
            return states[0], outputs, states
        mask = ops.cast(ops.flip(mask, axis=1) if self.go_backwards else mask, "bool")
        outputs, states = kernel(self.cell, steps, list(start), mask)
        if self.zero_output_for_mask:
            outputs = ops.where(mask[..., None], outputs, 0)
        return outputs[:, -1], outputs, states

    def step(self, inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """One time step, (batch, features), from explicit states: (output, new states).

        Both outputs and states are (batch, units); `get_initial_state(batch)` is where a sequence
        starts. The steps of a sequence give what a call with the whole of it gives in inference.
        """
        if not self.built:
            self.build((inputs.shape[0], None, inputs.shape[-1]))
        return self.cell(inputs, states)

    @property
    def variables(self) -> list[Any]:
        """All variables, the states of a stateful layer included."""
        return [*super().variables, *(self.states or ())]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        config.pop("cell")
        cell = self.cell.get_config()
        return {k: v for k, v in cell.items() if k not in ("name", "dtype", "trainable")} | config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Recurrent":
        """The layer that `get_config` describes."""
        return cls(**config)


class Gated(Recurrent):
    """A layer over a gated cell.

    `use_cudnn` chooses the path as in Keras, whichever fast kernel the backend has: `"auto"` takes
    it where it computes the same, `False` never, `True` raises `ValueError` where it cannot.
    """

    recurrent_activation = _of_cell("recurrent_activation")

    def __init__(
        self, units: int, *arguments: Any, use_cudnn: bool | str = "auto", **kwargs: Any
    ) -> None:
        """See `Recurrent`."""
        if use_cudnn not in ("auto", True, False):
            raise ValueError(f"use_cudnn={use_cudnn!r}: expected 'auto', True or False")
        super().__init__(units, *arguments, **kwargs)
        self.use_cudnn = use_cudnn

    def _kernel(self) -> kernels.Kernel | None:
        return super()._kernel() if self.use_cudnn else None

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Create the weights; raise `ValueError` where `use_cudnn=True` cannot be."""
        if self.use_cudnn is True and kernels.choice != "reference" and not self._kernel():
            raise ValueError(
                f"{self.name}: use_cudnn=True, but there is no fast kernel for these arguments on "
                f"{keras.backend.backend()}; use_cudnn='auto' takes Keras's loop instead"
            )
        super().build(sequences_shape, initial_state_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"use_cudnn": self.use_cudnn}


@keras.saving.register_keras_serializable("har_keras")
class SimpleRNN(Recurrent):
    """`SimpleRNNCell` over time."""

    cell_class = SimpleRNNCell


@keras.saving.register_keras_serializable("har_keras")
class LSTM(Gated):
    """`LSTMCell` over time."""

    cell_class = LSTMCell
    unit_forget_bias = _of_cell("unit_forget_bias")


@keras.saving.register_keras_serializable("har_keras")
class GRU(Gated):
    """`GRUCell` over time."""

    cell_class = GRUCell
    reset_after = _of_cell("reset_after")


@keras.saving.register_keras_serializable("har_keras")
class GravesLSTM(LSTM):
    """`GravesLSTMCell` over time."""

    cell_class = GravesLSTMCell


@keras.saving.register_keras_serializable("har_keras")
class LayerNormLSTM(LSTM):
    """`LayerNormLSTMCell` over time."""

    cell_class = LayerNormLSTMCell


@keras.saving.register_keras_serializable("har_keras")
class LayerNormGRU(GRU):
    """`LayerNormGRUCell` over time."""

    cell_class = LayerNormGRUCell
