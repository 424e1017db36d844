import os
import time
from pathlib import Path

import numpy as np
import pytest

from har_keras.data.cache import DAY, Arrays, identity, stored, stored_folder
from har_keras.errors import UserError

Captured = pytest.CaptureFixture[str]


class Maker:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Arrays:
        self.calls += 1
        return {"a": np.arange(5), "b": np.array("text")}


def check(arrays: Arrays) -> None:
    np.testing.assert_array_equal(arrays["a"], np.arange(5))
    assert str(arrays["b"]) == "text"


def test_made_once(tmp_path: Path, capsys: Captured) -> None:
    make = Maker()
    file = tmp_path / "new" / "x.npz"
    for _ in range(2):
        check(stored(file, ["a", "b"], make))
    assert make.calls == 1
    assert [path.name for path in file.parent.iterdir()] == ["x.npz"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "text", "pickle", "other arrays"])
def test_damage_is_mended(tmp_path: Path, capsys: Captured, damage: str) -> None:
    make = Maker()
    file = tmp_path / "x.npz"
    stored(file, ["a", "b"], make)
    whole = file.read_bytes()
    match damage:
        case "empty":
            file.write_bytes(b"")
        case "cut":
            file.write_bytes(whole[: len(whole) // 2])
        case "flipped":
            at = whole.index(np.arange(5).tobytes()) + 8
            file.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
        case "text":
            file.write_text("not an archive")
        case "pickle":
            np.savez(file, a=np.array([{}], object), b=np.array(""))
        case "other arrays":
            np.savez(file, c=np.arange(3))
    check(stored(file, ["a", "b"], make))
    assert capsys.readouterr().err.count("\n") == 1
    check(stored(file, ["a", "b"], make))
    assert make.calls == 2


def test_folder_that_cannot_be_written(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "file").touch()
    check(stored(tmp_path / "file" / "x.npz", ["a", "b"], Maker()))
    assert capsys.readouterr().err.count("\n") == 1


def test_full_disk(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    check(stored(tmp_path / "x.npz", ["a", "b"], Maker()))
    assert "No space left" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_nothing_is_stored_of_a_failure(tmp_path: Path) -> None:
    def fail() -> Arrays:
        raise UserError

    with pytest.raises(UserError):
        stored(tmp_path / "x.npz", ["a"], fail)
    assert not list(tmp_path.iterdir())


def test_identity(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a")
    before = identity([file], 1)
    assert identity([file], 1) == before
    assert identity([file], 2) != before
    file.write_text("ab")
    assert identity([file], 1) != before


def fill(folder: Path) -> None:
    (folder / "x").write_text("filled")


def read(folder: Path) -> str:
    text = (folder / "x").read_text()
    if text != "filled":
        raise ValueError("other text")
    return text


@pytest.mark.parametrize("damage", ["text", "file", "no folder"])
def test_a_damaged_folder_is_mended(tmp_path: Path, capsys: Captured, damage: str) -> None:
    folder = tmp_path / "new" / "folder"
    stored_folder(folder, fill, read)
    match damage:
        case "text":
            (folder / "x").write_text("cut")
        case "file":
            (folder / "x").unlink()
        case "no folder":
            (folder / "x").unlink()
            folder.rmdir()
    assert stored_folder(folder, fill, read) == "filled"
    assert (folder / "x").read_text() == "filled"
    assert capsys.readouterr().err.count("\n") == (damage != "no folder")
    assert [path.name for path in folder.parent.iterdir()] == ["folder"]


def test_a_folder_that_cannot_be_opened_stays(tmp_path: Path, capsys: Captured) -> None:
    stored_folder(tmp_path / "folder", fill, read)

    def opened(folder: Path) -> str:
        if folder == tmp_path / "folder":
            raise OSError(24, "Too many open files")
        return read(folder)

    assert stored_folder(tmp_path / "folder", fill, opened) == "filled"
    assert "Too many open files" in capsys.readouterr().err
    assert read(tmp_path / "folder") == "filled"


def test_another_process_fills_the_folder_first(tmp_path: Path, capsys: Captured) -> None:
    def late(folder: Path) -> None:
        fill(folder)
        stored_folder(tmp_path / "folder", fill, read)

    assert stored_folder(tmp_path / "folder", late, read) == "filled"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert capsys.readouterr() == ("", "")


def test_what_a_killed_process_left_goes_after_a_day(tmp_path: Path) -> None:
    for name, age in (("folder-1.tmp", 2 * DAY), ("folder-2.tmp", 0), ("other-1.tmp", 2 * DAY)):
        (tmp_path / name).mkdir()
        fill(tmp_path / name)
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    stored_folder(tmp_path / "folder", fill, read)
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "folder-2.tmp", "other-1.tmp"}


def test_a_temporary_folder_stands_in(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "file").touch()
    places = []

    def opened(folder: Path) -> str:
        places.append(folder)
        return read(folder)

    for folder, lines in ((None, 0), (tmp_path / "file" / "folder", 1)):
        assert stored_folder(folder, fill, opened) == "filled"
        assert capsys.readouterr().err.count("\n") == lines
    assert not any(place.exists() for place in places)


def test_a_folder_that_cannot_be_filled(tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise UserError

    with pytest.raises(UserError):
        stored_folder(tmp_path / "folder", fail, read)
    assert not list(tmp_path.iterdir())
