"""Good or bad opinions of books and films: the sentences of UMICH SI650.

The training data of the Kaggle in-class competition si650winter11 (University of Michigan, 2011).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from har_keras.data.labelled_texts import LabelledTexts, read
from har_keras.data.text import opinions
from har_keras.errors import UserError, require
from har_keras.tasks import TaskData
from har_keras.tasks.labelled_texts import TextTask, describe, require_labels

CLASSES = {"0": "negative", "1": "positive"}
SENTENCES = 7086
FOLD_DRAW = 0  # seeds the partition into folds, so that the folds of all seeds fit together


@dataclass
class Config(TextTask):
    """Schema of `conf/task/si650.yaml`: one of `folds` parts is for testing, chosen by `seed`."""

    name: str = "si650"
    folds: int = 5

    def __post_init__(self) -> None:
        """Check each value by itself."""
        super().__post_init__()
        require(self.folds > 1, "task.folds", self.folds, "at least 2")


def load(config: Config, root: Path, seed: int, published: bool) -> TaskData:
    """Read, group, split and describe the sentences; raise `UserError` for unusable data."""

    def draw_test(y: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
        return folds(y, config.folds) == seed % config.folds

    path = Path(config.path).expanduser().resolve() if config.path else None
    config.path = str(path or "")
    data = read(path) if path else _sentences(root)
    require_labels(data, CLASSES, path or root)
    source = "texts" if path else "si650"
    return describe(config, data, CLASSES, opinions, draw_test, root, seed, published, source)


def folds(y: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The fold of each sample, 0 to `count` - 1, with equal shares of each class of `y`."""
    fold = np.zeros(len(y), np.int64)
    rng = np.random.default_rng(FOLD_DRAW)
    for label in np.unique(y):
        places = rng.permutation(np.flatnonzero(y == label))
        fold[places] = np.arange(len(places)) % count
    return fold


def _sentences(root: Path) -> LabelledTexts:
    places = [folder / "training.txt" for folder in (root / "si650", root)]
    path = next((path for path in places if path.is_file()), None)
    if path is None:
        raise UserError(
            f"UMICH SI650 is not in {root}: expected {places[0]}, the training data of"
            " https://www.kaggle.com/c/si650winter11 (log in there to download it)"
        )
    data = read(path)
    if len(data.texts) != SENTENCES:
        raise UserError(
            f"{path}: expected the {SENTENCES} sentences of the competition, found"
            f" {len(data.texts)}; another file is named with task.path={path}"
        )
    return data
