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


def test_a_run_that_fell_back_stays_on_simulated_data(har_keras, tmp_path: Path) -> None:
    """Also where real data, or here a damaged archive, is found later."""
    tiny = ("model=simple_rnn", "model.units=2", "training.epochs=1", "training.batch_size=2048")
    offline = {"HTTPS_PROXY": "http://127.0.0.1:9", "HAR_KERAS_DATA": str(tmp_path / "data")}
    done = har_keras(*tiny, cwd=tmp_path, **offline)
    assert done.returncode == 0, done.stderr
    assert "Going on with simulated recordings" in done.stderr
    (tmp_path / "data" / "uci_har").mkdir(parents=True)
    (tmp_path / "data" / "uci_har" / "UCI HAR Dataset.zip").write_text("no zip")
    (record,) = tmp_path.rglob("run.json")
    done = har_keras("evaluate", f"run={record.parent}", cwd=tmp_path, **offline)
    assert done.returncode == 0, done.stderr
    assert "0.0e+00" in done.stdout


def test_report_groups_and_writes(har_keras, finished, tmp_path: Path) -> None:
    folder, _ = finished
    root = folder.parents[3]
    done = har_keras("report", str(root), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "SIMULATED" in done.stdout
    assert "simple_rnn" in (root / "report.md").read_text()
    assert (root / "report.csv").read_text().count("\n") == 2
