"""One module a task: data to arrays, splits, and the descriptions of input and output.

A module holds `Config` (the schema of its YAML) and `load`. It is read before the backend is
chosen, so it imports Keras inside functions only.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from har_keras.tasks.classification import ClassPerSequence
from har_keras.tasks.signals import Signals


@dataclass(frozen=True)
class Split:
    """`x` (samples, timesteps, features) float32, `y` (samples,) int64, `groups` (samples,).

    A group has a number (int64) or a name (str).
    Samples of one group (a person, a document) never stand in two splits.
    """

    x: np.ndarray
    y: np.ndarray
    groups: np.ndarray


@dataclass(frozen=True)
class TaskData:
    """What a task gives: three splits (`validation` is None under a published protocol).

    `source` names where the data came from, `sha256` is that of the parsed arrays. `augment`
    changes a training batch of `x` at random.
    """

    train: Split
    validation: Split | None
    test: Split
    inputs: Signals
    outputs: ClassPerSequence
    source: str
    sha256: str
    augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None

    @property
    def splits(self) -> dict[str, Split]:
        """The splits there are, by name."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in named.items() if split is not None}

    @property
    def note(self) -> str:
        """What every figure must say about the data, or an empty string."""
        return "simulated data" if self.source == "simulated" else ""
