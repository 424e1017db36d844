"""A series of one's own, from the file to the forecast of what follows it."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

TINY = ("model=simple_rnn", "model.units=3", "training.epochs=2", "task.steps_per_epoch=3")


def weekly(path: Path, count: int = 80) -> Path:
    days = np.datetime64("2020-01-06") + 7 * np.arange(count)
    values = 50 + np.arange(count) + np.random.default_rng(0).normal(0, 2, count)
    rows = (f"{day};{value:.3f};x" for day, value in zip(days, values, strict=True))
    path.write_text("\n".join(["week;visits;note", *rows, ""]))
    return path


@pytest.fixture(scope="module")
def run(har_keras, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forecasts")
    series = weekly(folder / "visits.csv")
    wanted = ("task=airline", f"task.path={series}", "task.column=visits", "task.difference=step")
    done = har_keras(*wanted, "task.season=4", "task.window=6", *TINY, cwd=folder)
    assert done.returncode == 0, done.stderr
    for name in ("seasonal naive", "ETS", "free running mape", "backtest mape"):
        assert name in done.stdout
    (record,) = folder.rglob("run.json")
    return record.parent


def test_run_folder(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    assert {"mae", "rmse", "mape", "mase", "free_running_mape"} <= metrics["test"].keys()
    assert {"mae", "rmse", "mape", "mase"} == metrics["validation"].keys()
    assert metrics["baselines"]["ETS"].keys() <= metrics["test"].keys()
    record = json.loads((run / "run.json").read_text())
    assert record["inputs"]["kind"] == "series"
    assert record["inputs"]["column"] == "visits"
    assert record["data"]["source"] == "series"
    pictures = {path.name for path in (run / "figures").iterdir()}
    assert pictures == {"curves.png", "one_step.png", "free_running.png", "backtests.png"}
    with (run / "forecasts.csv").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    assert len(rows) == 20
    assert rows[0]["time"] == "2021-03-01"
    assert float(rows[0]["free_running_lower"]) <= float(rows[0]["free_running_upper"])
    errors = np.array([float(row["one_step"]) - float(row["truth"]) for row in rows])
    assert np.abs(errors).mean() == pytest.approx(metrics["test"]["mae"], rel=1e-4)
    with (run / "backtests.csv").open(newline="") as file:
        (first, *_) = csv.DictReader(file)
    assert (first["origin"], first["lead"], first["time"]) == ("2021-02-22", "1", "2021-03-01")


def test_evaluate(har_keras, run: Path) -> None:
    done = har_keras("evaluate", f"run={run}", cwd=run)
    assert done.returncode == 0, done.stderr
    assert "free running mape" in done.stdout
    assert float(done.stdout.split("metrics.json")[1].split()[0]) < 1e-4


def test_predict(har_keras, run: Path, tmp_path: Path) -> None:
    series = weekly(tmp_path / "more.csv", 30)
    wanted = ("predict", f"run={run}", f"input={series}", "horizon=3")
    done = har_keras(*wanted, "format=csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [*csv.DictReader(done.stdout.splitlines())]
    assert [row["time"] for row in rows] == ["2020-08-03", "2020-08-10", "2020-08-17"]
    assert all(float(row["lower"]) <= float(row["upper"]) for row in rows)
    done = har_keras(*wanted, f"output={tmp_path / 'found.json'}", cwd=tmp_path)
    found = json.loads((tmp_path / "found.json").read_text())
    assert [f"{row['forecast']:.6f}" for row in found] == [row["forecast"] for row in rows]


def test_the_run_knows_all_that_a_forecast_needs(har_keras, run: Path, tmp_path: Path) -> None:
    """What it says of its own series, cut before the test part, is its free-running forecast."""
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    series = weekly(tmp_path / "known.csv")
    series.write_text("\n".join(series.read_text().splitlines()[:61]))
    done = har_keras(
        "predict", f"run={copy}", f"input={series}", "horizon=20", "format=csv", cwd=tmp_path
    )
    found = [float(row["forecast"]) for row in csv.DictReader(done.stdout.splitlines())]
    with (run / "forecasts.csv").open(newline="") as file:
        expected = [float(row["free_running"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


BAD = {
    "horizon=soon": "expected how many steps",
    "horizon=0": "expected how many steps",
    "column=visitors": "did you mean 'visits'?",
    "time=when": "time=when: ",
    "format=xml": "expected one of table, csv, json",
    "input=nowhere.csv": "no such file",
    "rate=3": "expected one of run=, input=",
}


@pytest.mark.parametrize("argument", BAD)
def test_bad_arguments(refuse, run: Path, tmp_path: Path, argument: str) -> None:
    series = weekly(tmp_path / "series.csv")
    assert BAD[argument] in refuse("predict", f"run={run}", f"input={series}", argument)


BAD_SERIES = {
    "few": ("week,visits\n2020-01-06,1\n2020-01-13,2\n", "holds 2 values, expected at least 7"),
    "other step": ("week,visits\n2020-01-06,1\n2020-01-07,2\n2020-01-08,2\n", "steps of 1 days"),
    "gap": ("week,visits\n2020-01-06,1\n2020-01-13,1\n2020-01-27,2\n", "line 4: week is"),
    "zero": ("week,visits\n2020-01-06,1\n2020-01-13,0\n2020-01-20,2\n", "line 3: visits is 0"),
}


@pytest.mark.parametrize("name", BAD_SERIES)
def test_bad_series(refuse, run: Path, tmp_path: Path, name: str) -> None:
    text, expected = BAD_SERIES[name]
    (tmp_path / "series.csv").write_text(text)
    assert expected in refuse("predict", f"run={run}", f"input={tmp_path / 'series.csv'}")


def test_no_errors_kept(refuse, run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    (copy / "errors.json").write_text("{}")
    series = weekly(tmp_path / "series.csv")
    line = refuse("predict", f"run={copy}", f"input={series}")
    assert "errors.json of a run that forecasts" in line


def test_no_input(refuse, run: Path) -> None:
    assert "input=: expected a CSV file" in refuse("predict", f"run={run}")


CONFIGS = {
    ("training.monitor=test_loss",): "test data choose nothing",
    ("experiment=airline_lstm", "training.monitor=val_loss"): "expected null",
    ("task.power=2",): "task.power=2: expected auto, log, none, or a number, 0 to 1",
    ("task.path=nowhere.csv",): "no such file, expected a CSV file",
    ("model=bilstm", "task.path={series}"): "model.bidirectional=True: expected false",
    ("model=conv_lstm", "task.path={series}"): "wants an output at every step",
    ("task.path={series}", "task.column=null", "task.time=none"): "expected to be told which",
    ("task.path={series}", "task.window=50"): "too few for task.window=50",
}


@pytest.mark.parametrize("arguments", CONFIGS)
def test_bad_configs(har_keras, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    series = weekly(tmp_path / "series.csv")
    given = [argument.format(series=series) for argument in arguments]
    task = [] if any("experiment" in a for a in given) else ["task=airline"]
    chosen = ["task.column=visits", "task.season=4"]
    done = har_keras(*task, *TINY, *chosen, *given, cwd=tmp_path)
    assert done.returncode == 1
    assert CONFIGS[arguments] in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
