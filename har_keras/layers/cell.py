"""The frame of all recurrent cells: arguments, weights, dropout and the two halves of a step."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell  # Keras's RNN draws its masks


class Cell(keras.layers.Layer, DropoutRNNCell):
    """`blocks` weight blocks of `units` columns each, an optional bias, `states` states.

    Arguments are those of Keras's cells. `dropout` and `recurrent_dropout` draw one mask for all
    steps of a sequence (Gal & Ghahramani 2016, arXiv:1512.05287): with `implementation=1`, and
    always with `recurrent_dropout`, one for each block.
    """

    blocks = 1
    states = 1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Raise `ValueError` for an argument that is out of range or unknown."""
        if not isinstance(units, int | np.integer) or units <= 0:
            raise ValueError(f"units={units!r}: expected a positive integer")
        for name, rate in {"dropout": dropout, "recurrent_dropout": recurrent_dropout}.items():
            if not isinstance(rate, int | float | np.number) or not 0 <= rate < 1:
                raise ValueError(f"{name}={rate!r}: expected a number from 0 to below 1")
        super().__init__(**kwargs)
        self.units = int(units)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.recurrent_constraint = keras.constraints.get(recurrent_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        if dropout or recurrent_dropout:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.dropout_mask_count = self.blocks if recurrent_dropout else 1

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
        self.kernel = self._weight("kernel", (input_shape[-1], columns), self.kernel_initializer)
        self.recurrent_kernel = self._weight(
            "recurrent_kernel", (self.units, columns), self.recurrent_initializer
        )
        bias = (self.bias_shape, self._initial_bias) if self.use_bias else None
        self.bias = self._weight("bias", *bias) if bias else None

    def _weight(self, name: str, shape: Sequence[int | None], initializer: Any) -> Any:
        kind = name.removesuffix("_kernel")
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            regularizer=getattr(self, f"{kind}_regularizer", None),
            constraint=getattr(self, f"{kind}_constraint", None),
        )

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """(blocks·units,)."""
        return (self.blocks * self.units,)

    def _initial_bias(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        return self.bias_initializer(shape, dtype=dtype)

    def project(self, inputs: Any, masks: list[Any] | None = None) -> Any:
        """`W x_t + b` for one step or all: (..., features) to (..., blocks·units)."""
        projected = product(inputs, self.kernel, masks)
        return projected if self.bias is None else projected + self.bias

    def recur(
        self, projected: Any, states: list[Any], masks: list[Any] | None = None
    ) -> tuple[Any, list[Any]]:
        """One step from `project`'s output and the previous states: (hidden state, new states).

        `masks` are the dropout masks of the previous hidden state.
        """
        raise NotImplementedError

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        """One whole step, as `keras.layers.RNN` and `StackedRNNCells` take it."""
        nested = isinstance(states, list | tuple)
        states = list(states) if nested else [states]
        masks = recurrent_masks = None
        if training:
            masks = self.get_dropout_mask(inputs)
            recurrent_masks = self.get_recurrent_dropout_mask(states[0])
        output, states = self.recur(self.project(inputs, masks), states, recurrent_masks)
        return output, states if nested else states[0]

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros, one array of (batch, units) for each state."""
        shape = batch_size, self.units
        return [ops.zeros(shape, self.compute_dtype) for _ in range(self.states)]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config() | {
            name: getattr(self, name)
            for name in ("units", "use_bias", "dropout", "recurrent_dropout", "seed")
        }
        config["activation"] = keras.activations.serialize(self.activation)
        for weight in ("kernel", "recurrent", "bias"):
            for kind in ("initializer", "regularizer", "constraint"):
                value = getattr(self, f"{weight}_{kind}")
                config[f"{weight}_{kind}"] = keras.saving.serialize_keras_object(value)
        return config


class GatedCell(Cell):
    """A cell whose gates have an activation of their own, `recurrent_activation`."""

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        *arguments: Any,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        """See `Cell`; further positional arguments are its own from `use_bias` on."""
        if implementation not in (0, 1, 2):
            raise ValueError(f"implementation={implementation!r}: expected 0, 1 or 2")
        super().__init__(units, activation, *arguments, **kwargs)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.implementation = 1 if self.recurrent_dropout else implementation
        self.dropout_mask_count = self.blocks if self.implementation == 1 else 1

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        activation = keras.activations.serialize(self.recurrent_activation)
        return super().get_config() | {
            "recurrent_activation": activation,
            "implementation": self.implementation,
        }


def product(vectors: Any, kernel: Any, masks: list[Any] | None = None) -> Any:
    """`vectors @ kernel`, the k-th of `len(masks)` blocks of columns from `vectors * masks[k]`."""
    if not masks:
        return ops.matmul(vectors, kernel)
    blocks = ops.split(kernel, len(masks), axis=-1)
    return ops.concatenate(
        [ops.matmul(vectors * mask, block) for mask, block in zip(masks, blocks, strict=True)],
        axis=-1,
    )
