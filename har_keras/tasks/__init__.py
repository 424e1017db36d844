"""One module a task: data to arrays, splits, and the descriptions of input and output.

A module holds `Config` (the schema of its YAML) and `load`; with `prepare(config)`, where it has
one, the driver of a cluster has the executors read what `load` then finds in the cache. It is read
before the backend is chosen, so it imports Keras inside functions only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from har_keras.tasks.description import Inputs, Outputs


@dataclass(frozen=True)
class Split:
    """`x` float32 or int32 (samples, timesteps[, features]), `y` as the task's output wants it.

    `x` is a NumPy array, or a `data.padded.Padded` that stands for one too large for the memory.
    `groups` (samples,) are numbers (int64) or names (str). Samples of one group (a person, a
    document) never stand in two splits of a sound protocol.
    """

    x: Any
    y: np.ndarray
    groups: np.ndarray


@dataclass(frozen=True)
class Findings:
    """What is learned from a trained model itself, beside its outputs for the splits.

    `metrics` by split, `figures` by name (matplotlib), `files` (texts for the run folder) by name.
    """

    metrics: Mapping[str, Mapping[str, float]]
    figures: Mapping[str, Any]
    files: Mapping[str, str]


class Written(NamedTuple):
    """What a model in training writes by itself: `texts`, and `figures` of them by name.

    `enough`: it has learned all there is.
    """

    texts: list[str]
    figures: Mapping[str, float]
    enough: bool = False


@dataclass(frozen=True)
class TaskData:
    """What a task gives: three splits (`validation` may be None under a published protocol).

    `source` names where the data came from, `sha256` is that of the parsed arrays. `augment`
    changes a training batch of `x` at random. `files` are texts for the run folder, by file name.
    `baselines` fits models without a recurrent network and gives their test figures, by name.
    `study` puts a trained `keras.Model` to the task's own tests. `steps_per_epoch` counts updates
    where a pass over the data is too little to be an epoch. `write` has a `keras.Model` write,
    after each epoch. `teach` changes a training batch of `x` at random as `augment` does, and is
    told what share of the training is done.
    """

    train: Split
    validation: Split | None
    test: Split
    inputs: Inputs
    outputs: Outputs
    source: str
    sha256: str
    augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None
    teach: Callable[[np.ndarray, np.random.Generator, float], np.ndarray] | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    baselines: Callable[[], dict[str, dict[str, float]]] | None = None
    study: Callable[[Any], Findings] | None = None
    steps_per_epoch: int | None = None
    write: Callable[[Any], Written] | None = None

    @property
    def splits(self) -> dict[str, Split]:
        """The splits there are, by name."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in named.items() if split is not None}

    @property
    def note(self) -> str:
        """What every figure must say about the data, or an empty string."""
        return "simulated data" if self.source == "simulated" else ""
