"""Classes of sequences, or of their steps, from a folder or an object store of CSV files."""

from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from har_keras.data import csv_corpus
from har_keras.data.cache import digest
from har_keras.data.csv_corpus import UNLABELLED, Corpus
from har_keras.data.csv_sequences import Format
from har_keras.errors import UserError, require, require_choice
from har_keras.tasks import Split, TaskData
from har_keras.tasks.classification import ClassPerSequence
from har_keras.tasks.labelled_texts import stratified
from har_keras.tasks.sequences import Sequences
from har_keras.tasks.step_classification import ClassOfEachStep

TEST_DRAW = 0  # seeds the draw of test files, so that every `seed` has the same ones
PARTS = ("train", "validation", "test")

Rows = NDArray[np.bool_]


@dataclass
class Config:
    """Schema of `conf/task/csv_sequences.yaml`.

    `path`: folder, glob or URL (`s3://…`) of CSV files; loading makes a local one absolute.
    `label`: the column of classes, by name, or by number (from 1) where `header` is 0; `labels`:
    whether there is a class a `sequence` or a `step`. `classes`: their names, and files with
    another are bad; a number n means 0 to n-1; null takes what the files hold. `columns`: the
    features; null takes all but the label. `delimiter`: one character, a blank for any white space,
    null for comma, semicolon or tab. `header`: lines above the rows; the last names the columns.
    `on_bad`: whether a file that cannot be used is left out (`skip`) or ends the run (`stop`).
    `readers`: processes that read, null for as many as cores. Files in folders `train`, `test` and
    `validation` are for that; otherwise `test_share` of the files, and `validation_share` of those
    then left, are drawn, the latter by `seed`, from each class alike where a sequence has one.
    `normalize`: whether the model standardises its input by the mean and deviation of training
    rows.
    """

    name: str = "csv_sequences"
    path: str = ""
    label: str = "label"
    labels: str = "sequence"
    classes: Any = None
    columns: list[str] | None = None
    delimiter: str | None = None
    header: int = 1
    on_bad: str = "stop"
    readers: int | None = None
    test_share: float = 0.25
    validation_share: float = 0.2
    normalize: bool = True

    def __post_init__(self) -> None:
        """Check each value by itself."""
        require(bool(self.path), "task.path", self.path, "a folder, glob or URL of CSV files")
        require_choice("task.labels", self.labels, ("sequence", "step"))
        require_choice("task.on_bad", self.on_bad, ("stop", "skip"))
        for key in ("test_share", "validation_share"):
            share = getattr(self, key)
            require(0 < share < 1, f"task.{key}", share, "above 0 and below 1")
        classes = self.classes
        named = isinstance(classes, list) and len(set(map(str, classes))) == len(classes) > 1
        counted = type(classes) is int and classes > 1
        allowed = "different names, how many (at least 2), or null"
        require(named or counted or classes is None, "task.classes", classes, allowed)
        require(self.header >= 0, "task.header", self.header, "0 or more lines")
        if self.delimiter is not None:
            allowed = "one character, or null"
            require(len(self.delimiter) == 1, "task.delimiter", self.delimiter, allowed)
        if self.readers is not None:
            require(self.readers > 0, "task.readers", self.readers, "at least 1, or null")

    @property
    def form(self) -> Format:
        """How the files are read."""
        classes = self.classes
        names = range(classes) if isinstance(classes, int) else classes
        return Format(
            self.label,
            self.labels == "step",
            None if self.columns is None else tuple(self.columns),
            None if names is None else tuple(map(str, names)),
            self.delimiter,
            self.header,
        )


def load(config: Config, root: Path, seed: int, published: bool) -> TaskData:
    """Read, split by file and describe; raise `UserError` for unusable files."""
    form = config.form
    corpus = csv_corpus.load(*_of(config))
    steps = corpus.x.timesteps
    y = corpus.of_each_step() if form.per_step else corpus.y
    rows = parts(config, corpus, seed, published)
    splits = {n: Split(corpus.x.only(r), y[r], corpus.paths[r]) for n, r in rows.items()}
    classes = tuple(corpus.classes.tolist())
    if len(classes) < 2:
        found = ", ".join(classes) or "none"
        raise UserError(f"{config.path}: expected labels of at least two classes, found {found}")
    train = splits["train"]
    for index in np.setdiff1d(corpus.y, [*np.unique(train.y), UNLABELLED]):
        raise UserError(
            f"{config.path}: expected every class in the training files, '{classes[index]}' is not;"
            " change task.test_share, task.validation_share or seed"
        )
    mean, variance = (
        [tuple(found.tolist()) for found in corpus.statistics(rows["train"])]
        if config.normalize
        else (None, None)
    )
    ragged = bool(np.ptp(corpus.x.lengths))
    form = replace(form, columns=tuple(corpus.columns.tolist()), classes=classes)
    numbers = corpus.sha256, corpus.x.lengths, corpus.x.orders, corpus.y
    return TaskData(
        train=train,
        validation=splits.get("validation"),
        test=splits["test"],
        inputs=Sequences(steps, corpus.x.shape[-1], mean, variance, ragged=ragged, form=form),
        outputs=(
            ClassOfEachStep(classes, timesteps=steps)
            if form.per_step
            else ClassPerSequence(classes)
        ),
        source="csv",
        sha256=digest(*numbers, corpus.columns, corpus.classes),
    )


def prepare(config: Config) -> None:
    """Read all files into the cache, if it has not got them; raise `UserError` for bad ones."""
    csv_corpus.prepare(*_of(config))


def _of(config: Config) -> tuple[str, Format, int | None, bool]:
    if "://" not in config.path:
        config.path = str(Path(config.path).expanduser().resolve())
    return config.path, config.form, config.readers, config.on_bad == "skip"


def parts(config: Config, corpus: Corpus, seed: int, published: bool) -> dict[str, Rows]:
    """By split, whether each file is in it; raise `UserError` for too few files."""
    folders = np.array([PurePath(path).parent.name for path in corpus.paths])
    own = np.isin(folders, PARTS)
    if own.any() and not own.all():
        path = corpus.paths[~own][0]
        raise UserError(f"{path}: expected a folder {', '.join(PARTS)}, as others have, or none")
    strata = np.zeros(len(corpus.paths), np.int64) if config.labels == "step" else corpus.y
    test = folders == "test" if own.any() else _drawn(strata, config.test_share, TEST_DRAW)
    found = {"train": ~test, "test": test}
    if not published:
        validation = folders == "validation"
        if not validation.any():
            validation = ~test
            validation[~test] = _drawn(strata[~test], config.validation_share, seed)
        found = {"train": ~test & ~validation, "validation": validation, "test": test}
    for name, rows in found.items():
        if not rows.any():
            raise UserError(
                f"{config.path}: too few files, none of {len(rows)} for {name}; change"
                " task.test_share or task.validation_share, or add files"
            )
    return found


def _drawn(strata: NDArray[np.int64], share: float, seed: int) -> Rows:
    return stratified(strata, share, np.random.default_rng(seed))
