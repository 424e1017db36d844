"""Parsed arrays kept on disk, so that a dataset is read from its text only once."""

import hashlib
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
T = TypeVar("T")
DAY = 86_400  # seconds
DAMAGED = OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile


def identity(files: Iterable[Path], *more: object) -> str:
    """Sixteen hexadecimal digits of the paths, sizes and times of `files`, and of `more`."""
    facts: list[object] = list(more)
    for file in files:
        status = file.stat()
        facts.append((str(file.resolve()), status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def digest(*arrays: NDArray[Any]) -> str:
    """Hexadecimal SHA-256 over the shapes, kinds and values of arrays of numbers or of text."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(repr((array.shape, array.dtype.kind)).encode())
        if array.dtype.kind in "UTO":
            total.update("\0".join(map(str, array.ravel())).encode("utf-8", "surrogateescape"))
        else:
            little = array.dtype.newbyteorder("<")
            total.update(np.ascontiguousarray(array, little).data)
    return total.hexdigest()


def stored(file: Path, names: Iterable[str], make: Callable[[], Arrays]) -> Arrays:
    """Arrays `names` from the .npz `file`; where it is missing or damaged, made and stored there.

    The file is written under another name and renamed, so that two processes may do so at once.
    A damaged file, and a folder that cannot be written, cost a line on standard error, no more.
    """
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except FileNotFoundError:
        pass
    except NotADirectoryError:
        pass  # told when writing
    except DAMAGED as error:
        _tell_damaged(file, error)
    arrays = make()
    try:
        _write(file, arrays)
    except OSError as error:
        _tell_unwritten(file, error)
    return arrays


def stored_folder(
    folder: Path | None, fill: Callable[[Path], None], opened: Callable[[Path], T]
) -> T:
    """What is `opened` of a folder of large files; where it is missing or damaged, filled first.

    It is filled under another name and renamed, so that two processes may do so at once. Where it
    is None, or cannot be written (a line on standard error), it is a temporary one that is removed
    once it is opened: what is memory-mapped stays.
    """
    if folder is not None:
        try:
            return opened(folder)
        except (FileNotFoundError, NotADirectoryError) as error:
            if folder.exists():
                _remove_damaged(folder, error)
        except OSError as error:
            _tell_damaged(folder, error)
        except DAMAGED as error:
            _remove_damaged(folder, error)
        try:
            _fill(folder, fill)
            return opened(folder)
        except DAMAGED as error:
            _tell_unwritten(folder, error)
    with TemporaryDirectory(prefix="har_keras-") as temporary:
        fill(Path(temporary))
        return opened(Path(temporary))


def _fill(folder: Path, fill: Callable[[Path], None]) -> None:
    for killed in folder.parent.glob(f"{folder.name}-*.tmp"):
        if time.time() - killed.stat().st_mtime > DAY:
            shutil.rmtree(killed, ignore_errors=True)
    unfinished = folder.with_name(f"{folder.name}-{uuid4().hex}.tmp")
    unfinished.mkdir(parents=True)
    try:
        fill(unfinished)
        with suppress(OSError):  # another process was faster
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _remove_damaged(folder: Path, error: Exception) -> None:
    _tell_damaged(folder, error)
    shutil.rmtree(folder, ignore_errors=True)


def _tell_damaged(place: Path, error: Exception) -> None:
    print(f"the cache {place} is damaged ({error}) and is made again", file=sys.stderr)


def _tell_unwritten(place: Path, error: Exception) -> None:
    print(
        f"parsed data could not be cached in {place.parent} "
        f"({getattr(error, 'strerror', None) or error}) and "
        "will be parsed again next time; set HAR_KERAS_CACHE to a folder that can be written",
        file=sys.stderr,
    )


def _write(file: Path, arrays: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.stem}-{uuid4().hex}.tmp")
    try:
        with unfinished.open("wb") as stream:
            np.savez(stream, **arrays)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
