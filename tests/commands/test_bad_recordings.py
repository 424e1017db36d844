"""Recordings and runs that `predict`, `stream` and `task=recordings` cannot use: one line each."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from har_keras.data.preprocessing import RAW

TIME = np.arange(400) / 50


def moved(time: np.ndarray, row: int, value: float) -> np.ndarray:
    time = time.copy()
    time[row] = value
    return time


def scaled(x: np.ndarray, columns: slice, factor: float) -> np.ndarray:
    x = x.copy()
    x[:, columns] *= factor
    return x


NUMBERS = {  # times and samples of what would be right
    "m/s²": (lambda t, x: (t, scaled(x, slice(3), 9.81)), "looks like m/s², divide by 9.80665"),
    "deg/s": (lambda t, x: (t, scaled(x, slice(3, 6), 120)), "multiply by pi/180"),
    "linear": (lambda t, x: (t, scaled(x, slice(3), 0.1)), "gravity seems to have been taken out"),
    "milliseconds": (lambda t, x: (t * 1000, x), "looks like milliseconds"),
    "nanoseconds": (lambda t, x: (t * 1e9, x), "looks like nanoseconds"),
    "duplicate": (lambda t, x: (moved(t, 9, 0.16), x), "line 11: time 0.16 after 0.16"),
    "unsorted": (lambda t, x: (t[::-1], x), "line 3: time 7.96 after 7.98"),
    "1 Hz": (lambda t, x: (t * 50, x), "expected at least 40 Hz, found 1 Hz"),
    "too short": (lambda t, x: (t[:90], x[:90]), "found 90 samples at 50 Hz; record for longer"),
    "gaps only": (lambda t, x: (t + np.arange(400) // 100, x), "between two gaps"),
    "NaN": (lambda t, x: (t, np.where(x == x[7], np.nan, x)), "line 9: acc_x is nan"),
}
HEAD = ",".join(("time", *RAW)) + "\n"
TEXTS = {
    "empty": ("", "is empty"),
    "header only": (HEAD, "has a header line only"),
    "missing columns": (
        "time,acc_x,acc_y\n0,1,2\n",
        "columns acc_z, gyro_x, gyro_y, gyro_z, found",
    ),
    "text": (HEAD + "0,0,0,high,0,0,0\n", "line 2: acc_z is 'high', expected a number"),
    "short row": (HEAD + "0,0,0,1,0,0,0\n0.02,0,0,1\n", "line 3: has 4 cells, expected 7"),
    "empty cell": (HEAD + "0,0,0,1,,0,0\n", "line 2: gyro_x is empty"),
    "binary": ("\0\1\2", "line 1: is not text"),
}


@pytest.fixture
def refused(refuse, finished, monkeypatch: pytest.MonkeyPatch):
    """The line for a recording, the same for both commands but for the name of the file."""

    def run(path: Path) -> str:
        run = f"run={finished[0]}"
        predicted = refuse("predict", run, f"input={path}")
        with path.open() as file:
            monkeypatch.setattr(sys, "stdin", file)
            streamed = refuse("stream", run)
        assert streamed == predicted.replace(str(path), "standard input")
        return predicted

    return run


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers(refused, motion, write, tmp_path: Path, kind: str) -> None:
    change, expected = NUMBERS[kind]
    assert expected in refused(write(tmp_path / "x.csv", *change(TIME, motion(TIME))))


@pytest.mark.parametrize("kind", TEXTS)
def test_texts(refused, tmp_path: Path, kind: str) -> None:
    content, expected = TEXTS[kind]
    (tmp_path / "x.csv").write_text(content)
    line = refused(tmp_path / "x.csv")
    assert expected in line
    assert "x.csv" in line


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["input=nowhere.csv"], "nowhere.csv: no such file"),
        (["input=."], "Is a directory, expected a CSV file"),
        ([], "input=: expected a CSV file"),
        (["inptu=x.csv"], "did you mean 'input'?"),
        (["input=x.csv", "rate=fast"], "rate=fast: expected samples a second"),
        (["input=x.csv", "rate=-5"], "rate=-5: expected samples a second"),
        (["input=x.csv", "backend=jaxx"], "did you mean 'jax'?"),
        (["input=x.csv", "output={run}/x.csv"], "is the run itself or in it"),
        (["input=x.csv", "output=x.csv"], "is the recording itself"),
        (["input=x.csv", "output=."], "is a folder"),
        (["input=x.csv", "rate=200"], "rate=200: the times say 50 Hz"),
    ],
)
def test_arguments(refuse, finished, recording, tmp_path, arguments, expected: str) -> None:
    shutil.copy(recording, tmp_path / "x.csv")
    typed = [argument.format(run=finished[0]) for argument in arguments]
    assert expected in refuse("predict", f"run={finished[0]}", *typed)
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_runs_that_are_none(refuse, finished, tmp_path: Path) -> None:
    typed = "input=x.csv"
    assert "run=: expected the folder" in refuse("predict", typed)
    assert "no such file" in refuse("predict", "run=nowhere", typed)
    assert "no such file" in refuse("stream", "run=nowhere")
    (tmp_path / "run.json").write_text('{"status": "running"}')
    assert "its status is running" in refuse("predict", "run=.", typed)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"preprocessing": None}, "expected the key preprocessing"),
        ({"preprocessing": {"window": -1}}, "preprocessing: window=-1"),
        ({"classes": None}, "expected the key classes"),
        ({"classes": [1, 2]}, "expected the key classes, a list of names"),
        ({"preprocessing": {"window": 64, "step": 64}}, "a model file from another task"),
        ({"classes": ["a", "b"]}, "a model file from another task"),
        ("truncate", "expected a saved model"),
    ],
)
def test_damaged_run(refuse, finished, loaded, recording, tmp_path, edit, expected: str) -> None:
    copy = tmp_path / "run"
    shutil.copytree(finished[0], copy)
    if edit == "truncate":
        model = copy / "model.keras"
        model.write_bytes(model.read_bytes()[:5000])
    else:
        record = json.loads((copy / "run.json").read_text())
        (copy / "run.json").write_text(json.dumps(record | edit))
    line = refuse("predict", f"run={copy}", f"input={recording}")
    assert expected in line
    assert str(copy) in line


def labelled(path: Path, subject: str, columns: str = "x") -> None:
    rows = "\n".join(f"{i / 50:.2f},sit,{subject}{',1' * len(columns)}" for i in range(200))
    path.write_text(f"time,label,subject,{','.join(columns)}\n{rows}\n")


def _two_subjects(folder: Path) -> None:
    (folder / "r2.csv").unlink()


def _other_channels(folder: Path) -> None:
    labelled(folder / "r2.csv", "s2", "xy")


def _no_label(folder: Path) -> None:
    text = (folder / "r1.csv").read_text()
    (folder / "r1.csv").write_text(text.replace("label", "activity"))


def _no_files(folder: Path) -> None:
    for path in folder.glob("*.csv"):
        path.unlink()


def _short(folder: Path) -> None:
    lines = (folder / "r1.csv").read_text().splitlines()[:50]
    (folder / "r1.csv").write_text("\n".join(lines))


FOLDERS = {
    "two subjects": (_two_subjects, "at least 3 subjects"),
    "other channels": (_other_channels, "r2.csv: has the channels x, y, expected"),
    "no label": (_no_label, "r1.csv: expected a header line with the columns label, found time"),
    "no files": (_no_files, "no *.csv in it"),
    "too short": (_short, "r1.csv: expected at least one window"),
    "no folder": (lambda folder: folder.rename(folder.with_name("gone")), "no such folder"),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_folder_of_recordings(tmp_path: Path, kind: str) -> None:
    from har_keras.errors import UserError
    from har_keras.tasks.recordings import Config, load

    folder = tmp_path / "mine"
    folder.mkdir()
    for i in range(3):
        labelled(folder / f"r{i}.csv", f"s{i}")
    change, expected = FOLDERS[kind]
    change(folder)
    with pytest.raises(UserError) as found:
        load(Config(path=str(folder)), folder, 0, False)
    assert expected in str(found.value)
    assert "\n" not in str(found.value)


def test_config_of_recordings(refuse) -> None:
    assert "task.path=: expected a folder of CSV files" in refuse("task=recordings")
    line = refuse("task=recordings", "task.path=x", "task.step=500")
    assert "task.step=500: expected 1 to the window's 128 samples" in line


def test_from_recordings_to_labels(har_keras, tmp_path: Path) -> None:
    """Train on a folder, with one message in place of a traceback first, then predict."""
    folder = tmp_path / "my recordings"
    folder.mkdir()
    for i in range(3):
        labelled(folder / f"r{i}.csv", f"s{i}", "uv")
    tiny = ("model=simple_rnn", "model.units=2", "training.epochs=1", "hydra.run.dir=run")
    done = har_keras("task=recordings", "task.path=my recordings", *tiny, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "figures" / "per_subject.png").exists()
    source = folder / "r0.csv"
    done = har_keras("predict", "run=run", f"input={source}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("0.00,2.56,sit,1.0000")
    done = har_keras("evaluate", "run=run", cwd=tmp_path)
    assert "0.0e+00" in done.stdout
