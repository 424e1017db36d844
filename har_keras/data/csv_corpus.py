"""All sequences of many CSV files, and what is wrong with the files left out."""

import shutil
import sys
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from har_keras.data import cache
from har_keras.data.csv_parts import Written, part_name, write_all
from har_keras.data.csv_sequences import BadFile, Format, files
from har_keras.data.fetch import user_cache
from har_keras.data.padded import Padded
from har_keras.errors import UserError

UNLABELLED = -1
LAYOUT = 2  # of the cached files: count up when they change
FACTS = "files.npz"
PLACE = ("part", "start", "lengths", "orders")
STAMPS = (
    "mtime",
    "ETag",
    "etag",
    "LastModified",
    "Last-Modified",
    "last_modified",
    "updated",
    "modify",
)


@dataclass(frozen=True, eq=False)
class Corpus:
    """All files that can be used, in the order of their paths.

    x: (files, timesteps, features), read when it is asked for. y: int64, index of the class in
    `classes`, one a sequence (files,), or one a row (rows of all files,), -1 where it has none.
    means, variances: float64 (files, features), over the rows of each. sha256: of the numbers of
    each (files,). paths (files,), columns (features,), classes, bad (what is wrong with others, a
    line each): str.
    """

    x: Padded
    y: NDArray[np.int64]
    means: NDArray[np.float64]
    variances: NDArray[np.float64]
    sha256: NDArray[np.str_]
    paths: NDArray[np.str_]
    columns: NDArray[np.str_]
    classes: NDArray[np.str_]
    bad: NDArray[np.str_]

    def of_each_step(self) -> NDArray[np.int32]:
        """`y` of each row as (files, timesteps), -1 behind the last."""
        steps = np.arange(self.x.timesteps) < self.x.lengths[:, None]
        found = np.full(steps.shape, UNLABELLED, np.int32)
        found[steps] = self.y
        return found

    def statistics(self, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], ...]:
        """Mean and variance of each feature over all rows of the files `chosen`."""
        means, rows = self.means[chosen], self.x.lengths[chosen]
        mean = np.average(means, axis=0, weights=rows)
        spread = self.variances[chosen] + (means - mean) ** 2
        return mean, np.average(spread, axis=0, weights=rows)


def load(path: str, form: Format, readers: int | None, skip: bool) -> Corpus:
    """All files below `path`, their numbers in the cache where it can be told whether they changed.

    Every bad file is named on standard error. Raises `UserError` if there is one, unless `skip`, or
    no other.
    """
    paths = files(path, "task.path")
    corpus = _stored(_kept(paths, form), paths, form, readers)
    refuse(corpus.bad, len(paths), skip)
    return corpus


def prepare(path: str, form: Format, readers: int | None, skip: bool) -> None:
    """Fill the cache; nothing where files do not say when they changed. Raises as `load` does."""
    paths = files(path, "task.path")
    if folder := _kept(paths, form):
        refuse(_stored(folder, paths, form, readers).bad, len(paths), skip)


def read(paths: list[str], form: Format) -> Corpus:
    """All files of `paths`, not kept."""
    return _stored(None, paths, form, None)


def _stored(folder: Path | None, paths: list[str], form: Format, readers: int | None) -> Corpus:
    """From `folder`, or read; not left there if a file could not be read, which may pass."""
    unread: list[str] = []

    def fill(target: Path) -> None:
        found = write_all(paths, form, readers, target)
        unread.extend(file.path for file in found if isinstance(file, BadFile) and file.unread)
        np.savez(target / FACTS, **_gathered(found, form))  # type: ignore[arg-type]

    corpus = cache.stored_folder(folder, fill, _opened)
    if folder and unread:
        shutil.rmtree(folder, ignore_errors=True)
    return corpus


def _kept(paths: list[str], form: Format) -> Path | None:
    """The folder of the cache; None where a file does not say when it was changed."""
    from fsspec.core import url_to_fs

    facts: list[object] = []
    for path in paths:
        try:
            system, name = url_to_fs(path)
            known = system.info(name)
        except Exception as error:  # of any kind: each file system has its own
            facts.append((path, repr(error)))
            continue
        stamp = next((str(known[key]) for key in STAMPS if known.get(key)), None)
        if stamp is None:
            return None
        facts.append((path, known["size"], stamp))
    return user_cache() / f"csv_sequences-{cache.identity([], LAYOUT, form, facts)}"


def _gathered(found: list[Written | BadFile], form: Format) -> cache.Arrays:
    """Arrays of the files with the features that most of them have; others are bad."""
    sequences = [file for file in found if isinstance(file, Written)]
    bad = {file.path: file.reason for file in found if isinstance(file, BadFile)}
    counts = Counter(tuple(sorted(file.columns)) for file in sequences)
    usual = counts.most_common(1)[0][0] if counts else ()
    for file in sequences:
        if tuple(sorted(file.columns)) != usual:
            wanted, names = ", ".join(usual), ", ".join(file.columns)
            bad[file.path] = f"{file.path}: has the features {names}, expected {wanted} as others"
    sequences = [file for file in sequences if file.path not in bad]
    columns = sequences[0].columns if sequences else ()
    orders = [[file.columns.index(name) for name in columns] for file in sequences]
    labels = [label for file in sequences for label in file.labels]
    classes = tuple(sorted(set(labels) - {""})) if form.classes is None else form.classes
    index = {name: number for number, name in enumerate(classes)} | {"": UNLABELLED}
    shape = len(sequences), len(columns)
    return {
        "part": np.array([file.part for file in sequences], np.int64),
        "start": np.array([file.start for file in sequences], np.int64),
        "lengths": np.array([file.steps for file in sequences], np.int64),
        "orders": np.array(orders, np.int64).reshape(shape),
        "y": np.array([index[label] for label in labels], np.int64),
        "means": _in_order([file.mean for file in sequences], orders).reshape(shape),
        "variances": _in_order([file.variance for file in sequences], orders).reshape(shape),
        "sha256": np.array([file.sha256 for file in sequences], np.str_),
        "paths": np.array([file.path for file in sequences], np.str_),
        "columns": np.array(list(columns), np.str_),
        "classes": np.array(list(classes), np.str_),
        "bad": np.array([bad[path] for path in sorted(bad)], np.str_),
    }


def _in_order(rows: list[NDArray[np.float64]], orders: list[list[int]]) -> NDArray[np.float64]:
    return np.array([row[order] for row, order in zip(rows, orders, strict=True)], np.float64)


def _opened(folder: Path) -> Corpus:
    """What was written there; raise `ValueError` where it is not whole."""
    told = [field.name for field in fields(Corpus) if field.name != "x"]
    with np.load(folder / FACTS, allow_pickle=False) as archive:
        place, facts = ({name: archive[name] for name in names} for names in (PLACE, told))
    ends = place["start"] + place["lengths"] * place["orders"].shape[1]
    parts = {}
    for number in np.unique(place["part"]).tolist():
        part = np.memmap(folder / part_name(number), "<f4", "r")
        if len(part) < ends[place["part"] == number].max():
            raise ValueError(f"{part_name(number)} is too short")
        parts[number] = np.asarray(part)
    timesteps = int(place["lengths"].max(initial=0))
    return Corpus(x=Padded(parts, **place, timesteps=timesteps), **facts)


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
