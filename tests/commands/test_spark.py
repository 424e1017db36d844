"""Runs on Spark, through the command line as typed."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyspark", reason="needs har_keras[spark]")
pytestmark = [
    pytest.mark.skipif(not shutil.which("java"), reason="needs Java 17 or newer"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # of pyspark, about pandas
]

SETTINGS = (
    "task=char_lm",
    "task.path=text.txt",
    "task.timesteps=10",
    "task.samples=0",
    "model=graves_lstm",
    "model.units=4",
    "optimizer=sgd",
    "optimizer.learning_rate=1",
    "training.epochs=4",
    "training.patience=4",
)
SPARK = (
    "hardware=spark",
    "hardware.master=local-cluster[2,1,2048]",
    "hardware.workers=2",
    "hardware.averaging_frequency=1",
    "hardware.batch_size_per_worker=2",
)


def test_a_killed_worker_costs_an_epoch_and_no_more(
    har_keras, training_losses, letters: str, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_text(letters)
    done = har_keras(*SETTINGS, "training.batch_size=4", "hydra.run.dir=one", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder, shown = tmp_path / "two", ""
    started = subprocess.Popen(
        [sys.executable, "-u", "-m", "har_keras", *SETTINGS, *SPARK, "hydra.run.dir=two"],
        cwd=tmp_path,
        env=os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with started:
        for line in started.stdout or ():
            shown += line
            if line.startswith("epoch   2/") and "resumed" not in shown:
                worker = json.loads((folder / "run.json").read_text())["pid"]
                os.kill(worker, signal.SIGKILL)
    assert started.returncode == 0
    assert "a worker was lost" in shown
    assert "communication:" in shown
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "completed"
    assert len(record["resumed"]) == 1
    undisturbed = training_losses(tmp_path / "one")
    assert training_losses(folder) == pytest.approx(undisturbed, abs=1e-5)
    views = {path.name for path in (folder / "tensorboard").iterdir()}
    assert views >= {"train", "validation", "test", "worker_0", "worker_1"}
    again = har_keras("evaluate", f"run={folder}", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert not list(tmp_path.glob("**/.*.npz"))


def test_executors_read_many_files_and_workers_map_them(har_keras, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(20):
        rows = rng.normal(3 * (number % 2), size=(rng.integers(3, 9), 2))
        lines = ["a,b,label", *(f"{a},{b},{'up' if number % 2 else 'down'}" for a, b in rows)]
        (tmp_path / f"{number:02}.csv").write_text("\n".join(lines))
    task = ("task=csv_sequences", "task.path=*.csv", "model.units=4", "training.epochs=2")
    places = {"SPARK_LOCAL_IP": "127.0.0.1", "HAR_KERAS_CACHE": str(tmp_path / "cache")}
    done = har_keras(*task, *SPARK, "hydra.run.dir=run", cwd=tmp_path, **places)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.glob("cache/*/*")) == ["0.f4", "1.f4", "files.npz"]
    found = har_keras("evaluate", "run=run", cwd=tmp_path, HAR_KERAS_CACHE=str(tmp_path / "new"))
    assert found.returncode == 0, found.stderr
    assert "furthest from metrics.json" in found.stdout
    (tmp_path / "bad.csv").write_text("a,b,label\n1,two,up\n")
    done = har_keras(*task, *SPARK, "hydra.run.dir=bad", cwd=tmp_path, **places)
    assert done.returncode == 1
    assert "bad.csv, line 2: b is 'two', expected a number" in done.stderr
    assert "1 of 21 files cannot be used" in done.stderr.splitlines()[-1]


def test_more_workers_than_cores(har_keras, tmp_path: Path) -> None:
    spark = ("hardware=spark", "hardware.master=local[2]", "hardware.workers=3")
    done = har_keras("task.source=simulated", *spark, cwd=tmp_path, SPARK_LOCAL_IP="127.0.0.1")
    assert done.returncode == 1
    assert "hardware.workers=3: Spark has fewer free cores" in done.stderr.splitlines()[-1]
