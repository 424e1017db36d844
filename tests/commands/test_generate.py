import json
import re
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TINY = (
    "task=char_lm",
    "task.timesteps=10",
    "task.samples=2",
    "task.sample_length=30",
    "task.prefix=to ",
    "model=lstm",
    "model.units=8",
    "optimizer.learning_rate=0.01",
    "training.epochs=2",
    "training.batch_size=8",
    "hardware.threads=1",
)
WORDS = ["to", "be", "or", "not", "that", "is", "the", "question,\n"]


@pytest.fixture(scope="module")
def written(har_keras, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run folder made through the command line, and what the console showed."""
    folder = tmp_path_factory.mktemp("texts")
    path = folder / "words, of mine.txt"
    path.write_text(" ".join(np.random.default_rng(0).choice(WORDS, 1000)))
    done = har_keras(*TINY, f"task.path={path}", cwd=folder)
    assert done.returncode == 0, done.stderr
    (record,) = folder.rglob("run.json")
    return record.parent, done.stdout


@pytest.fixture
def generate(printed, written):
    return partial(printed, written[0], "generate")


def test_the_run_folder(written) -> None:
    folder, shown = written
    metrics = json.loads((folder / "metrics.json").read_text())
    for split in ("train", "validation", "test"):
        figures = metrics[split]
        assert figures["bits_per_character"] == pytest.approx(figures["loss"] / np.log(2))
        assert figures["perplexity"] == pytest.approx(np.exp(figures["loss"]))
    assert metrics["test"]["bits_per_character"] < 4
    assert shown.count("written 1: to ") == 2
    assert (folder / "samples.txt").read_text().count("to ") >= 2
    tags = EventAccumulator(str(folder / "tensorboard" / "train")).Reload().Tags()
    assert "written" in "".join(tags["tensors"])
    rows = (folder / "predictions.csv").read_text()
    assert rows.startswith("index,truth,prediction,probability_of_truth\n")


def test_a_text(generate) -> None:
    text = generate("prefix=not to", "length=40", "temperature=0.8", "top_p=0.9", "seed=1")
    assert text.startswith("not to")
    assert len(text) == len("not to") + 40 + 1
    assert generate("prefix=not to", "length=40", "temperature=0.8", "top_p=0.9", "seed=1") == text
    assert generate("prefix=not to", "length=40", "seed=2") != text
    assert len(generate()) == 1 + 300 + 1


def test_evaluate(written, printed) -> None:
    shown = printed(written[0], "evaluate")
    assert "bits per character" in shown
    assert float(re.search(r"furthest from metrics.json\s+(\S+)", shown)[1]) < 1e-5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("prefix=Zebra",), "prefix='Zebra': holds 'Z', expected characters of the training text"),
        (("temperature=0",), "temperature=0.0: expected above 0"),
        (("temperature=-1",), "temperature=-1.0: expected above 0"),
        (("temperature=hot",), "temperature=hot: expected a number"),
        (("top_p=0",), "top_p=0.0: expected above 0 and at most 1"),
        (("top_p=1.5",), "top_p=1.5: expected above 0 and at most 1"),
        (("length=0",), "length=0: expected a whole number, 1 to"),
        (("seed=-1",), "seed=-1: expected a whole number, 0 to"),
        (("text=a",), "text=a: expected one of run=, prefix="),
    ],
)
def test_refused(refuse, written, arguments, message: str) -> None:
    assert message in refuse("generate", f"run={written[0]}", *arguments)


def test_runs_that_do_not_write(refuse, written, tmp_path: Path) -> None:
    assert "run=: expected the folder" in refuse("generate")
    assert "no such file" in refuse("generate", "run=nowhere")
    folder = shutil.copytree(written[0], tmp_path / "run")
    record = json.loads((folder / "run.json").read_text())
    edited = record | {"task": "har", "outputs": {"kind": "class"}}
    (folder / "run.json").write_text(json.dumps(edited))
    assert "found one of task=har" in refuse("generate", f"run={folder}")


def test_predict_names_what_it_takes(refuse, written) -> None:
    line = refuse("predict", f"run={written[0]}", "text=to be")
    assert "outputs: expected one of class, tags" in line
