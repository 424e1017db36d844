import csv
import json
import re
import shutil
from functools import partial
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TINY = (
    "task=translate",
    "task.train_pairs=200",
    "task.test_sources=12",
    "task.long_sources=2",
    "task.validation_sources=6",
    "task.teacher_forcing=0.8",
    "task.falling=true",
    "model=encoder_decoder",
    "model.units=8",
    "model.embedding=4",
    "optimizer.learning_rate=0.02",
    "training.epochs=2",
    "training.batch_size=16",
    "hardware.threads=1",
)
WORDS = {"cat": "chat", "dog": "chien", "man": "homme", "bird": "oiseau", "tree": "arbre"}
LINES = [
    f"The {a} sees the {b}, {c}.\tLe {WORDS[a]} voit le {WORDS[b]}, {WORDS[c]}."
    for a in WORDS
    for b in WORDS
    for c in WORDS
]


@pytest.fixture(scope="module")
def learned(har_keras, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run folder made through the command line, and what the console showed."""
    folder = tmp_path_factory.mktemp("pairs")
    path = folder / "pairs, of mine.txt"
    path.write_text("\n".join(LINES))
    done = har_keras(*TINY, f"task.path={path}", cwd=folder)
    assert done.returncode == 0, done.stderr
    (record,) = folder.rglob("run.json")
    return record.parent, done.stdout


@pytest.fixture
def translate(printed, learned):
    return partial(printed, learned[0], "translate")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_run_folder(learned) -> None:
    folder, shown = learned
    metrics = json.loads((folder / "metrics.json").read_text())
    assert {"bleu", "chrf", "exact_match", "loss"} <= set(metrics["test"])
    assert "bleu" not in metrics["train"]
    assert shown.count("of 6 validation pairs: bleu") == 2
    assert "exact match" in shown
    rows = rows_of(folder / "translations.csv")
    assert len(rows) == 10  # there is no long source
    assert rows[0]["truth"].startswith("le ")
    for number in range(1, 5):
        assert (folder / "figures" / f"attention_{number}.png").stat().st_size
    tags = EventAccumulator(str(folder / "tensorboard" / "test")).Reload().Tags()
    assert "attention_1" in "".join(tags["images"] + tags["tensors"])
    header = (folder / "predictions.csv").read_text().splitlines()[0]
    assert header == "index,truth,prediction,probability_of_truth"


def test_a_text_and_a_file(translate, tmp_path: Path) -> None:
    line = translate("text=The cat sees the dog, man.")
    assert line.count("\n") == 1
    texts = tmp_path / "texts.txt"
    texts.write_text("The cat sees the dog, man.\n\nZebra? " + "the cat " * 30 + "\n")
    lines = translate(f"input={texts}").split("\n")
    assert lines[0] == line.strip()
    assert lines[1] == ""
    assert len(lines) == 4
    output = tmp_path / "found.csv"
    translate(f"input={texts}", f"output={output}", "beam=1", "length_penalty=0")
    rows = rows_of(output)
    assert list(rows[0]) == ["text", "translation", "score"]
    assert float(rows[0]["score"]) < 0


def test_evaluate(printed, learned) -> None:
    shown = printed(learned[0], "evaluate")
    assert "exact match" in shown
    assert float(re.search(r"furthest from metrics.json\s+(\S+)", shown)[1]) < 1e-4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "text=, input=: expected one of them"),
        (("text=a", "input=b"), "text=, input=: expected one of them"),
        (("text=a", "beam=0"), "beam=0: expected a whole number, 1 to 100"),
        (("text=a", "length_penalty=-1"), "length_penalty=-1.0: expected 0 to 10"),
        (("input=nowhere",), "No such file"),
        (("text=a", "width=5"), "width=5: expected one of run=, text="),
    ],
)
def test_refused(refuse, learned, arguments, message: str) -> None:
    assert message in refuse("translate", f"run={learned[0]}", *arguments)


def test_runs_that_do_not_translate(refuse, learned, tmp_path: Path) -> None:
    folder = shutil.copytree(learned[0], tmp_path / "run")
    record = json.loads((folder / "run.json").read_text())
    edited = record | {"task": "har", "outputs": {"kind": "class"}}
    (folder / "run.json").write_text(json.dumps(edited))
    assert "found one of task=har" in refuse("translate", f"run={folder}", "text=a")
    edited = record | {"inputs": record["inputs"] | {"timesteps": 0}}
    (folder / "run.json").write_text(json.dumps(edited))
    assert "timesteps" in refuse("translate", f"run={folder}", "text=a")
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "target.json").unlink()
    assert "target.json: expected" in refuse("translate", f"run={folder}", "text=a")


def test_other_models_are_refused(har_keras, learned, tmp_path: Path) -> None:
    path = learned[0].parents[4] / "pairs, of mine.txt"
    others = [argument for argument in TINY if not argument.startswith("model")]
    done = har_keras(*others, f"task.path={path}", "model=gru", cwd=tmp_path)
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .endswith("model: expected model=encoder_decoder with a task of pairs")
    )
