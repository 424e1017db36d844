"""Input description: the words of a sentence, each with its parts."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from har_keras.data.text import UNKNOWN, Vocabulary
from har_keras.errors import UserError
from har_keras.tasks.description import Embedded, Inputs
from har_keras.tasks.tokens import FILE

PARTS_FILE = "parts.json"
LEAST = 2  # training sentences' tokens that must share a part


@lru_cache(maxsize=1 << 16)
def shape(token: str) -> str:
    """`Aa` for `Aspirin`, `0-a` for `5-fluorouracil`: kinds of characters, runs made one."""
    kinds = re.sub(r"\d", "0", re.sub("[a-z]", "a", re.sub("[A-Z]", "A", token)))
    return re.sub(r"(.)\1+", r"\1", kinds)


PARTS: dict[str, Callable[[str], str]] = {
    "prefix_3": lambda token: token[:3].lower(),
    "prefix_4": lambda token: token[:4].lower(),
    "suffix_2": lambda token: token[-2:].lower(),
    "suffix_3": lambda token: token[-3:].lower(),
    "suffix_4": lambda token: token[-4:].lower(),
    "shape": shape,
}


@dataclass(frozen=True)
class Words(Inputs):
    """At most `timesteps` tokens: ids of `vocabulary` (lower case), then of each of `parts`.

    A word becomes `embedding` numbers, from `vectors` float32 (ids, embedding) if there are any;
    each of its parts `part_embedding`. Sentences of any length fit the model; padding comes after
    them and is told to later layers.
    """

    timesteps: int
    vocabulary: Vocabulary
    parts: Mapping[str, Vocabulary]
    embedding: int
    part_embedding: int
    vectors: NDArray[np.float32] | None = field(default=None, compare=False)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(None, 1 + parts): a model takes any number of steps."""
        return None, 1 + len(self.parts)

    def open(self) -> tuple[Any, Any]:
        """The `keras.Input` (batch, timesteps, 1 + parts) int32, and embeddings side by side."""
        from keras import Input, layers

        start = Input(self.shape, dtype="int32", name="words")
        given: dict[str, Any] = {}
        if self.vectors is not None:
            given = {"embeddings_initializer": "zeros", "weights": [self.vectors]}
        size = self.vocabulary.size
        word = layers.Embedding(size, self.embedding, mask_zero=True, name="embedding", **given)
        found = [word(start[..., 0])]
        for column, (name, part) in enumerate(self.parts.items(), start=1):
            layer = layers.Embedding(part.size, self.part_embedding, name=name)
            found.append(layer(start[..., column]))
        return start, layers.Concatenate(name="described")(found)

    def describe(self) -> dict[str, Any]:
        """`kind`, and the files that make ids of words and parts."""
        facts = {"timesteps": self.timesteps, "vocabulary": FILE, "parts": PARTS_FILE}
        return {"kind": "tokens"} | facts

    def files(self) -> dict[str, str]:
        """The vocabularies by file name."""
        parts = {name: list(part.words) for name, part in self.parts.items()}
        found = json.dumps(parts, ensure_ascii=False, indent=0)
        return {FILE: self.vocabulary.to_json(), PARTS_FILE: found}

    def encode(
        self, sentences: Sequence[Sequence[str]], timesteps: int | None = None
    ) -> NDArray[np.int32]:
        """Tokens to ids, int32 (sentences, timesteps, 1 + parts)."""
        steps = timesteps or self.timesteps
        columns = [self.vocabulary.encode_all([[t.lower() for t in s] for s in sentences], steps)]
        for name, part in self.parts.items():
            columns.append(part.encode_all([list(map(PARTS[name], s)) for s in sentences], steps))
        return np.stack(columns, axis=-1)

    def lengths(self, x: np.ndarray) -> np.ndarray:
        """How many steps of each sample are words."""
        return (x[..., 0] != 0).sum(-1)

    def show(self, x: np.ndarray) -> str:
        """The words the model knows."""
        return " ".join(self.vocabulary.decode(x[:, 0]))

    def embedded(self, model: Any) -> Embedded | None:
        """The embedding of each word."""
        import keras

        (layer,) = (layer for layer in model.layers if layer.name == "embedding")
        vectors = keras.ops.convert_to_numpy(layer.embeddings)
        return Embedded("embedding", self.vocabulary.names, vectors)


def learn(sentences: Sequence[Sequence[str]]) -> tuple[Vocabulary, dict[str, Vocabulary]]:
    """The vocabularies of words and of parts of training sentences."""
    words = Vocabulary.learn([token.lower() for token in s] for s in sentences)
    parts = {
        name: Vocabulary.learn((map(part, s) for s in sentences), LEAST)  # type: ignore[misc]
        for name, part in PARTS.items()
    }
    return words, parts


def from_record(folder: Path, record: Mapping[str, Any]) -> Words:
    """The input of a finished run, by its `run.json` (`record`) and its vocabularies.

    Raises `UserError` for a folder that was edited.
    """
    texts = {}
    for name in (FILE, PARTS_FILE):
        try:
            texts[name] = (folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{folder / name}: expected a file of the run, but {error}") from error
    try:
        found = json.loads(texts[PARTS_FILE])
        parts = {name: Vocabulary(tuple(map(str, found[name]))) for name in found}
    except (ValueError, TypeError, LookupError) as error:
        raise UserError(f"{folder / PARTS_FILE}: expected parts of words, but {error}") from error
    timesteps = record["inputs"].get("timesteps")
    if not isinstance(timesteps, int) or timesteps < 2 or not parts.keys() <= PARTS.keys():
        raise UserError(f"{folder}: run.json or {PARTS_FILE} is not as written; was it edited?")
    vocabulary = Vocabulary.from_json(texts[FILE], str(folder / FILE))
    return Words(timesteps, vocabulary, parts, embedding=0, part_embedding=0)


def drop(x: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """Ids with that share of words unknown, as those of new texts are; their parts stay."""
    dropped = (rng.random(x.shape[:2]) < share) & (x[..., 0] != 0)
    x = x.copy()
    x[dropped, 0] = UNKNOWN
    return x
