"""Sequences from many CSV files: one sequence a file, one row a step, lengths of their own.

A file is read by one function, `read`, in this process, in several, or on Apache Spark. Who reads
writes the numbers down, and tells only where they are: they are never all in memory.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from har_keras.data.csv_recordings import BLOCK, CsvReader, Dialect, Rows, gathered
from har_keras.errors import UserError, one_of

ENDINGS = (".csv", ".csv.gz")
FILES_EACH = 50  # that make it worth while to start a process
PART = 10  # files that a process takes at a time, at least
PARTS = 1000  # at most, as each is a file that is kept open
SLICES = 4  # tasks on Spark for each core


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


@dataclass(frozen=True, eq=False)
class Written:
    """One file whose `steps` x features numbers were written to `part`, from number `start` on.

    `mean` and `variance`, float64 (features,), and `sha256` are of these numbers; the rest is as
    `CsvSequence` has it.
    """

    path: str
    labels: tuple[str, ...]
    columns: tuple[str, ...]
    part: int
    start: int
    steps: int
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    sha256: str


@dataclass(frozen=True)
class BadFile:
    """A file that cannot be used; `reason` names the file, and the line where it is one."""

    path: str
    reason: str


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
        return BadFile(path, str(error))
    return CsvSequence(path, x, labels, columns)


def _chunks(path: str) -> Iterator[bytes]:
    import fsspec

    try:
        with fsspec.open(path, "rb", compression="infer") as file:
            while block := file.read(BLOCK):
                yield block
    except Exception as error:  # of any kind: each file system and archive has its own
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UserError(f"{path}: {' '.join(reason.split())}, expected a CSV file") from error


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
    return tuple(cells) if form.per_step else (named[0][1],)


def write_all(
    paths: list[str], form: Format, readers: int | None, folder: Path
) -> list[Written | BadFile]:
    """Read all files and write their numbers into `folder`; what is known of each, in their order.

    Through Spark where a session is active, else by as many processes as `readers` says (None: a
    core each), where there are files enough. This process is one of them: while others start, it
    takes back the last files that wait. However many read, the arrays are the same.
    """
    size = max(PART, len(paths) // PARTS)
    parts = [paths[i : i + size] for i in range(0, len(paths), size)]
    jobs = [(part, number, form, folder) for number, part in enumerate(parts)]
    if session := _spark():
        context = session.sparkContext
        slices = min(len(jobs), SLICES * context.defaultParallelism)
        found = context.parallelize(jobs, slices).map(_told).collect()
        for part in found:
            if isinstance(part, OSError):
                raise part
        return [file for part in found for file in part]
    readers = min(readers or os.cpu_count() or 1, len(paths) // FILES_EACH)
    if readers < 2:
        return [file for job in jobs for file in write_part(*job)]
    with ProcessPoolExecutor(readers - 1, get_context("spawn"), _leave_with_parent) as pool:
        given = [pool.submit(write_part, *job) for job in jobs]
        backwards = reversed(list(zip(given, jobs, strict=True)))
        own = {future: write_part(*job) for future, job in backwards if future.cancel()}
        found = [own[future] if future in own else future.result() for future in given]
    return [file for part in found for file in part]


def write_part(
    paths: list[str], number: int, form: Format, folder: Path
) -> list[Written | BadFile]:
    """Read some files one after the other and write their numbers into one file of `folder`."""
    with (folder / part_name(number)).open("wb") as file:
        return [_written(file, number, read(path, form)) for path in paths]


def part_name(number: int) -> str:
    """The file of a part: float32, little-endian, and nothing else."""
    return f"{number}.f4"


def _written(file: BinaryIO, number: int, found: CsvSequence | BadFile) -> Written | BadFile:
    if isinstance(found, BadFile):
        return found
    numbers = np.ascontiguousarray(found.x, "<f4")
    start = file.tell() // numbers.itemsize
    file.write(numbers.data)
    exact = found.x.astype(np.float64)
    return Written(
        found.path,
        found.labels,
        found.columns,
        number,
        start,
        len(numbers),
        exact.mean(0),
        exact.var(0),
        hashlib.sha256(numbers.data).hexdigest(),
    )


def _told(job: tuple[list[str], int, Format, Path]) -> list[Written | BadFile] | OSError:
    """As `write_part` on Spark, which would try again where a folder cannot be written."""
    try:
        return write_part(*job)
    except OSError as error:
        return error


def _leave_with_parent() -> None:
    """End this process when its parent has ended, however that was."""

    def wait() -> None:
        if parent := parent_process():
            parent.join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()


def _spark() -> Any:
    if "pyspark" not in sys.modules:
        return None
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession()


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
