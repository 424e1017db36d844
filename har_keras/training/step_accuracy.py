"""A Keras metric: the share of steps whose class is right."""

from typing import Any

import keras
from keras import ops


class StepAccuracy(keras.metrics.Mean):
    """Accuracy over all steps that count.

    Takes truth int (batch, timesteps), negative where a step does not count, and logits (batch,
    timesteps, classes).
    """

    def __init__(self, name: str = "accuracy") -> None:
        """Start from nothing counted."""
        super().__init__(name=name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count the steps of a batch."""
        truth = ops.cast(y_true, "int32")
        right = truth == ops.cast(ops.argmax(y_pred, axis=-1), "int32")
        super().update_state(ops.cast(right, self.dtype), ops.cast(truth >= 0, self.dtype))
