"""Translation: pairs of sentences, English and French from Tatoeba, or any file of pairs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har_keras.data import pairs
from har_keras.data.fetch import fetch, user_cache
from har_keras.data.pairs import END, GO, LONG, Parts
from har_keras.data.text import Vocabulary
from har_keras.errors import UserError, require
from har_keras.tasks import TaskData
from har_keras.tasks.pair_options import PairOptions, task_data
from har_keras.tasks.pairs import Pairs

FOLDER, NAME = "tatoeba", "fra-eng.zip"
URL = (
    "https://raw.githubusercontent.com/genimind/seq2seq/"
    "4f3f8eb0adde54fcc8b89394336b002e7961244c/fra-eng.zip"
)
PAIRS = 142_787
CLEANING, TOKENISER = "folded", "words_and_clitics"


@dataclass
class Config(PairOptions):
    """Schema of `conf/task/translate.yaml`.

    `path`: a UTF-8 file with source, tab, target a line, or a ZIP file of one; Tatoeba's English
    and French if empty; loading makes it absolute. Texts are cleaned and cut by `folded` and
    `words_and_clitics` of `data.text`, and learned are the words seen `least` times in
    `train_pairs` pairs of at most `longest` tokens a side. No source stands in two parts: the test
    part has `test_sources`, `long_sources` of them with over ten words (or as many as there are),
    the same ones for every seed, and validation has `validation_sources`.
    """

    name: str = "translate"
    path: str = ""
    train_pairs: int = 30_000
    test_sources: int = 3_000
    long_sources: int = 1_000
    validation_sources: int = 1_000
    longest: int = 20
    least: int = 2

    def __post_init__(self) -> None:
        """Check each value by itself."""
        super().__post_init__()
        for key in ("train_pairs", "test_sources", "validation_sources", "longest", "least"):
            require(getattr(self, key) > 0, f"task.{key}", getattr(self, key), "at least 1")
        allowed = f"0 to task.test_sources, {self.test_sources}"
        fits = 0 <= self.long_sources <= self.test_sources
        require(fits, "task.long_sources", self.long_sources, allowed)


def load(config: Config, root: Path, seed: int, published: bool) -> TaskData:
    """Read, cut and describe; raise `UserError` for a file that cannot be used."""
    path, texts = _read(config, root)
    empty = Vocabulary(())
    shape = Pairs(empty, empty, config.longest + 2, CLEANING, TOKENISER)
    found = [(shape.tokens(source), shape.tokens(target)) for source, target in texts]
    found = [pair for pair in found if all(pair)]
    try:
        parts = _parts(config, found, seed)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    learned = [found[place] for place in parts.train]
    source = Vocabulary.learn([tokens for tokens, _ in learned], config.least)
    target = Vocabulary.learn([tokens for _, tokens in learned], config.least)
    said = Vocabulary((GO, END, *target.words))
    own = config.teacher_forcing < 1
    inputs = Pairs(source, said, config.longest + 2, CLEANING, TOKENISER, own)
    name = "pairs" if config.path else "tatoeba"
    return task_data(config, inputs, found, parts, published, name)


def _read(config: Config, root: Path) -> tuple[Path, list[tuple[str, str]]]:
    path = Path(config.path).expanduser().resolve() if config.path else root / FOLDER / NAME
    if config.path:
        config.path = str(path)
    elif not path.exists():
        path = fetch(URL, user_cache() / FOLDER, NAME)
    found = pairs.read(path)
    if not config.path and len(found) != PAIRS:
        raise UserError(
            f"{path}: expected the {PAIRS} pairs of Tatoeba, found {len(found)}; for pairs of your"
            " own: task.path=…"
        )
    return path, found


def _parts(config: Config, found: list[tuple[list[str], list[str]]], seed: int) -> Parts:
    """The places of each part; what is too long is in the test part alone."""
    long = np.array([pairs.words(source) > LONG for source, _ in found], bool)
    fits = np.array([max(map(len, pair)) <= config.longest for pair in found], bool)
    sizes = config.long_sources, config.test_sources - config.long_sources
    sources = [" ".join(source) for source, _ in found]
    parts = pairs.apart(sources, long, seed, config.validation_sources, sizes)
    train, validation = (places[fits[places]] for places in (parts.train, parts.validation))
    if not len(train) or not len(validation):
        raise UserError(f"task.longest={config.longest}: expected more, so that some pairs fit")
    return Parts(train[: config.train_pairs], validation, parts.test)
