import csv
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

DRUGS = ["aspirin", "lithium", "penicillin", "ibuprofen"]
EFFECTS = ["rash", "fever", "acute renal failure", "nausea"]
TINY = (
    "task=ade",
    "model=bilstm",
    "optimizer.learning_rate=0.05",
    "training.epochs=10",
    "training.batch_size=16",
    "training.monitor=val_f1",
    "hardware.threads=1",
)


@pytest.fixture(scope="module")
def tag_run(har_keras, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run folder made through the command line, and what the console showed."""
    folder = tmp_path_factory.mktemp("tags")
    rng = np.random.default_rng(0)
    lines = []
    for _ in range(150):
        effect = rng.choice(EFFECTS).split()
        lines += [f"{rng.choice(DRUGS)} B-drug", "causes O"]
        lines += [f"{word} {'I' if i else 'B'}-effect" for i, word in enumerate(effect)]
        lines += [". O", ""]
    path = folder / "my notes.conll"
    path.write_text("\n".join(lines))
    done = har_keras(*TINY, f"task.path={path}", cwd=folder)
    assert done.returncode == 0, done.stderr
    (record,) = folder.rglob("run.json")
    return record.parent, done.stdout


@pytest.fixture
def predict(printed, tag_run):
    return partial(printed, tag_run[0], "predict")


def test_the_run_folder_of_tags(tag_run) -> None:
    folder, shown = tag_run
    record = json.loads((folder / "run.json").read_text())
    assert record["outputs"]["layers"]["tags"][0] == "O"
    assert (folder / "parts.json").exists()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics["test"]) == {"precision", "recall", "f1", "f1_drug", "f1_effect", "loss"}
    assert metrics["test"]["f1"] > 0.9
    assert "CRF on word features" in metrics["baselines"]
    assert "CRF" in shown
    assert (folder / "figures" / "confusion_tags.png").exists()
    assert (folder / "history.csv").read_text().startswith("epoch,f1,loss,learning_rate,val_f1")


def test_spans_in_context(predict) -> None:
    shown = predict("text=lithium causes acute renal failure.\naspirin causes  rash.")
    assert "[lithium]drug" in shown
    assert "causes [acute renal failure]effect" in shown
    assert shown.splitlines()[1].startswith("[aspirin]drug")
    assert "causes  [rash]effect" in shown


def test_spans_of_a_file_as_csv(predict, tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("aspirin causes rash.\n\n🙂 é\n")
    rows = list(csv.DictReader(predict(f"input={texts}", "format=csv").splitlines()))
    assert [(row["line"], row["kind"], row["words"]) for row in rows[:2]] == [
        ("1", "drug", "aspirin"),
        ("1", "effect", "rash"),
    ]
    assert (rows[1]["start"], rows[1]["end"]) == ("15", "19")
    assert float(rows[0]["probability"]) > 0.5


@pytest.mark.parametrize("text", ["", "   ", "word " * 3000, "é" * 5000, "<b>&amp; \x00"])
def test_odd_texts(predict, text: str) -> None:
    rows = json.loads(predict(f"text={text}", "format=json"))
    assert all(row["text"] == text for row in rows)


def test_evaluate_gives_the_same_figures(tag_run, printed) -> None:
    shown = printed(tag_run[0], "evaluate")
    assert "f1 effect" in shown
