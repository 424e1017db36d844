import csv
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

TINY = (
    "task=csv_sequences",
    "task.path=*.csv",
    "task.labels=step",
    "task.delimiter=;",
    "task.on_bad=skip",
    "model=bilstm",
    "model.units=4",
    "training.epochs=2",
    "training.batch_size=8",
    "hardware.threads=1",
)


@pytest.fixture(scope="module")
def run(har_keras, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run made through the command line on ragged files, and what it said of a bad one."""
    folder = tmp_path_factory.mktemp("sequences")
    rng = np.random.default_rng(0)
    for number in range(20):
        rows = rng.normal(size=rng.integers(3, 9))
        lines = ["x;label", *(f"{x};{'up' if x > 0 else 'down'}" for x in rows)]
        (folder / f"{number:02}.csv").write_text("\n".join(lines))
    (folder / "bad.csv").write_text("x;label\none;up\n")
    done = har_keras(*TINY, cwd=folder)
    assert done.returncode == 0, done.stderr
    (record,) = folder.rglob("run.json")
    return record.parent, done.stderr


@pytest.fixture
def predict(printed, run):
    return partial(printed, run[0], "predict")


def test_the_run_folder_of_sequences(run) -> None:
    folder, told = run
    assert "bad.csv, line 2: x is 'one', expected a number like 0.5" in told
    assert "1 of 21 files are left out (task.on_bad=skip)" in told
    record = json.loads((folder / "run.json").read_text())
    assert record["inputs"]["kind"] == "sequences"
    assert record["inputs"]["format"]["columns"] == ["x"]
    assert record["outputs"] == {"kind": "steps", "classes": ["down", "up"], "shape": [8, 2]}
    metrics = json.loads((folder / "metrics.json").read_text())
    with (folder / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    right = np.mean([row["truth"] == row["prediction"] for row in rows])
    assert metrics["test"]["accuracy"] == pytest.approx(right)
    with (folder / "history.csv").open() as file:
        history = list(csv.DictReader(file))
    assert 0 < float(history[-1]["val_accuracy"]) <= 1


def test_predict_files_without_labels(predict, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("y;x\n;-1\n;2\n")
    (tmp_path / "a.csv").write_text("x\n1\n")
    found = json.loads(predict(f"input={tmp_path}", "format=json"))
    places = [(Path(row["file"]).name, row["step"]) for row in found]
    assert places == [("a.csv", 0), ("b.csv", 0), ("b.csv", 1)]
    for row in found:
        assert sum(row["probabilities"].values()) == pytest.approx(1)
        assert row["probability"] == row["probabilities"][row["prediction"]]
    alone = json.loads(predict(f"input={tmp_path / 'b.csv'}", "format=json"))
    for row, expected in zip(alone, found[1:], strict=True):
        assert row["probability"] == pytest.approx(expected["probability"], abs=1e-5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x\n" + "1\n" * 9, "x.csv: has 9 rows, expected at most 8 as the run's files have"),
        ("y\n1\n", "1 of 1 files cannot be used, they are named above; mend them"),
    ],
)
def test_files_that_do_not_fit(run, refuse, tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    assert expected in refuse("predict", f"run={run[0]}", "input=x.csv")


def test_what_else_is_refused(run, refuse) -> None:
    assert "input=: expected CSV files" in refuse("predict", f"run={run[0]}")
    assert "none: no *.csv there" in refuse("predict", f"run={run[0]}", "input=none")
    assert "on a task that reads sensors" in refuse("stream", f"run={run[0]}")
    assert "expected a folder, glob or URL" in refuse("task=csv_sequences")
