"""Published systems through the command line, on simulated recordings."""

import json
from pathlib import Path

TINY = (
    "seeds=0",
    "task.source=simulated",
    "model.units=2",
    "model.depth=1",
    "training.epochs=1",
    "training.batch_size=2048",
)


def test_runs_what_is_missing_and_tells_the_rest(har_keras, tmp_path: Path) -> None:
    done = har_keras("reproduce", "har_sum_lstm", *TINY, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    records = sorted((tmp_path / "outputs/reproduction").rglob("run.json"))
    assert [path.parts[-3] for path in records] == ["har_best", "har_sum_lstm"]
    report = tmp_path / "outputs/reproduction.md"
    row = next(line for line in report.read_text().splitlines() if "| `har_sum_lstm`" in line)
    measured = json.loads((records[1].parent / "metrics.json").read_text())["test"]["accuracy"]
    assert f"{measured:.4f} ({json.loads(records[1].read_text())['backend']}, seed 0)" in row
    assert "94.03 % test accuracy" in row

    before = [path.read_text() for path in records]
    again = har_keras("reproduce", "har_sum_lstm", *TINY, "seeds=", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    again = har_keras("reproduce", "har_sum_lstm", *TINY, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert [path.read_text() for path in records] == before
    assert row in report.read_text()


def test_a_run_that_fails_leaves_a_table(har_keras, tmp_path: Path) -> None:
    done = har_keras("reproduce", "har_stacked_lstm", *TINY, "training.l2=3e38", cwd=tmp_path)
    assert done.returncode == 1
    assert "runs of har_stacked_lstm, har_best failed" in done.stderr
    assert "not run" in (tmp_path / "outputs/reproduction.md").read_text()


def test_what_cannot_be_reproduced(refuse) -> None:
    assert "did you mean 'har_sum_lstm'?" in refuse("reproduce", "har_sum_lst")
    assert "expected one with a published figure" in refuse("reproduce", "har_best")
    assert "n_jobs=some: expected a whole number" in refuse(
        "reproduce", "har_sum_lstm", "n_jobs=some"
    )
