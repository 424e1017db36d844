"""The shape that every source of human activity recordings comes in."""

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ACTIVITIES = (
    "walking",
    "walking upstairs",
    "walking downstairs",
    "sitting",
    "standing",
    "laying",
)
SIGNALS = tuple(
    f"{sensor}_{axis}" for sensor in ("body_acc", "body_gyro", "total_acc") for axis in "xyz"
)
WINDOW = 128  # samples
RATE = 50  # Hz

Source = Literal["uci_har", "simulated"]


@dataclass(frozen=True, eq=False)
class Windows:
    """Labelled windows of nine signals.

    signals: float32 (windows, 128, 9), in the order of SIGNALS; accelerations in g (standard
        gravity), angular velocities in rad/s, 50 samples a second.
    labels: int64 (windows,), index into ACTIVITIES.
    subjects: int64 (windows,), the number of the person, from 1.
    """

    signals: NDArray[np.float32]
    labels: NDArray[np.int64]
    subjects: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class HarData:
    """Training and test windows of different people.

    source: where they come from.
    sha256: of all six arrays, see `digest`.
    """

    train: Windows
    test: Windows
    source: Source
    sha256: str


def digest(train: Windows, test: Windows) -> str:
    """Hexadecimal SHA-256 over the bytes (little-endian) of all six arrays and their shapes."""
    total = hashlib.sha256()
    for part in (train, test):
        for array, kind in ((part.signals, "<f4"), (part.labels, "<i8"), (part.subjects, "<i8")):
            total.update(repr(array.shape).encode())
            total.update(np.ascontiguousarray(array, kind).data)
    return total.hexdigest()
