"""Input description: windows of several signals."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from har_keras.data.preprocessing import Preprocessing
from har_keras.tasks.description import Inputs


@dataclass(frozen=True)
class Signals(Inputs):
    """Windows of `timesteps` samples of `features` signals.

    With `mean` and `variance` (one value a signal, from training data) the model standardises its
    input itself, so that it takes raw physical units wherever it is used. `preprocessing` makes
    such windows of raw samples; None where nobody knows how.
    """

    timesteps: int
    features: int
    mean: tuple[float, ...] | None = None
    variance: tuple[float, ...] | None = None
    preprocessing: Preprocessing | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """(timesteps, features)."""
        return self.timesteps, self.features

    def describe(self) -> dict[str, Any]:
        """`kind`, the shape, and how windows are made of samples."""
        preprocessing = self.preprocessing and asdict(self.preprocessing)
        return {"kind": "signals", "shape": list(self.shape), "preprocessing": preprocessing}

    def open(self) -> tuple[Any, Any]:
        """The `keras.Input` (batch, timesteps, features) and the tensor an encoder starts from."""
        import keras

        inputs = keras.Input((self.timesteps, self.features), name="signals")
        if self.mean is None:
            return inputs, inputs
        standardise = keras.layers.Normalization(
            mean=list(self.mean), variance=list(self.variance or ()), name="standardise"
        )
        return inputs, standardise(inputs)


def statistics(x: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and variance of each signal over windows (samples, timesteps, features), in float64."""
    samples = x.reshape(-1, x.shape[-1]).astype("float64")
    return tuple(samples.mean(0).tolist()), tuple(samples.var(0).tolist())
