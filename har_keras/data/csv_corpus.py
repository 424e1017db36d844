"""All sequences of many CSV files as a few arrays, and what is wrong with the files left out."""

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from har_keras.data import cache
from har_keras.data.csv_sequences import BadFile, CsvSequence, Format, files, read_all
from har_keras.data.fetch import user_cache
from har_keras.errors import UserError

UNLABELLED = -1
LAYOUT = 1  # of the cached arrays: count up when they change


class Corpus(NamedTuple):
    """All files that can be used, one after the other.

    x: float32 (rows, features). lengths: int64 (files,), rows of each. y: int64, index of the
    class in `classes`, (rows,) with -1 where a row has none, or one a sequence (files,). paths
    (files,), columns (features,), classes, bad (what is wrong with others, a line each): str.
    """

    x: NDArray[np.float32]
    lengths: NDArray[np.int64]
    y: NDArray[np.int64]
    paths: NDArray[np.str_]
    columns: NDArray[np.str_]
    classes: NDArray[np.str_]
    bad: NDArray[np.str_]

    def padded(self, rows: NDArray[Any], filling: float, timesteps: int) -> NDArray[Any]:
        """`rows` (rows, …) of all files as (files, timesteps, …), `filling` behind the last."""
        steps = np.arange(timesteps) < self.lengths[:, None]
        found = np.full((*steps.shape, *rows.shape[1:]), filling, rows.dtype)
        found[steps] = rows
        return found


def load(path: str, form: Format, readers: int | None, skip: bool) -> Corpus:
    """All files below `path`, kept in the cache where they are local.

    Every bad file is named on standard error. Raises `UserError` if there is one, unless `skip`, or
    no other.
    """
    paths = files(path, "task.path")

    def make() -> cache.Arrays:
        return gather(read_all(paths, form, readers), form)._asdict()

    file = _cached(paths, form)
    corpus = Corpus(**(cache.stored(file, Corpus._fields, make) if file else make()))
    refuse(corpus.bad, len(paths), skip)
    return corpus


def _cached(paths: list[str], form: Format) -> Path | None:
    """Where the arrays are kept; None for files that are not local."""
    readable = [os.access(path, os.R_OK) for path in paths]
    try:
        key = cache.identity(map(Path, paths), LAYOUT, form, readable)
    except OSError:
        return None
    return user_cache() / f"csv_sequences-{key}.npz"


def gather(found: list[CsvSequence | BadFile], form: Format) -> Corpus:
    """The arrays of all files with the features that most of them have; others are bad."""
    sequences = [file for file in found if isinstance(file, CsvSequence)]
    bad = {file.path: file.reason for file in found if isinstance(file, BadFile)}
    counts = Counter(tuple(sorted(file.columns)) for file in sequences)
    usual = counts.most_common(1)[0][0] if counts else ()
    for file in sequences:
        if tuple(sorted(file.columns)) != usual:
            wanted, names = ", ".join(usual), ", ".join(file.columns)
            bad[file.path] = f"{file.path}: has the features {names}, expected {wanted} as others"
    sequences = [file for file in sequences if file.path not in bad]
    columns = sequences[0].columns if sequences else ()
    parts = [file.x[:, [file.columns.index(name) for name in columns]] for file in sequences]
    labels = [label for file in sequences for label in file.labels]
    classes = tuple(sorted(set(labels) - {""})) if form.classes is None else form.classes
    index = {name: number for number, name in enumerate(classes)} | {"": UNLABELLED}
    return Corpus(
        np.concatenate([np.zeros((0, len(columns)), np.float32), *parts]),
        np.array([len(part) for part in parts], np.int64),
        np.array([index[label] for label in labels], np.int64),
        *(
            np.array(list(names), np.str_)
            for names in ((f.path for f in sequences), columns, classes, map(bad.get, sorted(bad)))
        ),
    )


def refuse(bad: NDArray[np.str_], count: int, skip: bool | None = None) -> None:
    """Name all `bad` files of `count`, and raise `UserError` if there are any.

    With `skip` only if all are bad; None where that is no choice.
    """
    for reason in bad:
        print(reason, file=sys.stderr)
    if len(bad) == count or (len(bad) and not skip):
        choice = ", or leave them out with task.on_bad=skip" if skip is False else ""
        raise UserError(
            f"{len(bad)} of {count} files cannot be used, they are named above; mend them{choice}"
        )
    if len(bad):
        print(f"{len(bad)} of {count} files are left out (task.on_bad=skip)", file=sys.stderr)
