import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from har_keras import run_folder
from har_keras.data.recordings import ACTIVITIES


def test_run_folder_keeps_its_contract(finished: tuple[Path, str]) -> None:
    folder, _ = finished
    record = json.loads((folder / "run.json").read_text())
    assert folder.parts[-5:-2] == ("outputs", "har", "simple_rnn")
    assert record["status"] == "completed"
    assert record["data"]["source"] == "simulated"
    assert record["backend"] == folder.parts[-2]
    assert len(record["data"]["sha256"]) == 64
    assert record["started"] <= record["finished"]
    assert set(record["kernel"]) == {"simple_rnn_1"}
    assert record["versions"]["keras"]
    assert "task.source=simulated" in record["command"]
    expected = {
        "model.keras",
        "history.csv",
        "predictions.csv",
        "figures/curves.png",
        "figures/confusion.png",
        "figures/per_class.png",
        "figures/per_subject.png",
        ".hydra/config.yaml",
    }
    assert expected <= {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    splits = {path.name for path in (folder / "tensorboard").iterdir()}
    assert splits == {"train", "validation", "test", "hparams"}


def test_metrics_fit_the_predictions(finished: tuple[Path, str]) -> None:
    folder, _ = finished
    metrics = json.loads((folder / "metrics.json").read_text())
    with (folder / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["index", "truth", "prediction", *ACTIVITIES]
    right = np.mean([row["truth"] == row["prediction"] for row in rows])
    assert metrics["test"]["accuracy"] == pytest.approx(right)
    probabilities = np.array([[float(row[name]) for name in ACTIVITIES] for row in rows])
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert set(metrics["timing"]) == {
        "fit_seconds",
        "epoch_seconds_median",
        "samples_per_second",
        "first_step_seconds",
    }


def test_history_has_the_best_epoch(finished: tuple[Path, str]) -> None:
    folder, _ = finished
    metrics = json.loads((folder / "metrics.json").read_text())
    with (folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    losses = [float(row["val_loss"]) for row in rows]
    assert metrics["best_epoch"] == 1 + int(np.argmin(losses))
    assert metrics["validation"]["loss"] == pytest.approx(min(losses), rel=1e-4)


def test_console_says_what_where_and_simulated(finished: tuple[Path, str]) -> None:
    folder, screen = finished
    assert screen.count("SIMULATED") == 2
    assert str(folder.relative_to(folder.parents[4])) in screen
    assert "tensorboard --logdir" in screen
    assert "accuracy" in screen


def test_mistake_in_a_sweep_stops_it_before_the_first_job(har_keras, tmp_path: Path) -> None:
    done = har_keras("-m", "model=gru,lstmm", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "did you mean 'lstm'?" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["report", "--help"]])
def test_help_lists_the_choices_and_imports_no_backend(arguments: list[str]) -> None:
    script = (
        "import sys; from har_keras.__main__ import main\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "main()\n"
        "assert not {'keras', 'jax', 'torch', 'tensorflow', 'hydra'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "stacked_lstm" in done.stdout
    assert "har_sum_lstm" in done.stdout


def test_import_imports_no_backend() -> None:
    script = (
        "import sys, har_keras, har_keras.config as c; c.from_overrides([])\n"
        "assert not {'keras', 'jax', 'torch', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), "interrupted"), (ValueError("full"), "failed")]
)
def test_a_run_that_stops_says_so(tmp_path: Path, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), run_folder.recorded(tmp_path, {"backend": "jax"}):
        assert json.loads((tmp_path / "run.json").read_text())["status"] == "running"
        raise error
    assert json.loads((tmp_path / "run.json").read_text())["status"] == status
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_published_experiment_on_simulated_data(har_keras, tmp_path: Path) -> None:
    small = ("task.source=simulated", "model.units=2", "model.projection=2", "training.epochs=2")
    done = har_keras("experiment=har_stacked_lstm", *small, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (record,) = tmp_path.rglob("run.json")
    run, metrics = (
        json.loads((record.parent / n).read_text()) for n in ("run.json", "metrics.json")
    )
    assert (run["experiment"], run["protocol"]) == ("har_stacked_lstm", "published")
    assert metrics["validation"] is None
    assert "test_accuracy" in done.stdout
    assert "val_accuracy" not in done.stdout
    assert metrics["best_epoch"] == metrics["epochs"] == 2
    with (record.parent / "history.csv").open() as file:
        assert {"epoch", "loss", "test_loss", "test_accuracy"} <= set(next(csv.reader(file)))
