"""Layers that make one vector of all steps: (batch, timesteps, width) to (batch, width).

Steps that a mask, (batch, timesteps), calls padding count for nothing, wherever they stand. A
sequence of padding alone gives zeros, from `LastStep` its last step.
"""

from typing import Any

import keras
from keras import ops


class _Pooling(keras.layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, steps: Any, mask: Any = None) -> Any:
        raise NotImplementedError

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """No steps are left to mask."""

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """(batch, width)."""
        return input_shape[0], input_shape[-1]


def _real(steps: Any, mask: Any) -> Any:
    return steps if mask is None else ops.where(mask[..., None], steps, 0)


@keras.saving.register_keras_serializable("har_keras")
class LastStep(_Pooling):
    """The last real step."""

    def call(self, steps: Any, mask: Any = None) -> Any:
        """Pool."""
        if mask is None:
            return steps[:, -1]
        timesteps = steps.shape[1]
        places = ops.where(mask, ops.arange(timesteps, dtype="int32"), -1)
        last = ops.max(places, axis=1) % timesteps
        return ops.take_along_axis(steps, last[:, None, None], axis=1)[:, 0]


@keras.saving.register_keras_serializable("har_keras")
class SumOverTime(_Pooling):
    """The sum of the real steps."""

    def call(self, steps: Any, mask: Any = None) -> Any:
        """Pool."""
        return ops.sum(_real(steps, mask), axis=1)


@keras.saving.register_keras_serializable("har_keras")
class MeanOverTime(_Pooling):
    """The mean of the real steps."""

    def call(self, steps: Any, mask: Any = None) -> Any:
        """Pool."""
        if mask is None:
            return ops.mean(steps, axis=1)
        count = ops.sum(ops.cast(mask, steps.dtype), axis=1, keepdims=True)
        return ops.sum(_real(steps, mask), axis=1) / ops.maximum(count, 1)


@keras.saving.register_keras_serializable("har_keras")
class MaxOverTime(_Pooling):
    """The largest value of each feature over the real steps."""

    def call(self, steps: Any, mask: Any = None) -> Any:
        """Pool."""
        if mask is None:
            return ops.max(steps, axis=1)
        lowest = ops.where(mask[..., None], steps, ops.full_like(steps, -1e4))
        return ops.where(ops.any(mask, axis=1)[:, None], ops.max(lowest, axis=1), 0)


@keras.saving.register_keras_serializable("har_keras")
class Attention(_Pooling):
    """A weighted mean of the real steps (Yang et al. 2016, doi.org/10.18653/v1/N16-1174).

    u_t = tanh(W h_t + b),  α = softmax over t of u_t · v,  output = Σ α_t h_t
    """

    def __init__(self, **kwargs: Any) -> None:
        """Only Keras's own arguments."""
        super().__init__(**kwargs)
        self.kernel_initializer = keras.initializers.get("glorot_uniform")
        self.bias_initializer = keras.initializers.get("zeros")
        self.context_initializer = keras.initializers.get("glorot_uniform")

    def build(self, input_shape: Any) -> None:
        """Create `kernel` (width, width), `bias` (width,) and `context` (width, 1), the v."""
        width = input_shape[-1]
        for name, shape in {
            "kernel": (width, width),
            "bias": (width,),
            "context": (width, 1),
        }.items():
            weight = self.add_weight(
                name=name, shape=shape, initializer=getattr(self, f"{name}_initializer")
            )
            setattr(self, name, weight)

    def call(self, steps: Any, mask: Any = None) -> Any:
        """Pool."""
        hidden = ops.tanh(ops.matmul(steps, self.kernel) + self.bias)
        scores = ops.matmul(hidden, self.context)
        if mask is not None:
            scores = ops.where(mask[..., None], scores, ops.full_like(scores, -1e4))
        weights = ops.softmax(scores, axis=1)
        return ops.sum(weights * _real(steps, mask), axis=1)
