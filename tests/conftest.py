import csv
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

TINY = (
    "task.source=simulated",
    "model=simple_rnn",
    "model.units=4",
    "training.epochs=2",
    "training.batch_size=2048",
)

PRAISE = ["great", "loved", "superb", "moving", "best"]
BLAME = ["awful", "boring", "worst", "dull", "mess"]
NEITHER = ["the", "film", "it's", "a", "plot", "actor", "I", "saw", "this", "with"]

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["HAR_KERAS_CACHE"] = str(tmp_path_factory.mktemp("cache"))


def shell(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m har_keras …` as a user types it, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "har_keras", *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="session")
def har_keras() -> Shell:
    return shell


@pytest.fixture(scope="session")
def training_losses() -> Callable[[Path], list[float]]:
    """The training loss of each epoch of the run in a folder."""

    def read(folder: Path) -> list[float]:
        with (folder / "history.csv").open() as file:
            return [float(row["loss"]) for row in csv.DictReader(file)]

    return read


@pytest.fixture(scope="session")
def letters() -> str:
    """A text at random that is whole chunks of ten characters in four streams."""
    return "".join(np.random.default_rng(0).choice(list("abcdefgh  \n"), 1499))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run folder made through the command line on simulated data, and what the console showed."""
    folder = tmp_path_factory.mktemp("runs")
    done = shell(*TINY, cwd=folder)
    assert done.returncode == 0, done.stderr
    (record,) = folder.rglob("run.json")
    return record.parent, done.stdout


def archive(path: Path, size: int = 40) -> Path:
    """A tar archive as that of the IMDB reviews: `size` in each of its four folders, 4 a film.

    The first training review stands in the test set too.
    """
    rng = np.random.default_rng(0)
    files: dict[str, str] = {"aclImdb/README": "Large Movie Review Dataset"}
    for split in ("train", "test"):
        for kind, opinion in (("neg", BLAME), ("pos", PRAISE)):
            films = []
            for number in range(size):
                words = [*rng.choice(opinion, 3), *rng.choice(NEITHER, rng.integers(4, 20))]
                text = " ".join(rng.permutation(words)).capitalize() + ".<br /><br />Café!"
                rating = rng.integers(1, 5) + 6 * (kind == "pos")
                files[f"aclImdb/{split}/{kind}/{number}_{rating}.txt"] = text
                films.append(1000 * (split == "test") + 500 * (kind == "pos") + number // 4)
            urls = "".join(f"http://www.imdb.com/title/tt{f:07}/usercomments\n" for f in films)
            files[f"aclImdb/{split}/urls_{kind}.txt"] = urls
    first = next(name for name in files if name.startswith("aclImdb/train/neg/0_"))
    last = next(name for name in files if name.startswith(f"aclImdb/test/neg/{size - 1}_"))
    files[last] = files[first]
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:xz") as opened:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            opened.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.fixture(scope="session")
def reviews_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a small archive of reviews and the index of its words."""
    root = tmp_path_factory.mktemp("reviews")
    archive(root / "imdb" / "aclImdb_labelled.tar.xz")
    ranked = ["br", *(word.lower() for word in NEITHER), *PRAISE, *BLAME, "café"]
    index = {word: rank for rank, word in enumerate(ranked, 1)}
    (root / "imdb" / "imdb_word_index.json").write_text(json.dumps(index))
    return root
