import json
from pathlib import Path


def test_evaluate_gives_the_same_figures(har_keras, finished, tmp_path: Path) -> None:
    folder, _ = finished
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    done = har_keras("evaluate", f"run={folder}", f"output={tmp_path / 'again'}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = json.loads((tmp_path / "again" / "metrics.json").read_text())
    stored = json.loads((folder / "metrics.json").read_text())
    for split in ("train", "validation", "test"):
        assert again[split] == stored[split]
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_report_groups_and_writes(har_keras, finished, tmp_path: Path) -> None:
    folder, _ = finished
    root = folder.parents[3]
    done = har_keras("report", str(root), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "SIMULATED" in done.stdout
    assert "simple_rnn" in (root / "report.md").read_text()
    assert (root / "report.csv").read_text().count("\n") == 2
