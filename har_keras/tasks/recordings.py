"""Classes of your own sensor recordings: a folder of CSV files, one recording each."""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from har_keras.data import csv_recordings, windower
from har_keras.data.preprocessing import RAW, Preprocessing
from har_keras.data.stretch import Cut
from har_keras.errors import UserError, require
from har_keras.tasks import Split, TaskData
from har_keras.tasks.classification import ClassPerSequence
from har_keras.tasks.signals import Signals, statistics

TEST_DRAW = 0  # seeds the draw of test subjects, so that every `seed` has the same ones


@dataclass
class Config:
    """Schema of `conf/task/recordings.yaml`.

    `path`: the folder; loading makes it absolute, so that the run is found again from anywhere.
    `label`, `subject`: columns of text; where the files have no `subject`, each is a subject of its
    own. `rate`: samples a second (Hz) in a window, and in a file without a column `time` (seconds).
    `window`, `step`: the length of a window and the distance between two starts, in samples.
    `filter`: `none`, or `inertial` for total acceleration in g and rotation in rad/s. `channels`:
    columns of numbers; null takes all that are left,
    or those that the filter wants. `test_share`, `validation_share`: of the
    subjects, and of those then left; validation subjects are drawn by `seed`. `normalize`: whether
    the model standardises its input by the training subjects' mean and deviation.
    """

    name: str = "recordings"
    path: str = ""
    label: str = "label"
    subject: str = "subject"
    rate: float = 50.0
    window: int = 128
    step: int = 64
    filter: str = "none"
    channels: list[str] | None = None
    test_share: float = 0.25
    validation_share: float = 0.2
    normalize: bool = True

    def __post_init__(self) -> None:
        """Check each value by itself."""
        require(bool(self.path), "task.path", self.path, "a folder of CSV files")
        names = {self.label, self.subject, csv_recordings.TIME}
        allowed = f"other columns than {csv_recordings.TIME} and each other"
        require(
            len(names) == 3, "task.label, task.subject", f"{self.label}, {self.subject}", allowed
        )
        for key in ("test_share", "validation_share"):
            share = getattr(self, key)
            require(0 < share < 1, f"task.{key}", share, "above 0 and below 1")
        try:
            self.preprocessing(self.channels or list(RAW))
        except UserError as error:
            raise UserError(f"task.{error}") from error

    def preprocessing(self, channels: list[str]) -> Preprocessing:
        """How windows are made of `channels`; raise `UserError` where the filter has others."""
        columns = RAW if self.filter == "inertial" and set(channels) == set(RAW) else channels
        return Preprocessing(tuple(columns), self.rate, self.window, self.step, self.filter)


class Labelled(NamedTuple):
    """`x` float32 (windows, window, features), a label and a subject each (windows,), text."""

    x: NDArray[np.float32]
    labels: NDArray[np.str_]
    subjects: NDArray[np.str_]


def load(config: Config, root: Path, seed: int, published: bool) -> TaskData:
    """Read, cut, split by subject and describe; raise `UserError` for unusable recordings."""
    folder = Path(config.path).expanduser().resolve()
    config.path = str(folder)
    data, preprocessing = _read(config, folder)
    classes, y = np.unique(data.labels, return_inverse=True)
    held_out = draw(data.subjects, config.test_share, config.validation_share, seed, published)
    splits = {}
    for name, subjects in held_out.items():
        rows = np.isin(data.subjects, subjects)
        splits[name] = Split(data.x[rows], y[rows], data.subjects[rows])
    train = splits["train"]
    for index in np.setdiff1d(y, train.y):
        raise UserError(
            f"{folder}: expected every class in the training recordings, '{classes[index]}' is not:"
            f" only {', '.join(np.unique(data.subjects[y == index]))} has it; record it with more"
            " subjects, or change task.test_share, task.validation_share or seed"
        )
    mean, variance = statistics(train.x) if config.normalize else (None, None)
    return TaskData(
        train=train,
        validation=splits.get("validation"),
        test=splits["test"],
        inputs=Signals(config.window, preprocessing.features, mean, variance, preprocessing),
        outputs=ClassPerSequence(tuple(classes.tolist()), groups="subject"),
        source="recordings",
        sha256=_digest(data),
    )


def draw(
    subjects: NDArray[np.str_],
    test_share: float,
    validation_share: float,
    seed: int,
    published: bool,
) -> dict[str, NDArray[np.str_]]:
    """The subjects of each split; raise `UserError` for too few."""
    names = np.unique(subjects)
    least = 2 if published else 3
    if len(names) < least:
        raise UserError(
            f"task.path: expected recordings of at least {least} subjects (for training,"
            f" {'' if published else 'validation, '}test), found {len(names)}: {', '.join(names)}"
        )
    rest = np.random.default_rng(TEST_DRAW).permutation(names)
    count = np.clip(round(test_share * len(rest)), 1, len(rest) - least + 1)
    drawn = {"test": rest[:count]}
    rest = rest[count:]
    if not published:
        rest = np.random.default_rng(seed).permutation(np.sort(rest))
        count = np.clip(round(validation_share * len(rest)), 1, len(rest) - 1)
        drawn["validation"], rest = rest[:count], rest[count:]
    return drawn | {"train": rest}


def _read(config: Config, folder: Path) -> tuple[Labelled, Preprocessing]:
    if not folder.is_dir():
        raise UserError(f"task.path={config.path}: no such folder, expected one of CSV files")
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise UserError(f"task.path={config.path}: no *.csv in it, expected a file a recording")
    parts, notes = [], []
    wanted = config.channels or (list(RAW) if config.filter == "inertial" else None)
    channels = wanted
    for file in files:
        texts = config.label, config.subject
        reader, rows = csv_recordings.read(file, wanted, texts, needed=[config.label])
        channels = channels or list(reader.columns or ())
        if set(channels) != set(reader.columns or ()):
            raise UserError(
                f"{file}: has the channels {', '.join(reader.columns or ())}, expected those of"
                f" {files[0].name}: {', '.join(channels)} (task.channels=[…] chooses)"
            )
        preprocessing = config.preprocessing(channels)
        places = [list(reader.columns or ()).index(name) for name in preprocessing.columns]
        labels, subjects = rows.texts
        if config.subject not in reader.present:
            subjects = [file.stem] * len(labels)
            notes.append("subject")
        if rows.time is None:
            notes.append("time")
        with csv_recordings.located(str(file), rows):
            cut, cutter = windower.cut(preprocessing, rows.time, rows.x[:, places])
        notes.extend(["gap"] * cutter.gaps)
        parts.append(_labelled(cut, rows.time, labels, subjects, preprocessing))
    _tell(config, len(files), notes)
    return Labelled(*map(np.concatenate, zip(*parts, strict=True))), preprocessing


def _labelled(
    cut: Cut,
    time: NDArray[np.float64] | None,
    labels: list[str],
    subjects: list[str],
    preprocessing: Preprocessing,
) -> Labelled:
    """The windows whose samples all have one label, not an empty one, and one subject."""
    rate = preprocessing.rate
    time = np.arange(len(labels)) / rate if time is None else time
    near = 1e-3 / rate  # as exactly as times are known
    first = np.searchsorted(time, cut.start + near, "right") - 1
    last = np.searchsorted(time, cut.start + (preprocessing.window - 1) / rate - near)
    names, people = np.array(labels), np.array(subjects)
    changes = (names[1:] != names[:-1]) | (people[1:] != people[:-1])
    runs = np.concatenate([[0], np.cumsum(changes)])
    kept = (runs[first] == runs[last]) & (names[first] != "") & (people[first] != "")
    return Labelled(cut.x[kept], names[first[kept]], people[first[kept]])


def _tell(config: Config, files: int, notes: list[str]) -> None:
    if count := notes.count("subject"):
        what = f"{count} of {files} files have no column {config.subject}: each is a subject"
        print(f"{what} of its own", file=sys.stderr)
    if count := notes.count("time"):
        what = f"{count} of {files} files have no column time: taken as sampled at"
        print(f"{what} {config.rate:g} Hz (task.rate)", file=sys.stderr)
    if count := notes.count("gap"):
        print(f"{count} gaps in the recordings: no window spans one", file=sys.stderr)


def _digest(data: Labelled) -> str:
    """Hexadecimal SHA-256 over all windows, labels and subjects."""
    total = hashlib.sha256()
    for names in (data.labels, data.subjects):
        total.update("\0".join([str(len(names)), *names]).encode())
    total.update(repr(data.x.shape).encode())
    total.update(np.ascontiguousarray(data.x, "<f4").data)
    return total.hexdigest()
