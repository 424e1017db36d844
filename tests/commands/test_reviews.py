import csv
import json
from functools import partial
from pathlib import Path

import pytest

TINY = (
    "experiment=imdb_gru",
    "task.timesteps=20",
    "task.size=40",
    "training.epochs=12",
    "training.batch_size=16",
    "optimizer.learning_rate=0.02",
    "hardware.threads=1",
)


@pytest.fixture(scope="module")
def run_folder(har_keras, reviews_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    done = har_keras(*TINY, f"data.root={reviews_root}", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "TF-IDF" in done.stdout
    (record,) = folder.rglob("run.json")
    return record.parent


@pytest.fixture
def har_keras_here(printed, monkeypatch: pytest.MonkeyPatch, run_folder: Path, reviews_root: Path):
    monkeypatch.setenv("HAR_KERAS_DATA", str(reviews_root))
    return partial(printed, run_folder)


def test_a_published_protocol_with_validation_data(run_folder: Path) -> None:
    record = json.loads((run_folder / "run.json").read_text())
    assert record["protocol"] == "published"
    assert record["outputs"] == {"kind": "class", "classes": ["negative", "positive"], "shape": [1]}
    assert record["data"]["validation"] == 16
    metrics = json.loads((run_folder / "metrics.json").read_text())
    with (run_folder / "history.csv").open() as file:
        best = max(float(row["val_accuracy"]) for row in csv.DictReader(file))
    assert metrics["validation"]["accuracy"] == pytest.approx(best, abs=1e-6)
    assert metrics["test"]["accuracy"] > 0.7


def test_predict(har_keras_here) -> None:
    praise, blame = (
        json.loads(har_keras_here("predict", f"text={text}", "format=json"))[0]
        for text in ("A superb film! The best, great & moving.", "Awful, boring: the worst (dull).")
    )
    assert praise["prediction"] == "positive"
    assert blame["prediction"] == "negative"
    assert sum(blame["probabilities"].values()) == pytest.approx(1)
    assert blame["probability"] == blame["probabilities"]["negative"] > 0.5


@pytest.mark.parametrize("text", ["", "😀", "film " * 100_000])
def test_odd_reviews(har_keras_here, text: str) -> None:
    [found] = json.loads(har_keras_here("predict", f"text={text}", "format=json"))
    assert found["text"] == text
    assert sum(found["probabilities"].values()) == pytest.approx(1)


def test_evaluate(har_keras_here) -> None:
    shown = har_keras_here("evaluate")
    assert "furthest from metrics.json" in shown
    assert "test samples" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("task.vectors=nowhere.txt",), "nowhere.txt: No such file"),
        (("task.size=3",), "task.size=3: expected at least 5"),
        (("task.length=9",), "task.length: no such key"),
        (("model=conv_lstm", "task.timesteps=3", "model.convolutions=2"), "at most 1"),
        (("training.monitor=val_f1",), "training.monitor=val_f1"),
    ],
)
def test_refused(refuse, reviews_root: Path, arguments, message: str) -> None:
    assert message in refuse("task=imdb", f"data.root={reviews_root}", *arguments)
