"""Human activity recognition: six activities from a phone's inertial sensors (UCI HAR)."""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from har_keras.data import simulated_har, uci_har
from har_keras.data.fetch import user_cache
from har_keras.data.preprocessing import Preprocessing
from har_keras.data.recordings import ACTIVITIES, SIGNALS, WINDOW, HarData, Windows
from har_keras.errors import require, require_choice
from har_keras.tasks import Split, TaskData
from har_keras.tasks.classification import ClassPerSequence
from har_keras.tasks.signals import Signals, statistics

TRAINING_SUBJECTS = 21


@dataclass
class Config:
    """Schema of `conf/task/har.yaml`.

    `source`: `real` data only, `simulated` recordings only, or `auto`: real if they can be found or
    fetched; loading replaces `auto` by what it found. `validation_subjects`: how many of the 21
    training subjects are held out. `normalize`: whether the model standardises its input by the
    training subjects' mean and deviation.
    `rotation`: training windows are turned at random, by a standard deviation of so many degrees
    about each axis, as phones sit differently on different people; 0 leaves them as they are.
    """

    name: str = "har"
    source: str = "auto"
    validation_subjects: int = 4
    normalize: bool = True
    rotation: float = 0.0

    def __post_init__(self) -> None:
        """Check each value by itself."""
        require_choice("task.source", self.source, ("auto", "real", "simulated"))
        allowed = 1 <= self.validation_subjects < TRAINING_SUBJECTS
        require(allowed, "task.validation_subjects", self.validation_subjects, "1 to 20")
        require(0 <= self.rotation <= 180, "task.rotation", self.rotation, "0 to 180 degrees")


def load(config: Config, root: Path, seed: int, published: bool) -> TaskData:
    """Read, split by subject and describe the recordings; raise `UserError` for unusable data."""
    data = _recordings(config, root)
    train, validation = data.train, None
    if not published:
        train, validation = hold_out(data.train, config.validation_subjects, seed)
    mean, variance = statistics(train.signals) if config.normalize else (None, None)
    return TaskData(
        train=_split(train),
        validation=_split(validation) if validation else None,
        test=_split(data.test),
        inputs=Signals(WINDOW, len(SIGNALS), mean, variance, Preprocessing()),
        outputs=ClassPerSequence(ACTIVITIES, groups="subject"),
        source=data.source,
        sha256=data.sha256,
        augment=partial(rotate, degrees=config.rotation) if config.rotation else None,
    )


def rotate(signals: np.ndarray, rng: np.random.Generator, degrees: float) -> np.ndarray:
    """Turn each window's sensor frame: (windows, timesteps, 9) in, the same shape and dtype out."""
    from scipy.spatial.transform import Rotation

    turns = Rotation.from_rotvec(rng.normal(0, np.radians(degrees), (len(signals), 3)))
    vectors = signals.reshape(len(signals), -1, 3)
    return (vectors @ turns.as_matrix().swapaxes(1, 2).astype(signals.dtype)).reshape(signals.shape)


def hold_out(windows: Windows, subjects: int, seed: int) -> tuple[Windows, Windows]:
    """Windows of the other subjects, windows of `subjects` subjects drawn by `seed`."""
    drawn = np.random.default_rng(seed).permutation(np.unique(windows.subjects))[:subjects]
    held_out = np.isin(windows.subjects, drawn)
    parts = [
        Windows(windows.signals[rows], windows.labels[rows], windows.subjects[rows])
        for rows in (~held_out, held_out)
    ]
    return parts[0], parts[1]


def _recordings(config: Config, root: Path) -> HarData:
    if config.source == "simulated":
        return simulated_har.load()
    try:
        data = uci_har.load(root, user_cache())
        config.source = "real"
        return data
    except uci_har.Unavailable as error:
        if config.source == "real":
            raise
        print(f"{error}\nGoing on with simulated recordings (task.source=auto).", file=sys.stderr)
        config.source = "simulated"
        return simulated_har.load()


def _split(windows: Windows) -> Split:
    return Split(windows.signals, windows.labels, windows.subjects)
