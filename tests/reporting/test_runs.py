import csv
import io
import json
import socket
import statistics
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from har_keras.reporting import comparison, runs
from har_keras.run_folder import locked


def folder(
    root: Path,
    name: str,
    *,
    validation: float | None = 0.9,
    test: float = 0.8,
    status: str = "completed",
    **record: Any,
) -> Path:
    """Write a run folder whose metrics all have the given values."""
    record = {
        "status": status, "task": "har", "model": "lstm", "experiment": None, "backend": "jax",
        "seed": 0, "data": {"source": "uci_har"}, "overrides": [], **record,
    }  # fmt: skip
    metrics = {
        "train": {"accuracy": 1.0, "macro_f1": 1.0},
        "validation": None if validation is None else {"accuracy": validation},
        "test": {"accuracy": test, "macro_f1": test},
        "timing": {"fit_seconds": 12.34},
        "parameters": 5678,
    }
    path = root / name
    path.mkdir(parents=True)
    (path / "run.json").write_text(json.dumps(record))
    if status == "completed":
        (path / "metrics.json").write_text(json.dumps(metrics))
    return path


def run(
    seed: int = 0, validation: float = 0.9, overrides: Sequence[str] = (), **record: Any
) -> runs.Run:
    record = {"task": "har", "model": "lstm", "backend": "jax", "seed": seed, **record}
    metrics = {"validation": {"accuracy": validation}, "test": {"accuracy": 0.5}}
    return runs.Run("somewhere", "completed", {**record, "overrides": list(overrides)}, metrics)


def console_text(found: list[runs.Run]) -> str:
    console = Console(width=80, file=io.StringIO())
    comparison.to_console(found, console)
    return console.file.getvalue()


def test_all_states_are_found(tmp_path: Path) -> None:
    folder(tmp_path, "a/completed")
    folder(tmp_path, "b/running", status="running")
    folder(tmp_path, "b/failed", status="failed")
    (folder(tmp_path, "c/no_metrics") / "metrics.json").unlink()
    (folder(tmp_path, "d/torn") / "run.json").write_text('{"status": "comp')
    (folder(tmp_path, "d/list") / "metrics.json").write_text("[]")
    (folder(tmp_path, "d/binary") / "run.json").write_bytes(b"\xff\xfe\x00")
    (folder(tmp_path, "d/stateless") / "run.json").write_text("{}")
    (tmp_path / "not_a_run").mkdir()
    found = runs.collect(tmp_path)
    assert {str(run.folder.relative_to(tmp_path)): run.status for run in found} == {
        "a/completed": "completed",
        "b/running": "running",
        "b/failed": "failed",
        "c/no_metrics": "damaged",
        "d/torn": "damaged",
        "d/list": "damaged",
        "d/binary": "damaged",
        "d/stateless": "damaged",
    }
    assert all(run.problem for run in found if run.status == "damaged")
    for text in (console_text(found), comparison.to_markdown(found), comparison.to_csv(found)):
        assert all(str(run.folder) in text for run in found if run.status != "completed")


@pytest.mark.parametrize(
    "content",
    [
        {"test": 5, "validation": [], "timing": None, "parameters": "many"},
        {"test": {"accuracy": None, "loss": "x"}},
        {"test": {"loss": float("nan")}, "validation": {"loss": float("inf")}},
        {},
    ],
)
def test_strange_metrics_do_not_end_the_report(tmp_path: Path, content: dict[str, Any]) -> None:
    for seed in "01":
        path = folder(tmp_path, seed, seed=seed, data=None, overrides="seed=1", task=None)
        (path / "metrics.json").write_text(json.dumps(content))
    found = runs.collect(tmp_path)
    assert console_text(found)
    assert comparison.to_markdown(found)
    assert len(list(csv.DictReader(io.StringIO(comparison.to_csv(found))))) == 2


def test_no_runs(tmp_path: Path) -> None:
    assert runs.collect(tmp_path) == []
    assert "no run folders" in console_text([])
    assert comparison.to_csv([]).strip() == ""


def test_mean_and_sample_deviation_over_seeds() -> None:
    values = [0.9, 0.92, 0.97]
    (group,) = runs.group(run(seed, value) for seed, value in enumerate(values))
    assert group.mean("validation", "accuracy") == pytest.approx(statistics.mean(values))
    assert group.deviation("validation", "accuracy") == pytest.approx(statistics.stdev(values))
    assert group.deviation("timing", "fit_seconds") is None
    assert runs.group([run()])[0].deviation("test", "accuracy") is None


@pytest.mark.parametrize(
    "other",
    [
        {"model": "gru"},
        {"backend": "torch"},
        {"task": "imdb"},
        {"experiment": "published"},
        {"data": {"source": "simulated"}},
        {"overrides": ["model.units=64"]},
    ],
)
def test_what_differs_is_kept_apart(other: dict[str, Any]) -> None:
    assert len(runs.group([run(), run(**other)])) == 2


@given(
    st.lists(
        st.sampled_from(["model.units=64", "+optimizer.decay=0.1", "model=lstm"]), unique=True
    ),
    st.randoms(),
)
def test_groups_ignore_seed_place_and_order(overrides: list[str], random: Random) -> None:
    shuffled = [*overrides, "seed=1", "data.root=/elsewhere", "backend=jax"]
    random.shuffle(shuffled)
    (group,) = runs.group([run(0, overrides=overrides), run(1, overrides=shuffled)])
    assert len(group.runs) == 2


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.randoms())
def test_the_ranking_is_by_validation_and_does_not_depend_on_order(
    values: list[float], random: Random
) -> None:
    found = [run(validation=value, model=f"{k:02}") for k, value in enumerate(values)]
    ranked = [group.mean("validation", "accuracy") for group in runs.group(found)]
    assert ranked == sorted(values, reverse=True)
    random.shuffle(found)
    assert [group.mean("validation", "accuracy") for group in runs.group(found)] == ranked


def test_the_direction_follows_the_metric() -> None:
    def forecast(model: str, mae: float) -> runs.Run:
        metrics = {"validation": {"mae": mae}, "test": {"mae": mae, "rmse": mae}}
        return runs.Run("there", "completed", {"task": "energy", "model": model}, metrics)

    found = [forecast("a", 3.0), forecast("b", float("nan")), forecast("c", 1.0)]
    assert [group.model for group in runs.group(found)] == ["c", "a", "b"]
    assert "lowest mean validation mae" in comparison.to_markdown(found)


def test_published_protocols_come_after_and_say_so(tmp_path: Path) -> None:
    folder(tmp_path, "1", validation=None, test=0.99, model="published")
    folder(tmp_path, "2", validation=0.5)
    found = runs.collect(tmp_path)
    assert [group.model for group in runs.group(found)] == ["lstm", "published"]
    text = comparison.to_markdown(found)
    assert text.index("highest mean validation accuracy") < text.index("no validation data")
    assert "not a ground for a choice" in text


def test_the_tables_show_means_and_simulated_data(tmp_path: Path) -> None:
    for seed, value in enumerate((0.8, 0.9)):
        overrides = [f"seed={seed}", "optimizer.learning_rate=0.01", "model.dropout=0.5"]
        folder(tmp_path, f"{seed}", test=value, seed=seed, overrides=overrides,
               data={"source": "simulated"})  # fmt: skip
    found = runs.collect(tmp_path)
    text = comparison.to_markdown(found)
    assert "### har on SIMULATED data" in text
    row = "| lstm jax dropout=0.5 learning_rate=0.01 | 2 | 0.9000 ± 0.0000 | 0.8500 ± 0.0707 |"
    assert row in text
    assert "12.3 ± 0.0 | 5,678 |" in text
    table = console_text(found)
    assert "SIMULATED" in table
    assert "± 0.0707" in table
    assert max(map(len, table.splitlines())) <= 80


def test_options_of_one_name_keep_their_group() -> None:
    found = [run(overrides=["model.dropout=0.1"]), run(overrides=["head.dropout=0.1"])]
    text = comparison.to_markdown(found)
    assert "model.dropout=0.1" in text
    assert "head.dropout=0.1" in text


def test_csv_has_one_row_a_run_in_full(tmp_path: Path) -> None:
    folder(tmp_path, "1", seed=3, overrides=["a=1", "b=x,y"])
    folder(tmp_path, "2", status="failed")
    first, second = csv.DictReader(io.StringIO(comparison.to_csv(runs.collect(tmp_path))))
    assert first["test_accuracy"] == "0.8"
    assert first["timing_fit_seconds"] == "12.34"
    assert (first["seed"], first["overrides"]) == ("3", "a=1 b=x,y")
    assert (second["status"], second["test_accuracy"]) == ("failed", "")


def test_a_running_run_that_holds_no_lock_is_interrupted(tmp_path: Path) -> None:
    here = socket.gethostname()
    folder(tmp_path, "dead", status="running", host=here)
    living = folder(tmp_path, "living", status="running", host=here)
    folder(tmp_path, "elsewhere", status="running", host="another")
    with locked(living):
        found = {run.folder.name: run.status for run in runs.collect(tmp_path)}
    assert found == {"dead": "interrupted", "living": "running", "elsewhere": "running"}
