"""Layers that make a mask, and that take it past layers that cannot carry one (convolutions)."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("har_keras")
class MaskNaN(keras.layers.Layer):
    """Steps (batch, timesteps, features) with zeros where they are not a number, masked there."""

    def call(self, steps: Any) -> Any:
        """Put zeros there."""
        return ops.where(ops.isnan(steps), 0, steps)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Whether each step (batch, timesteps) is numbers."""
        return ops.logical_not(ops.isnan(inputs[..., 0]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As it came."""
        return input_shape


@keras.saving.register_keras_serializable("har_keras")
class Unmasked(keras.layers.Layer):
    """Steps (batch, timesteps, features) with zeros where the mask says padding, and no mask."""

    def __init__(self, **kwargs: Any) -> None:
        """Only Keras's own arguments."""
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, steps: Any, mask: Any = None) -> Any:
        """Put zeros there."""
        return steps if mask is None else ops.where(mask[..., None], steps, 0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """There is none."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As it came."""
        return input_shape


@keras.saving.register_keras_serializable("har_keras")
class MaskedAs(keras.layers.Layer):
    """`[short, long]` gives `short` with the mask of `long`.

    Where `long` has k times the steps, a step of `short` is padding if all k below it are.
    """

    def __init__(self, **kwargs: Any) -> None:
        """Only Keras's own arguments."""
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The first."""
        return inputs[0]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The second's."""
        if mask is None or mask[1] is None:
            return None
        steps = inputs[0].shape[1]
        factor = inputs[1].shape[1] // steps
        return ops.any(ops.reshape(mask[1][:, : steps * factor], (-1, steps, factor)), axis=2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the first."""
        return input_shape[0]
