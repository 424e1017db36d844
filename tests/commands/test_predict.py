import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from har_keras.__main__ import main
from har_keras.data import simulated_har
from har_keras.data.recordings import ACTIVITIES
from har_keras.errors import UserError


@pytest.fixture
def predict(monkeypatch: pytest.MonkeyPatch, capsys, finished, loaded):
    """`predict` in this process, where Keras runs already; standard output and error."""
    record = json.loads((finished[0] / "run.json").read_text())
    monkeypatch.setenv("KERAS_BACKEND", record["backend"])

    def run(source: Path, *more: str) -> tuple[list[list[str]], str]:
        arguments = ["predict", f"run={finished[0]}", f"input={source}", *more]
        monkeypatch.setattr(sys, "argv", ["har_keras", *arguments])
        main()
        shown = capsys.readouterr()
        return list(csv.reader(shown.out.splitlines())), shown.err

    return run


def test_run_tells_what_it_takes(finished) -> None:
    record = json.loads((finished[0] / "run.json").read_text())
    assert record["classes"] == list(ACTIVITIES)
    assert record["preprocessing"]["columns"][0] == "acc_x"
    assert record["preprocessing"]["filter"] == "inertial"


def test_windows_get_the_probabilities_of_the_run(finished, loaded) -> None:
    """Also in batches of other sizes than those of the run's own evaluation."""
    with (finished[0] / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))[:300]
    expected = [[float(row[name]) for name in loaded.classes] for row in rows]
    x = simulated_har.load().test.signals[:300]
    np.testing.assert_allclose(loaded.probabilities(x), expected, atol=1e-5)
    np.testing.assert_allclose(loaded.probabilities(x[:1]), expected[:1], atol=1e-5)
    assert loaded.probabilities(x[:0]).shape == (0, 6)


def test_prints_a_line_a_window(predict, loaded, recording: Path) -> None:
    (header, *rows), told = predict(recording)
    assert header == ["start", "end", "prediction", "probability"]
    assert [row[:2] for row in rows[:2]] == [["0.00", "2.56"], ["1.28", "3.84"]]
    assert len(rows) == 14
    assert "14 windows" in told
    table = np.loadtxt(recording, delimiter=",", skiprows=1)
    found = loaded.predict(table[:, 1:], rate=50.0)
    assert [row[2] for row in rows] == list(found.labels)
    np.testing.assert_allclose([float(r[3]) for r in rows], found.probabilities.max(1), atol=1e-4)
    again = loaded.predict(table[:, 1:], time=table[:, 0])
    np.testing.assert_array_equal(again.probabilities, found.probabilities)
    np.testing.assert_allclose(found.end - found.start, 2.56)


def test_writes_all_probabilities(predict, finished, recording: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished[0].rglob("*")}
    target = tmp_path / "new" / "out=1.csv"
    printed, told = predict(recording, f"output={target}")
    assert not printed
    assert "written to" in told
    with target.open() as file:
        header, *rows = csv.reader(file)
    assert header == ["start", "end", "prediction", *ACTIVITIES]
    for row in rows:
        assert sum(map(float, row[3:])) == pytest.approx(1, abs=1e-5)
        assert row[2] == ACTIVITIES[np.argmax([float(p) for p in row[3:]])]
    assert list(target.parent.iterdir()) == [target]
    assert {path: path.stat().st_mtime_ns for path in finished[0].rglob("*")} == before


def test_1_khz_and_gaps(predict, motion, write, recording: Path, tmp_path: Path) -> None:
    slow, _ = predict(recording)
    time = np.arange(20_000) / 1000
    fast, told = predict(write(tmp_path / "fast.csv", time, motion(time)))
    assert [row[:2] for row in fast] == [row[:2] for row in slow]
    assert "gap" not in told
    time = np.arange(1000) / 50 + np.where(np.arange(1000) < 400, 0, 5.005)
    rows, told = predict(write(tmp_path / "gap.csv", time, motion(time)))
    assert "1 gap of 5.025 s after 7.98 s: no window spans one" in told
    assert ["13.005", "15.565"] in [row[:2] for row in rows]


def test_file_without_times(predict, recording: Path, tmp_path: Path) -> None:
    path = tmp_path / "untimed.csv"
    lines = [line.partition(",")[2] for line in recording.read_text().splitlines()]
    path.write_text("\n".join(lines))
    with_times, _ = predict(recording)
    rows, told = predict(path)
    assert rows == with_times
    assert "no column time: taken as sampled at 50 Hz" in told
    half, told = predict(path, "rate=100")
    assert len(half) == 7
    assert "no column time" not in told


def test_in_a_process_of_the_users_own(finished, recording: Path, tmp_path: Path) -> None:
    """Nothing is imported before it is needed, nothing seeded, no backend hidden."""
    code = f"""
import sys
import har_keras
assert not {{"keras", "jax", "tensorflow", "torch", "numpy"}} & set(sys.modules)
run = har_keras.load_run({str(finished[0])!r})
assert not any(type(f).__module__.startswith("har_keras") for f in sys.meta_path)
import keras, numpy as np
np.random.seed(5)
before = np.random.get_state()[1].tolist()
table = np.loadtxt({str(recording)!r}, delimiter=",", skiprows=1)
found = har_keras.load_run({str(finished[0])!r}).predict(table[:, 1:], rate=50.0)
assert before == np.random.get_state()[1].tolist()
print(keras.backend.backend(), *found.labels[:1])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    backend = json.loads((finished[0] / "run.json").read_text())["backend"]
    assert done.stdout.split()[0] == backend


def test_arrays_that_are_wrong(loaded, motion) -> None:
    for recording, expected in {
        "text": (["a"], "recording: expected an array of numbers"),
        "flat": (np.zeros(300), "shape"),
        "short": (motion(np.arange(9) / 50), "found 9 samples"),
    }.values():
        with pytest.raises(UserError, match=expected):
            loaded.predict(recording)
    with pytest.raises(UserError, match="one time a sample"):
        loaded.predict(motion(np.arange(300) / 50), time=[1, 2])
