"""Input description: a sequence of tokens, as the ids of a vocabulary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from har_keras.data.text import CLEANINGS, SIDES, TOKENISERS, Vocabulary
from har_keras.errors import UserError
from har_keras.tasks.description import Embedded, Inputs

FILE = "vocabulary.json"
DESCRIBED = ("timesteps", "padding", "keep", "cleaning", "tokeniser", "without", "distinct")


@dataclass(frozen=True)
class Tokens(Inputs):
    """`timesteps` ids of `vocabulary`, each an embedding of `embedding` numbers.

    `vectors` float32 (ids, embedding) are where the embeddings start, drawn if None. Where `masked`
    the steps of padding (id 0) are told to later layers. `padding` is `pre` or `post`, `keep` says
    whether the `first` or the `last` tokens of a longer text count. `cleaning` and `tokeniser` are
    names in `data.text`: they make tokens of a raw text. Tokens in `without` are left out; where
    `distinct` each counts once, in the order of the alphabet.
    """

    timesteps: int
    vocabulary: Vocabulary
    embedding: int
    vectors: np.ndarray | None = field(default=None, compare=False)
    masked: bool = True
    padding: str = "post"
    keep: str = "first"
    cleaning: str = "none"
    tokeniser: str = "words"
    without: tuple[str, ...] = ()
    distinct: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """(timesteps,)."""
        return (self.timesteps,)

    def open(self) -> tuple[Any, Any]:
        """The `keras.Input` (batch, timesteps) int32, and the embeddings of its tokens."""
        import keras

        start = keras.Input(self.shape, dtype="int32", name="tokens")
        given: dict[str, Any] = {}
        if self.vectors is not None:  # "zeros" is what is never drawn anew
            given = {"embeddings_initializer": "zeros", "weights": [self.vectors]}
        layer = keras.layers.Embedding(
            self.vocabulary.size, self.embedding, mask_zero=self.masked, name="embedding", **given
        )
        return start, layer(start)

    def describe(self) -> dict[str, Any]:
        """What makes ids of a text, beside the file of the vocabulary."""
        found = {name: getattr(self, name) for name in DESCRIBED}
        return {"kind": "tokens", "vocabulary": FILE} | found

    def tokens(self, text: str) -> list[str]:
        """A raw text cleaned and cut."""
        cut = TOKENISERS[self.tokeniser](CLEANINGS[self.cleaning](text))
        kept = [token for token in cut if token not in self.without]
        return sorted(set(kept)) if self.distinct else kept

    def encode(self, documents: list[list[str]]) -> np.ndarray:
        """Tokens to ids, int32 (documents, timesteps)."""
        return self.vocabulary.encode_all(documents, self.timesteps, self.padding, self.keep)

    def show(self, x: np.ndarray) -> str:
        """What the model sees of a text."""
        between = "" if self.tokeniser == "characters" else " "
        return between.join(self.vocabulary.decode(x))

    def embedded(self, model: Any) -> Embedded | None:
        """The embedding of each id."""
        import keras

        (layer,) = (layer for layer in model.layers if layer.name == "embedding")
        vectors = keras.ops.convert_to_numpy(layer.embeddings)
        return Embedded("embedding", self.vocabulary.names, vectors)


def from_record(folder: Path, record: Mapping[str, Any]) -> Tokens:
    """The input of a finished run, by its `run.json` (`record`) and its vocabulary.

    Raises `UserError` for a folder that was edited.
    """
    path = folder / "run.json"
    found = {name: record["inputs"].get(name) for name in DESCRIBED}
    timesteps, without = found["timesteps"], found["without"]
    sound = {
        "timesteps": isinstance(timesteps, int) and 0 < timesteps < 2**31,
        "padding": found["padding"] in SIDES,
        "keep": found["keep"] in ("first", "last"),
        "cleaning": found["cleaning"] in CLEANINGS,
        "tokeniser": found["tokeniser"] in TOKENISERS,
        "without": isinstance(without, list) and all(isinstance(word, str) for word in without),
        "distinct": isinstance(found["distinct"], bool),
    }
    for name, ok in sound.items():
        if not ok:
            raise UserError(f"{path}: inputs: {name} is {found[name]!r:.40}; was it edited?")
    vocabulary = vocabulary_of(folder)
    return Tokens(**found | {"vocabulary": vocabulary, "embedding": 0, "without": tuple(without)})


def vocabulary_of(folder: Path, name: str = FILE) -> Vocabulary:
    """The vocabulary of a finished run; raise `UserError` where it cannot be read."""
    path = folder / name
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: expected the run's vocabulary, but {error}") from error
    return Vocabulary.from_json(text, str(path))
