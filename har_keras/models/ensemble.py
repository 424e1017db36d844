"""Several recurrent networks of one kind, whose mean is the output."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from har_keras.errors import require
from har_keras.models import recurrent

if TYPE_CHECKING:
    from har_keras.tasks.description import Inputs, Outputs


@dataclass
class Config(recurrent.Config):
    """Schema of the ensembles: `members` networks as `recurrent` has, of different initial weights.

    Each learns by itself where the task's loss is the squared error, all as one otherwise. What a
    task makes of its input before the encoder (embeddings) they share.
    """

    family: str = "ensemble"
    members: int = 8

    def __post_init__(self) -> None:
        """Check each value by itself."""
        super().__post_init__()
        require(self.members > 1, "model.members", self.members, "at least 2")


def build(config: Config, inputs: "Inputs", outputs: "Outputs") -> Any:
    """A `keras.Model` from the task's input to the mean of the members' heads.

    Raises `UserError` where a step's output would see the future that it is to forecast, and where
    steps are masked (Keras does not take a mask into a model within a model) or evidence given.
    """
    import keras
    from keras.src.backend import get_keras_mask

    from har_keras.layers.ensemble import MeanOverMembers

    recurrent.require_causal(config, outputs)
    start, x = inputs.open()
    allowed = "another model (the members of an ensemble would not see what is padding)"
    require(get_keras_mask(x) is None, "model", config.name or config.family, allowed)
    allowed = "another model (the members of an ensemble have no place for evidence)"
    require(inputs.evidence(start) is None, "model", config.name or config.family, allowed)
    allowed = "another model (the members of an ensemble carry no states)"
    require(not inputs.streams, "model", config.name or config.family, allowed)
    found = []
    for number in range(1, config.members + 1):
        with keras.name_scope(f"member_{number}"):
            steps = keras.Input(x.shape[1:])
            head = outputs.head(recurrent.encode(config, steps, outputs.per_step))
            found.append(keras.Model(steps, head, name=f"member_{number}")(x))
    mean = MeanOverMembers(outputs.spread, name="mean")(found)
    return keras.Model(start, mean, name=config.name or config.family)
