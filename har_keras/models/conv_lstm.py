"""Convolutions over short stretches of time, then recurrent layers over what they found.

After DeepConvLSTM (Ordóñez & Roggen 2016).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from har_keras.errors import require
from har_keras.models import recurrent

if TYPE_CHECKING:
    from har_keras.tasks.description import Inputs, Outputs


@dataclass
class Config(recurrent.Config):
    """Schema of the convolutional presets: a front of convolutions before `recurrent`'s stack.

    `convolutions` blocks, each a convolution with `filters` filters of `kernel_size` steps, batch
    normalisation, ReLU and a maximum over pairs of steps, which halves the steps left.
    """

    family: str = "conv_lstm"
    convolutions: int = 2
    filters: int = 64
    kernel_size: int = 5

    def __post_init__(self) -> None:
        """Check each value by itself."""
        super().__post_init__()
        for name in ("convolutions", "filters", "kernel_size"):
            value = getattr(self, name)
            require(value > 0, f"model.{name}", value, "at least 1")

    @property
    def front(self) -> int:
        """Features of each step before the first recurrent layer."""
        return self.projection or self.filters


def build(config: Config, inputs: "Inputs", outputs: "Outputs") -> Any:
    """A `keras.Model` from the task's input to its head.

    Raises `UserError` if too few steps are left, and for a task that wants an output at each.
    """
    import keras
    from keras import layers

    from har_keras.layers.masking import MaskedAs, Unmasked

    allowed = "another model (it shortens time, and this task wants an output at every step)"
    require(not outputs.per_step, "model", config.name or config.family, allowed)
    most = inputs.timesteps.bit_length() - 1
    require(
        config.convolutions <= most,
        "model.convolutions",
        config.convolutions,
        f"at most {most} for {inputs.timesteps} timesteps, each halves them",
    )
    start, steps = inputs.open()
    x = Unmasked(name="unmasked")(steps)
    for number in range(1, config.convolutions + 1):
        x = layers.Conv1D(
            config.filters,
            config.kernel_size,
            padding="same",
            use_bias=False,
            name=f"conv_{number}",
        )(x)
        x = layers.ReLU()(layers.BatchNormalization(name=f"norm_{number}")(x))
        x = layers.MaxPooling1D(2)(x)
    encoded = recurrent.encode(config, MaskedAs(name="masked")([x, steps]))
    logits = recurrent.with_evidence(outputs.head(encoded), inputs, start)
    return keras.Model(start, logits, name=config.name or config.family)
