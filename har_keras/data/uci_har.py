"""UCI HAR: thirty people, six activities, a smartphone at the waist.

Anguita, Ghio, Oneto, Parra, Reyes-Ortiz: A Public Domain Dataset for Human Activity Recognition
Using Smartphones, ESANN 2013. https://doi.org/10.24432/C54S4K
"""

import io
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
from numpy.typing import NDArray

from har_keras.data.cache import Arrays, identity, stored
from har_keras.data.fetch import fetch
from har_keras.data.recordings import ACTIVITIES, SIGNALS, WINDOW, HarData, Windows, digest
from har_keras.errors import UserError

DOWNLOAD = "human+activity+recognition+using+smartphones.zip"
URL = f"https://archive.ics.uci.edu/static/public/240/{DOWNLOAD}"
FOLDERS = ("UCI HAR Dataset", "UCI_HAR_Dataset")
ARCHIVES = (*(f"{folder}.zip" for folder in FOLDERS), DOWNLOAD)
LAYOUT = 1  # of the cached arrays: count up when they change

REMEDY = f"delete it and let it be fetched again, or download it by hand from {URL}"

MOST_BYTES = 1 << 28  # of one member, against zip bombs; four times the largest real one
MOST_ACCELERATION = 4.0  # g; the sensor's range is 2
MOST_ROTATION = 10.0  # rad/s; the sensor's range is 8.7
MOST_SUBJECTS = 30
TOLERANCE = 1e-6  # of the published statistics

UNREADABLE = (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
PARTS = ("train", "test")
ARRAYS = ("signals", "labels", "subjects")

Open = Callable[[str], IO[bytes]]


@dataclass(frozen=True)
class Expected:
    """What the whole dataset shows: numbers of windows, mean and deviation of all test signals."""

    train: int
    test: int
    test_mean: float | None = None
    test_std: float | None = None


OFFICIAL = Expected(train=7352, test=2947, test_mean=0.0991399, test_std=0.395671)


class Unavailable(UserError):
    """The dataset is neither found nor can it be fetched."""


def load(root: Path, cache: Path, url: str = URL, expected: Expected = OFFICIAL) -> HarData:
    """Read the dataset from `root`, else from `cache`, else fetch it into `cache`.

    Looks in `root/uci_har`, `root` and `cache` for the archive (as UCI packs it, one zip inside
    another, or the inner one alone) or the unpacked folder. The parsed arrays are kept in `cache`.

    Raises:
        Unavailable: nothing was found and nothing could be fetched.
        UserError: what was found is damaged, or is not the dataset.
    """
    source = _find(root / "uci_har", root, cache)
    fetched = source is None
    if source is None:
        try:
            source = fetch(url, cache, DOWNLOAD)
        except UserError as error:
            raise Unavailable(f"UCI HAR is neither in {root} nor in {cache}: {error}") from error
    key = identity(_files(source), LAYOUT, expected)
    names = [f"{part}_{name}" for part in PARTS for name in ARRAYS]
    try:
        arrays = stored(
            cache / f"uci_har-{key}.npz", [*names, "sha256"], lambda: _parse(source, expected)
        )
    except UserError:
        if fetched:  # not the dataset, whatever the server sent: ask again next time
            source.unlink(missing_ok=True)
        raise
    train, test = (Windows(*(arrays[f"{part}_{name}"] for name in ARRAYS)) for part in PARTS)
    return HarData(train, test, "uci_har", str(arrays["sha256"]))


def _find(*folders: Path) -> Path | None:
    for folder in folders:
        for name in (*ARCHIVES, *FOLDERS):
            if (folder / name).exists():
                return folder / name
        if (folder / "train" / "Inertial Signals").is_dir():
            return folder
    return None


def _files(source: Path) -> list[Path]:
    """The archive, or all text files of the unpacked folder."""
    return sorted(source.glob("t*/**/*.txt")) if source.is_dir() else [source]


def _parse(source: Path, expected: Expected) -> Arrays:
    with _opened(source) as open_file:
        train = _part(source, open_file, "train", expected.train)
        test = _part(source, open_file, "test", expected.test)
    _check(source, train, test, expected)
    arrays = {
        f"{part}_{name}": getattr(windows, name)
        for part, windows in (("train", train), ("test", test))
        for name in ARRAYS
    }
    return arrays | {"sha256": np.array(digest(train, test))}


@contextmanager
def _opened(source: Path) -> Iterator[Open]:
    if source.is_dir():
        yield lambda name: (source / name).open("rb")
        return
    with _archive(source) as archive:
        landmark = "train/y_train.txt"
        found = [name for name in archive.namelist() if name.endswith(landmark)]
        if not found:
            raise UserError(
                f"{source} is not the UCI HAR dataset: expected a member {landmark}, found "
                f"{', '.join(archive.namelist()[:3]) or 'nothing'}; {REMEDY}"
            )
        top = found[0].removesuffix(landmark)
        yield lambda name: _member(archive, top + name)


def _archive(source: Path) -> zipfile.ZipFile:
    """The zip that holds the files: the one inside `source` if there is one, else `source`."""
    try:
        archive = zipfile.ZipFile(source)
        inner = [name for name in archive.namelist() if PurePosixPath(name).name in ARCHIVES]
        if not inner:
            return archive
        with archive, _member(archive, inner[0]) as stream:
            return zipfile.ZipFile(io.BytesIO(stream.read()))
    except (ValueError, *UNREADABLE) as error:
        raise UserError(f"{source} is not a whole zip archive: {error}; {REMEDY}") from error


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    member = archive.getinfo(name)
    if member.file_size > MOST_BYTES:
        raise zipfile.BadZipFile(f"would unpack to {member.file_size} bytes, over {MOST_BYTES}")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile("packed in another way than stored or deflated")
    return archive.open(name)


def _part(source: Path, open_file: Open, part: str, rows: int) -> Windows:
    def table(name: str, columns: int, low: float, high: float, whole: bool) -> NDArray[np.float32]:
        try:
            return _table(open_file, name, (rows, columns), low, high, whole)
        except (KeyError, FileNotFoundError) as error:
            raise UserError(f"{source}: {name} is missing; {REMEDY}") from error
        except (ValueError, *UNREADABLE) as error:
            raise UserError(f"{source}: {name}: {error}; {REMEDY}") from error

    signals = np.empty((rows, WINDOW, len(SIGNALS)), np.float32)
    for index, signal in enumerate(SIGNALS):
        most = MOST_ROTATION if "gyro" in signal else MOST_ACCELERATION
        name = f"{part}/Inertial Signals/{signal}_{part}.txt"
        signals[:, :, index] = table(name, WINDOW, -most, most, whole=False)
    labels = table(f"{part}/y_{part}.txt", 1, 1, len(ACTIVITIES), whole=True)
    subjects = table(f"{part}/subject_{part}.txt", 1, 1, MOST_SUBJECTS, whole=True)
    return Windows(signals, labels[:, 0].astype(np.int64) - 1, subjects[:, 0].astype(np.int64))


def _table(
    open_file: Open, name: str, shape: tuple[int, int], low: float, high: float, whole: bool
) -> NDArray[np.float32]:
    """Numbers of one text file, from `low` to `high`; ValueError tells the first mistake."""
    reason = "its numbers cannot be read"
    try:
        with io.TextIOWrapper(open_file(name), "latin-1") as lines, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # an empty file
            table = np.loadtxt(lines, np.float32, comments=None, ndmin=2)
        if (
            table.shape == shape
            and ((low <= table) & (table <= high)).all()
            and not (whole and (table % 1).any())
        ):
            return table
    except ValueError as error:
        reason = str(error)
    with io.TextIOWrapper(open_file(name), "latin-1") as lines:
        raise ValueError(_first_mistake(lines, shape, low, high, whole) or reason)


def _first_mistake(
    lines: Iterable[str], shape: tuple[int, int], low: float, high: float, whole: bool
) -> str | None:
    rows, columns = shape
    kind = "a whole number" if whole else "a number"
    count = 0
    for count, line in enumerate(lines, 1):
        fields = line.split()
        if len(fields) != columns:
            return f"line {count}: expected {columns} numbers, found {len(fields)}"
        for field in fields:
            try:
                value = float(field)
            except ValueError:
                value = np.nan
            if not low <= value <= high or (whole and value % 1):
                return (
                    f"line {count}: expected {kind} from {low:g} to {high:g}, found {field[:30]!r}"
                )
    return f"expected {rows} lines, found {count}" if count != rows else None


def _check(source: Path, train: Windows, test: Windows, expected: Expected) -> None:
    for part, windows in (("train", train), ("test", test)):
        absent = set(range(len(ACTIVITIES))) - set(windows.labels.tolist())
        if absent:
            numbers = ", ".join(str(label + 1) for label in sorted(absent))
            raise UserError(
                f"{source}: {part}/y_{part}.txt: expected all labels from 1 to {len(ACTIVITIES)}, "
                f"found none of {numbers}; {REMEDY}"
            )
    both = np.intersect1d(train.subjects, test.subjects)
    if both.size:
        raise UserError(
            f"{source}: test/subject_test.txt: expected none of the training subjects, "
            f"found {', '.join(map(str, both))}; {REMEDY}"
        )
    for name, value, published in (
        ("mean", test.signals.mean(dtype=np.float64), expected.test_mean),
        ("standard deviation", test.signals.std(dtype=np.float64), expected.test_std),
    ):
        if published is not None and abs(value - published) > TOLERANCE:
            raise UserError(
                f"{source}: expected the published {name} of the test signals, {published}, "
                f"found {value:.7g}: these are other recordings; {REMEDY}"
            )
