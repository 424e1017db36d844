"""A sequence from a CSV file: one row a step, lengths of their own; and which files there are."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from har_keras.data.csv_recordings import BLOCK, CsvReader, Dialect, Rows, gathered
from har_keras.errors import UserError, one_of

ENDINGS = (".csv", ".csv.gz")
NOT_GZIP = EOFError, gzip.BadGzipFile, zlib.error


@dataclass(frozen=True)
class Format:
    """What stands in the files.

    label: the column of classes, a class `per_step` or one a sequence; `labelled`: whether it must
    be there. columns: the features, in order; None takes all but the label. classes: the names
    that are allowed, None for any. delimiter, header: as `Dialect` has.
    """

    label: str = "label"
    per_step: bool = False
    columns: tuple[str, ...] | None = None
    classes: tuple[str, ...] | None = None
    delimiter: str | None = None
    header: int = 1
    labelled: bool = True


@dataclass(frozen=True, eq=False)
class CsvSequence:
    """One file: `x` float32 (steps, features) and the features' names.

    `labels` are names: one, or with `Format.per_step` one a step, empty where a step has none; no
    names at all where they need not be there.
    """

    path: str
    x: NDArray[np.float32]
    labels: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class BadFile:
    """A file that cannot be used; `reason` names the file, and the line where it is one.

    `unread`: it is not known what stands in it, it could not be opened or not be read to its end.
    """

    path: str
    reason: str
    unread: bool = False


class Unread(UserError):
    """A file that could not be opened, or not be read to its end."""


def read(path: str, form: Format) -> CsvSequence | BadFile:
    """The sequence in a local file or at a URL that fsspec knows, `.gz` or not."""
    needed = [form.label] if form.labelled else []
    dialect = Dialect(form.delimiter, form.header, time=None)
    reader = CsvReader(path, form.columns, [form.label], needed, untimed=True, dialect=dialect)
    try:
        rows = gathered(reader, _chunks(path))
        columns = tuple(reader.columns or ())
        x = _finite(path, rows, columns)
        labels = _labels(path, rows, form) if form.labelled else ()
    except UserError as error:
        return BadFile(path, str(error), isinstance(error, Unread))
    return CsvSequence(path, x, labels, columns)


def _chunks(path: str) -> Iterator[bytes]:
    import fsspec

    try:
        with fsspec.open(path, "rb", compression="infer") as file:
            while block := file.read(BLOCK):
                yield block
    except Exception as error:  # of any kind: each file system and archive has its own
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        kind = UserError if isinstance(error, NOT_GZIP) else Unread
        raise kind(f"{path}: {' '.join(reason.split())}, expected a CSV file") from error


def _finite(path: str, rows: Rows, columns: tuple[str, ...]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        x = rows.x.astype(np.float32)
    for row, column in np.argwhere(~np.isfinite(x)):
        found = f"{columns[column][:40]} is {rows.x[row, column]:g}"
        raise UserError(f"{path}, line {rows.lines[row]}: {found}, expected a number like 0.5")
    return x


def _labels(path: str, rows: Rows, form: Format) -> tuple[str, ...]:
    (cells,) = rows.texts
    named = [(line, cell) for line, cell in zip(rows.lines, cells, strict=True) if cell]
    if not named:
        raise UserError(f"{path}: the column {form.label} is empty, expected the name of a class")
    for line, cell in named:
        if form.classes is not None and cell not in form.classes:
            allowed = one_of(cell, form.classes)
            raise UserError(f"{path}, line {line}: {form.label} is {cell[:20]!r}, not {allowed}")
        if not form.per_step and cell != (first := named[0][1]):
            found = f"{form.label} is {cell[:20]!r} after {first[:20]!r}"
            raise UserError(f"{path}, line {line}: {found}, expected one class a file")
    return tuple(map(sys.intern, cells)) if form.per_step else (named[0][1],)


def files(path: str, key: str) -> list[str]:
    """The CSV files of a folder (and its folders), or that a glob means, or the one; sorted.

    `path` may be a URL that fsspec knows; `key` is where the user typed it. Raises `UserError`
    where there are none.
    """
    from fsspec.core import url_to_fs
    from fsspec.implementations.local import LocalFileSystem

    try:
        system, root = url_to_fs(path)
        if system.isdir(root):
            names = system.find(root, withdirs=True)
            found = [name for name in names if name.endswith(ENDINGS) and name != root]
        else:
            found = [root] if system.isfile(root) else system.glob(root)
    except ImportError as error:
        extra = ": pip install 'har_keras[s3]'" if path.startswith("s3:") else ""
        raise UserError(f"{key}={path}: {error}{extra}") from error
    except Exception as error:  # of any kind: each file system has its own
        raise UserError(f"{key}={path}: {' '.join(str(error).split())}") from error
    if not found:
        raise UserError(f"{key}={path}: no *.csv there, expected a folder, glob or URL of them")
    if isinstance(system, LocalFileSystem):
        return sorted(found)
    return sorted(system.unstrip_protocol(name) for name in found)
