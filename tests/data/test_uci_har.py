from __future__ import annotations

import io
import multiprocessing
import os
import zipfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from har_keras.data import uci_har
from har_keras.data.recordings import SIGNALS, WINDOW, HarData, digest
from har_keras.data.signals import gravity
from har_keras.data.uci_har import Expected, Unavailable
from har_keras.errors import UserError

if TYPE_CHECKING:
    from conftest import Server

Files = dict[str, bytes]
TINY = Expected(train=12, test=6)
NOWHERE = "http://127.0.0.1:9/nothing"
SIGNAL = "train/Inertial Signals/body_gyro_y_train.txt"


@pytest.fixture
def tiny() -> Files:
    """The dataset's files, with two windows an activity to train on and one to test."""
    rng = np.random.default_rng(0)
    files = {"README.txt": b"tiny"}
    for part, rows, first_subject in (("train", TINY.train, 1), ("test", TINY.test, 20)):
        for signal in SIGNALS:
            lines = [
                " ".join(f"{value: .7e}" for value in row)
                for row in rng.normal(0, 0.3, (rows, WINDOW))
            ]
            name = f"{part}/Inertial Signals/{signal}_{part}.txt"
            files[name] = ("\r\n".join(lines) + "\r\n").encode()
        row = range(rows)
        files[f"{part}/y_{part}.txt"] = "".join(f"{i % 6 + 1}\n" for i in row).encode()
        subjects = "".join(f"{first_subject + i // 6}\n" for i in row)
        files[f"{part}/subject_{part}.txt"] = subjects.encode()
    return files


def packed(files: Files, top: str = "UCI HAR Dataset/", method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(top + name, content)
    return stream.getvalue()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def load(root: Path, cache: Path, expected: Expected = TINY, url: str = NOWHERE) -> HarData:
    return uci_har.load(root, cache, url, expected)


def check(data: HarData, files: Files) -> None:
    assert data.source == "uci_har"
    assert data.train.signals.shape == (12, 128, 9)
    assert data.test.signals.shape == (6, 128, 9)
    assert data.train.signals.dtype == np.float32
    assert data.train.labels.dtype == data.train.subjects.dtype == np.int64
    assert data.train.labels.tolist() == [0, 1, 2, 3, 4, 5] * 2
    assert data.train.subjects.tolist() == [1] * 6 + [2] * 6
    np.testing.assert_array_equal(
        data.train.signals[..., 4].ravel(), np.array(files[SIGNAL].split(), np.float32)
    )
    assert data.sha256 == digest(data.train, data.test)


def unpack(files: Files, folder: Path) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("folder", ["uci_har", "."])
def test_archive(root: Path, cache: Path, tiny: Files, folder: str, method: int) -> None:
    (root / folder).mkdir(exist_ok=True)
    (root / folder / "UCI HAR Dataset.zip").write_bytes(packed(tiny, method=method))
    check(load(root, cache), tiny)


def test_archive_without_top_folder(root: Path, cache: Path, tiny: Files) -> None:
    (root / "UCI_HAR_Dataset.zip").write_bytes(packed(tiny, top=""))
    check(load(root, cache), tiny)


def test_archive_in_archive(root: Path, cache: Path, tiny: Files) -> None:
    outer = packed({"UCI HAR Dataset.names": b"", "UCI HAR Dataset.zip": packed(tiny)}, top="")
    (root / uci_har.DOWNLOAD).write_bytes(outer)
    check(load(root, cache), tiny)


@pytest.mark.parametrize("folder", ["uci_har/UCI HAR Dataset", "UCI HAR Dataset", "uci_har", "."])
def test_unpacked(root: Path, cache: Path, tiny: Files, folder: str) -> None:
    unpack(tiny, root / folder)
    check(load(root, cache), tiny)


def test_fetched(root: Path, cache: Path, tiny: Files, server: Server) -> None:
    server.content = packed({"UCI HAR Dataset.zip": packed(tiny)}, top="")
    for _ in range(2):
        check(load(root, cache, url=f"{server.url}/har.zip"), tiny)
    assert server.requests == 1


def test_unavailable(root: Path, cache: Path, server: Server) -> None:
    with pytest.raises(Unavailable, match="404") as raised:
        load(root, cache, url=f"{server.url}/missing")
    assert "\n" not in str(raised.value)


def test_wrong_download_is_not_kept(root: Path, cache: Path, tiny: Files, server: Server) -> None:
    server.content = b"<html>Please log in to this network</html>"
    with pytest.raises(UserError, match="not a whole zip") as raised:
        load(root, cache, url=server.url)
    assert not isinstance(raised.value, Unavailable)
    server.content = packed(tiny)
    check(load(root, cache, url=server.url), tiny)


def line(name: str, row: int, content: bytes) -> Callable[[Files], None]:
    def apply(files: Files) -> None:
        lines = files[name].splitlines(keepends=True)
        lines[row - 1] = content
        files[name] = b"".join(lines)

    return apply


def first_value(value: bytes, row: int) -> Callable[[Files], None]:
    def apply(files: Files) -> None:
        lines = files[SIGNAL].splitlines(keepends=True)
        lines[row - 1] = b" ".join([value, *lines[row - 1].split()[1:]]) + b"\n"
        files[SIGNAL] = b"".join(lines)

    return apply


Y_TRAIN, Y_TEST = "train/y_train.txt", "test/y_test.txt"
PEOPLE = "test/subject_test.txt"
ZEROS = b"0 " * 128 + b"\n"
WRONG_CONTENT: dict[str, tuple[Callable[[Files], object], str]] = {
    "no label file": (lambda files: files.pop(Y_TEST), f"{Y_TEST} is missing"),
    "no signal file": (lambda files: files.pop(SIGNAL), f"{SIGNAL} is missing"),
    "empty file": (lambda files: files.update({SIGNAL: b""}), "expected 12 lines, found 0"),
    "short row": (line(SIGNAL, 3, b"1 2\n"), f"{SIGNAL}: line 3: expected 128 numbers, found 2"),
    "blank row": (line(SIGNAL, 3, b"\n"), "line 3: expected 128 numbers, found 0"),
    "row too few": (line(SIGNAL, 12, b""), "expected 12 lines, found 11"),
    "row too many": (line(SIGNAL, 12, ZEROS + ZEROS), "expected 12 lines, found 13"),
    "NaN": (first_value(b"NaN", 5), "line 5: expected a number from -10 to 10, found 'NaN'"),
    "infinity": (first_value(b"-inf", 5), "line 5: .* found '-inf'"),
    "too large": (first_value(b"9.81e1", 5), "line 5: .* found '9.81e1'"),
    "a word": (first_value(b"abc", 12), "line 12: .* found 'abc'"),
    "not text": (first_value(b"\xff\x00\xfe", 2), "line 2: .* found 'ÿ"),
    "underscore": (first_value(b"1_0", 2), f"{SIGNAL}: .*1_0"),
    "label 0": (line(Y_TRAIN, 7, b"0\n"), "line 7: expected a whole number from 1 to 6, found '0'"),
    "label 7": (line(Y_TEST, 2, b"7\n"), f"{Y_TEST}: line 2: .* found '7'"),
    "label 1.5": (line(Y_TEST, 2, b"1.5\n"), "line 2: .* whole number .* found '1.5'"),
    "label absent": (line(Y_TEST, 2, b"1\n"), f"{Y_TEST}: .* found none of 2"),
    "subject 31": (line(PEOPLE, 2, b"31\n"), f"{PEOPLE}: line 2: .* found '31'"),
    "subject twice": (line(PEOPLE, 2, b"1\n"), "none of the training subjects, found 1"),
}


@pytest.mark.parametrize("unpacked", [False, True])
@pytest.mark.parametrize("wrong", WRONG_CONTENT)
def test_wrong_content(root: Path, cache: Path, tiny: Files, wrong: str, unpacked: bool) -> None:
    spoil, message = WRONG_CONTENT[wrong]
    spoil(tiny)
    if unpacked:
        unpack(tiny, root / "UCI HAR Dataset")
    else:
        (root / "UCI HAR Dataset.zip").write_bytes(packed(tiny))
    with pytest.raises(UserError, match=message) as raised:
        load(root, cache)
    check_error(raised.value, root, cache)


def check_error(error: UserError, root: Path, cache: Path) -> None:
    assert not isinstance(error, Unavailable)
    assert str(root) in str(error)
    assert uci_har.URL in str(error)
    assert "\n" not in str(error)
    assert not cache.exists()


def swap_digit(archive: bytes) -> bytes:
    """A wrong digit inside a stored member, so that only the checksum tells."""
    at = archive.index(b"e-01", archive.index(SIGNAL.encode())) - 1
    return archive[:at] + (b"1" if archive[at : at + 1] != b"1" else b"2") + archive[at + 1 :]


def garble(archive: bytes) -> bytes:
    at = archive.index(SIGNAL.encode()) + len(SIGNAL) + 2000
    return archive[:at] + bytes(200) + archive[at + 200 :]


def encrypted(archive: bytes) -> bytes:
    """The archive with the flag of encryption set on every member."""
    return archive.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")


def bad_name(archive: bytes) -> bytes:
    """The archive with the flag of UTF-8 names set, and a name that is not."""
    at = archive.rindex(b"PK\x01\x02")
    return archive[: at + 9] + b"\x08" + archive[at + 10 : at + 46] + b"\xff" + archive[at + 47 :]


def test_damaged_archives(root: Path, cache: Path, tiny: Files) -> None:
    whole, deflated = packed(tiny), packed(tiny, method=zipfile.ZIP_DEFLATED)
    nested = packed({"UCI HAR Dataset.zip": whole[:-100]}, top="")
    for archive, message in (
        (b"", "not a whole zip"),
        (b"<html>404</html>", "not a whole zip"),
        (whole[:-1000], "not a whole zip"),
        (whole[:1000], "not a whole zip"),
        (nested, "not a whole zip"),
        (packed({"a.txt": b"", "b.txt": b""}), "is not the UCI HAR dataset: .*a.txt, .*b.txt"),
        (packed({}), "found nothing"),
        (swap_digit(whole), f"{SIGNAL}: Bad CRC-32"),
        (garble(deflated), f"{SIGNAL}: "),
        (encrypted(whole), "encrypted"),
        (packed(tiny, method=zipfile.ZIP_LZMA), "stored or deflated"),
        (bad_name(whole), "not a whole zip"),
    ):
        (root / "UCI HAR Dataset.zip").write_bytes(archive)
        with pytest.raises(UserError, match=message) as raised:
            load(root, cache)
        check_error(raised.value, root, cache)


def test_zip_bomb(root: Path, cache: Path, tiny: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "UCI HAR Dataset.zip").write_bytes(packed(tiny))
    monkeypatch.setattr(uci_har, "MOST_BYTES", 10_000)
    with pytest.raises(UserError, match="would unpack to"):
        load(root, cache)


@pytest.mark.parametrize("statistic", ["test_mean", "test_std"])
def test_published_statistics(root: Path, cache: Path, tiny: Files, statistic: str) -> None:
    (root / "UCI HAR Dataset.zip").write_bytes(packed(tiny))
    signals = load(root, cache).test.signals
    true = replace(TINY, test_mean=float(signals.mean()), test_std=float(signals.std()))
    check(load(root, cache, true), tiny)
    wrong = replace(true, **{statistic: getattr(true, statistic) + 2e-6})
    with pytest.raises(UserError, match="published"):
        load(root, cache, wrong)


def test_cache_follows_the_source(
    root: Path, cache: Path, tiny: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = root / "UCI HAR Dataset.zip"
    archive.write_bytes(packed(tiny))
    first = load(root, cache)
    with monkeypatch.context() as patch:
        patch.setattr(uci_har, "_parse", None)
        assert load(root, cache).sha256 == first.sha256
    first_value(b"0.125", 1)(tiny)
    archive.write_bytes(packed(tiny))
    os.utime(archive, ns=(1, 1))
    second = load(root, cache)
    assert second.train.signals[0, 0, 4] == 0.125
    assert second.sha256 != first.sha256


def test_cache_that_cannot_be_written(
    root: Path, tmp_path: Path, tiny: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "UCI HAR Dataset.zip").write_bytes(packed(tiny))
    cache = tmp_path / "file"
    cache.touch()
    check(load(root, cache), tiny)
    assert "could not be cached" in capsys.readouterr().err


def test_two_processes_at_once(root: Path, cache: Path, tiny: Files) -> None:
    (root / "UCI HAR Dataset.zip").write_bytes(packed(tiny))
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        tasks = [pool.submit(uci_har.load, root, cache, NOWHERE, TINY) for _ in range(4)]
        for task in tasks:
            check(task.result(), tiny)
    assert len(list(cache.iterdir())) == 1


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> HarData:
    folder = os.environ.get("HAR_KERAS_DATA")
    if not folder:
        pytest.skip("HAR_KERAS_DATA is unset")
    return uci_har.load(Path(folder), tmp_path_factory.mktemp("cache"), NOWHERE)


@pytest.mark.real_data
def test_real_data(real: HarData) -> None:
    assert real.train.signals.shape == (7352, 128, 9)
    assert real.test.signals.shape == (2947, 128, 9)
    assert len(set(real.train.subjects)) == 21
    assert len(set(real.test.subjects)) == 9
    assert real.test.signals.mean(dtype=np.float64) == pytest.approx(0.0991399, abs=1e-6)
    assert real.test.signals.std(dtype=np.float64) == pytest.approx(0.395671, abs=1e-6)
    assert np.bincount(real.test.labels).tolist() == [496, 471, 420, 491, 532, 537]


@pytest.mark.real_data
def test_gravity_is_the_datasets(real: HarData) -> None:
    """Windows overlap by half: stitched together, they are recordings of up to half a minute."""
    body, total = real.test.signals[..., :3], real.test.signals[..., 6:]
    half, settled = 64, 500
    follows = (total[:-1, half:] == total[1:, :half]).all((1, 2))
    checked = 0
    for run in np.split(np.arange(len(total)), np.flatnonzero(~follows) + 1):
        acceleration, own = (
            np.concatenate([x[run[0], :half], *x[run, half:]]) for x in (total, body)
        )
        error = acceleration - gravity(acceleration) - own
        assert np.abs(error[settled:]).max(initial=0) < 2e-4
        checked += len(error[settled:])
    assert checked > 50_000
