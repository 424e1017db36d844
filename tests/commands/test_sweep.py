"""Sweeps: failures apart, and going on with an old one."""

import json
from pathlib import Path
from typing import Any

import pytest

from hydra_plugins.har_keras_launcher import outcome, place

TINY = (
    "task.source=simulated",
    "model=simple_rnn",
    "model.units=2",
    "optimizer=sgd",
    "training.epochs=1",
    "training.batch_size=2048",
)


def test_a_failed_job_does_not_stop_the_others_and_is_run_again_alone(
    har_keras, tmp_path: Path
) -> None:
    def record(job: int) -> dict[str, Any]:
        return json.loads((tmp_path / f"sweep/{job}/run.json").read_text())

    sweep = "hydra.sweep.dir=sweep"
    done = har_keras("-m", *TINY, "training.l2=3e38,0", sweep, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    reason = "the training loss is nan after epoch 1, expected a number"
    assert f"1 of 2 jobs failed, the first in sweep/0: {reason}" in done.stderr
    assert reason.split(",")[0] in " ".join(done.stdout.split())
    assert done.stdout.count(" completed ") == 1
    assert [record(job)["status"] for job in (0, 1)] == ["failed", "completed"]
    assert "training.l2=0" in record(1)["overrides"]

    first = record(1)
    (tmp_path / "sweep/1").rename(tmp_path / "sweep/7")  # found by overrides, not by number
    config = tmp_path / "sweep/0/.hydra/config.yaml"
    config.write_text(config.read_text().replace("l2: 3.0e+38", "l2: 0.2"))
    again = har_keras("-m", sweep, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count(" completed ") == 2
    assert record(0)["resumed"]
    assert record(7) == first
    assert not (tmp_path / "sweep/1").exists()


def test_a_folder_without_a_sweep(refuse, tmp_path: Path) -> None:
    line = refuse("-m", f"hydra.sweep.dir={tmp_path}")
    assert "holds no sweep to go on with" in line
    assert not list(tmp_path.iterdir())


def test_jobs_take_their_old_folder_or_the_next_free_one(tmp_path: Path) -> None:
    for number, overrides in {"0": ["seed=1"], "3": ["seed=2", "model=gru"], "1": []}.items():
        folder = tmp_path / number
        (folder / ".hydra").mkdir(parents=True)
        if overrides:
            (folder / ".hydra" / "overrides.yaml").write_text(json.dumps(overrides))
    jobs = [["seed=3"], ["model=gru", "seed=2"], ["seed=4"], ["seed=1"], ["seed=1"]]
    found = [job.folder.name for job in place(tmp_path, jobs, 0)]
    assert found == ["1", "3", "2", "0", "4"]


@pytest.mark.parametrize(
    ("monitor", "metrics", "objective", "shown"),
    [
        (
            "val_loss",
            {"validation": {"loss": 0.5, "accuracy": 0.8}, "test": {"accuracy": 0.7}},
            0.5,
            "validation accuracy 0.8000, test accuracy 0.7000",
        ),
        (
            "val_loss",
            {"validation": {"mae": 2.0}, "test": {"mae": 3}},
            2.0,
            "validation mae 2.0000",
        ),
        (
            "test_loss",
            {"validation": None, "test": {"f1": 0.6, "loss": 1.5}},
            1.5,
            "test f1 0.6000",
        ),
    ],
)
def test_a_job_is_told_by_what_its_task_is_ranked_by(
    monitor: str, metrics: dict[str, Any], objective: float, shown: str, tmp_path: Path
) -> None:
    record = {"status": "completed", "backend": "jax", "data": {}}
    (tmp_path / "run.json").write_text(json.dumps(record))
    (tmp_path / "metrics.json").write_text(json.dumps({"train": {}} | metrics))
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra/config.yaml").write_text(f"training: {{monitor: {monitor}}}")
    found = outcome(tmp_path)
    assert found[0] == objective
    assert found[1].startswith(shown)
