"""`training.resume=`: through the command line, and what it refuses."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from har_keras import run_folder

HAR_KERAS = [sys.executable, "-u", "-m", "har_keras"]


def test_a_killed_run_goes_on_over_a_full_disk_and_can_be_prolonged(
    har_keras, finished: tuple[Path, str], tmp_path: Path
) -> None:
    undisturbed = finished[0]
    overrides = json.loads((undisturbed / "run.json").read_text())["overrides"]
    started = subprocess.Popen(
        [*HAR_KERAS, *overrides, "hydra.run.dir=run"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    with started:
        for line in started.stdout or ():
            if line.startswith("epoch   2/"):
                started.send_signal(signal.SIGKILL)
    folder = tmp_path / "run"
    assert json.loads((folder / "run.json").read_text())["status"] == "running"

    full = subprocess.run(
        ["bash", "-c", 'ulimit -f 20 && exec "$@"', "-", *HAR_KERAS, "training.resume=run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert full.returncode == 1
    assert "File too large" in full.stderr.splitlines()[-1]
    assert "Traceback" not in full.stderr
    assert json.loads((folder / "run.json").read_text())["status"] == "failed"

    done = har_keras("training.resume=run", "task=har", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "resumed after epoch" in done.stdout
    assert (folder / "history.csv").read_text() == (undisturbed / "history.csv").read_text()
    metrics = [json.loads((f / "metrics.json").read_text()) for f in (folder, undisturbed)]
    assert metrics[0].pop("timing").keys() == metrics[1].pop("timing").keys()
    assert metrics[0] == metrics[1]

    done = har_keras("training.resume=run", "training.epochs=3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "completed"
    assert len(record["resumed"]) == 3
    assert [o for o in record["overrides"] if "epochs" in o] == ["training.epochs=3"]
    with (folder / "history.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3"]


@pytest.fixture
def unfinished(finished: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the finished run that says it was interrupted."""
    copy = tmp_path / "run"
    shutil.copytree(finished[0], copy)
    record = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    return copy


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("model=gru", "model=gru: differs from the config of"),
        ("model.units=5", "only hardware.* and a larger training.epochs"),
        ("seed=1", "seed=1: differs"),
        ("training.epochs=1", "training.epochs=1: expected at least the run's 2"),
        ("training.epochs=many", "expected a whole number"),
        ("hardware.threads=0", "at least 1, or null"),
        ("model.unitz=4", "did you mean 'units'?"),
    ],
)
def test_a_resumed_run_keeps_its_config(
    refuse, unfinished: Path, override: str, expected: str
) -> None:
    before = {path: path.stat().st_mtime_ns for path in unfinished.rglob("*")}
    assert expected in refuse(f"training.resume={unfinished}", override)
    assert {path: path.stat().st_mtime_ns for path in unfinished.rglob("*")} == before


def test_a_completed_run(refuse, finished: tuple[Path, str]) -> None:
    line = refuse(f"training.resume={finished[0]}")
    assert "is completed; a larger training.epochs than 2 goes on" in line


def test_a_folder_that_is_no_run(refuse, tmp_path: Path) -> None:
    assert "expected a run folder" in refuse(f"training.resume={tmp_path}")


def test_a_living_run(refuse, unfinished: Path) -> None:
    with run_folder.locked(unfinished):
        line = refuse(f"training.resume={unfinished}")
    assert "another process is writing this run" in line


def test_other_data(har_keras, unfinished: Path) -> None:
    record = json.loads((unfinished / "run.json").read_text())
    record["data"]["sha256"] = "0" * 64
    (unfinished / "run.json").write_text(json.dumps(record))
    done = har_keras(f"training.resume={unfinished}", cwd=unfinished.parent)
    assert done.returncode == 1
    assert "expected the run's simulated data" in done.stderr.splitlines()[-1]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_cannot_be_written(har_keras, unfinished: Path) -> None:
    unfinished.chmod(0o500)
    done = har_keras(f"training.resume={unfinished}", cwd=unfinished.parent)
    unfinished.chmod(0o700)
    assert done.returncode == 1
    assert "Permission denied" in done.stderr.splitlines()[-1]
