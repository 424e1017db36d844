"""The mean over the members of an ensemble, each of which learns by itself."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("har_keras")
class MeanOverMembers(keras.layers.Layer):
    """The mean of tensors of one shape, one from each member of an ensemble.

    In training the variance among them, times `spread`, is added to the loss. The mean of the
    members' squared errors is the squared error of their mean plus that variance (Krogh and
    Vedelsby 1995): with a spread of 1 each member learns as if alone where the loss is the squared
    error over all that a member gives.
    """

    def __init__(self, spread: float = 0.0, **kwargs: Any) -> None:
        """`spread` of 0 adds nothing: the members learn as one."""
        super().__init__(**kwargs)
        self.spread = spread

    def call(self, inputs: list[Any], training: bool = False) -> Any:
        """The mean."""
        members = ops.stack(inputs)
        if training and self.spread:
            self.add_loss(self.spread * ops.mean(ops.var(members, axis=0)))
        return ops.mean(members, axis=0)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of any member."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """What the layer is made of."""
        return super().get_config() | {"spread": self.spread}
