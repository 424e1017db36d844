"""Dates in 20 formats as ISO 8601: generated strings, character by character."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har_keras.data import dates
from har_keras.data.pairs import END, GO, Parts
from har_keras.data.text import Vocabulary
from har_keras.errors import require
from har_keras.tasks import TaskData
from har_keras.tasks.pair_options import PairOptions, task_data
from har_keras.tasks.pairs import Pairs

LARGEST = 300_000  # strings of all parts


@dataclass
class Config(PairOptions):
    """Schema of `conf/task/dates.yaml`: how many strings each part has, no two of them equal."""

    name: str = "dates"
    train_pairs: int = 20_000
    validation_pairs: int = 1_000
    test_pairs: int = 10_000

    def __post_init__(self) -> None:
        """Check each value by itself."""
        super().__post_init__()
        for key in ("train_pairs", "validation_pairs", "test_pairs"):
            count = getattr(self, key)
            require(0 < count <= LARGEST // 3, f"task.{key}", count, f"1 to {LARGEST // 3}")


def load(config: Config, root: Path, seed: int, published: bool) -> TaskData:
    """Draw and describe; test strings are drawn with the others, by `seed`."""
    sizes = config.train_pairs, config.validation_pairs, config.test_pairs
    drawn = dates.pairs(sum(sizes), np.random.default_rng(seed))
    found = [(list(source), list(target)) for source, target in drawn]
    parts = Parts(*np.split(np.arange(len(found)), np.cumsum(sizes)[:-1]))
    learned = found[: config.train_pairs]
    source = Vocabulary.learn([letters for letters, _ in learned])
    target = Vocabulary((GO, END, *Vocabulary.learn([letters for _, letters in learned]).words))
    longest = max(len(letters) for letters, _ in found)
    own = config.teacher_forcing < 1
    inputs = Pairs(source, target, longest + 1, "none", "characters", own)
    return task_data(config, inputs, found, parts, published, "generated")
