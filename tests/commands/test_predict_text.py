import csv
import json
import re
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

WORDS = ["ok", "see", "you", "later", "home", "call", "when", "lunch", "good", "friend"]
SPAM = ["win", "free", "prize", "claim", "cash", "urgent", "reply", "award"]
TINY = (
    "task=sms_spam",
    "model=gru",
    "model.units=4",
    "training.epochs=2",
    "training.batch_size=32",
    "training.output_summaries=true",
    "hardware.threads=1",
)


@pytest.fixture(scope="module")
def spam_run(har_keras, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run folder made through the command line, and what the console showed."""
    folder = tmp_path_factory.mktemp("texts")
    rng = np.random.default_rng(0)
    path = folder / "messages, of mine.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["label", "text"])
        for number in range(160):
            kind, words = ("spam", SPAM) if number % 4 == 0 else ("ham", WORDS)
            writer.writerow([kind, " ".join(rng.choice(words, 5)) + " x" + "y" * number])
    done = har_keras(*TINY, f"task.path={path}", cwd=folder)
    assert done.returncode == 0, done.stderr
    (record,) = folder.rglob("run.json")
    return record.parent, done.stdout


@pytest.fixture
def predict(printed, spam_run):
    return partial(printed, spam_run[0], "predict")


def test_the_run_folder_of_texts(spam_run) -> None:
    folder, shown = spam_run
    record = json.loads((folder / "run.json").read_text())
    assert record["inputs"]["kind"] == "tokens"
    assert record["outputs"] == {"kind": "class", "classes": ["ham", "spam"], "shape": [2]}
    assert "win" in json.loads((folder / "vocabulary.json").read_text())["words"]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["baselines"]["TF-IDF + linear SVM"]["accuracy"] > 0.9
    assert {"spam_precision", "spam_recall", "spam_f1"} < set(metrics["test"])
    assert "TF-IDF" in shown


def test_tensorboard_of_texts(spam_run) -> None:
    board = spam_run[0] / "tensorboard"
    words = (board / "train" / "embedding_words.tsv").read_text().splitlines()
    assert words[:2] == ["<padding>", "<unknown>"]
    assert len((board / "train" / "embedding.tsv").read_text().splitlines()) == len(words)
    assert "embedding_words.tsv" in (board / "train" / "projector_config.pbtxt").read_text()
    tags = {s: EventAccumulator(str(board / s)).Reload().Tags() for s in ("train", "validation")}
    for name in ("weights", "biases", "scores", "predictions"):
        assert f"output/{name}" in tags["train"]["histograms"]
        for figure in ("mean", "stddev", "max", "min"):
            assert f"output/{name}/{figure}" in tags["train"]["scalars"]
    for name in ("scores", "predictions"):
        assert f"output/{name}" in tags["validation"]["histograms"]
        assert f"output/{name}/stddev" in tags["validation"]["scalars"]
    tensors = EventAccumulator(str(board / "test")).Reload().Tags()["tensors"]
    assert {"precision_recall/spam", "samples/text_summary"} <= set(tensors) | {
        f"{tag}/text_summary" for tag in tensors
    }


def test_one_text(predict) -> None:
    [found] = json.loads(predict("text=WIN a free prize, [claim]=now!", "format=json"))
    assert found["text"] == "WIN a free prize, [claim]=now!"
    assert found["prediction"] in ("ham", "spam")
    assert found["probability"] == max(found["probabilities"].values())
    assert sum(found["probabilities"].values()) == pytest.approx(1)
    table = predict("text=see you later")
    assert "see you later" in table
    assert "prediction" in table


@pytest.mark.parametrize("text", ["", "   ", "😀🎉", "word " * 100_000, '"', "a,b\tc", "42"])
def test_odd_texts(predict, text: str) -> None:
    [row] = json.loads(predict(f"text={text}", "format=json"))
    assert row["text"] == text
    assert sum(row["probabilities"].values()) == pytest.approx(1)


def test_a_file_of_texts(predict, tmp_path: Path) -> None:
    source, target = tmp_path / "texts.txt", tmp_path / "out" / "found.json"
    source.write_text('see you\n\nfree "prize\n', encoding="utf-8")
    assert predict(f"input={source}", f"output={target}") == ""
    assert [row["text"] for row in json.loads(target.read_text())] == [
        "see you",
        "",
        'free "prize',
    ]
    rows = list(csv.reader(predict(f"input={source}", "format=csv").splitlines()))
    assert rows[0] == ["text", "prediction", "probability", "ham", "spam"]
    assert [row[0] for row in rows] == ["text", "see you", "", 'free "prize']


def test_the_predictions_of_the_run_again(predict, spam_run, tmp_path: Path) -> None:
    """Texts go the same way as in training: the share of spam among spam words is high in both."""
    source = tmp_path / "texts.csv"
    source.write_text("label,text\n" + "".join(f"x,{word} {word}\n" for word in SPAM + WORDS))
    rows = list(csv.DictReader(predict(f"input={source}", "format=csv").splitlines()))
    assert len(rows) == len(SPAM + WORDS)
    spam = np.array([float(row["spam"]) for row in rows])
    assert spam[: len(SPAM)].mean() > spam[len(SPAM) :].mean()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "text=, input=: expected one of them"),
        (("text=a", "input=b"), "expected one of them"),
        (("text=a", "format=xml"), "format=xml: expected one of table, csv, json"),
        (("text=a", "rate=50"), "rate=50: expected one of run=, text="),
        (("input=nowhere.txt",), "nowhere.txt: No such file"),
        (("input=.",), "expected a text file"),
        (("input=latin.txt",), "line 1: expected UTF-8, found the byte 0xe9"),
        (("input=stray.csv",), "line 2: .*a stray quote"),
        (("input=empty.txt",), "holds no text"),
        (("input=texts.txt", "output=texts.txt"), "is the input itself"),
        (("text=a", "output=."), "is a folder, expected a file to write"),
    ],
)
def test_refused(refuse, spam_run, tmp_path: Path, arguments, message: str) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    (tmp_path / "stray.csv").write_text('label,text\nham,"a" b\n')
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "texts.txt").write_text("a\n")
    line = refuse("predict", f"run={spam_run[0]}", *arguments)
    assert re.search(message, line), line


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda f: (f / "vocabulary.json").unlink(), "expected the run's vocabulary"),
        (lambda f: (f / "vocabulary.json").write_text("[]"), "expected a vocabulary"),
        (lambda f: _edit(f, kind="words"), "unknown kind 'words'"),
        (lambda f: _edit(f, timesteps="8"), "inputs: timesteps is '8'"),
        (lambda f: _edit(f, timesteps=8), "expected a model from"),
        (lambda f: _edit(f, cleaning="rot13"), "inputs: cleaning is 'rot13'"),
    ],
)
def test_edited_runs(refuse, spam_run, tmp_path: Path, edit, message: str) -> None:
    folder = shutil.copytree(spam_run[0], tmp_path / "run")
    edit(folder)
    assert message in refuse("predict", f"run={folder}", "text=a")


def _edit(folder: Path, **values: object) -> None:
    record = json.loads((folder / "run.json").read_text())
    record["inputs"] |= values
    (folder / "run.json").write_text(json.dumps(record))


def test_evaluate_prints_samples(spam_run, printed) -> None:
    shown = printed(spam_run[0], "evaluate")
    assert "test samples" in shown
    assert "furthest from metrics.json" in shown
