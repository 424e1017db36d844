"""Input and output description: a source, and a target that is said a token at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from har_keras.data.pairs import END
from har_keras.data.text import CLEANINGS, PADDING, TOKENISERS, Vocabulary, sentence
from har_keras.errors import UserError
from har_keras.tasks.characters import NextCharacter
from har_keras.tasks.description import Embedded, Inputs
from har_keras.tasks.tokens import vocabulary_of

SOURCE, TARGET = "source.json", "target.json"
DESCRIBED = ("timesteps", "cleaning", "tokeniser", "own_words")


@dataclass(frozen=True)
class Pairs(Inputs):
    """`timesteps` ids of `source`, beside them as many of `target`, which start with `<go>`.

    Both are padded (id 0) at their ends, by a step at least. `cleaning` and `tokeniser` are names
    in `data.text`. `own_words`: ids of the target may come negative, which asks for what the model
    itself says.
    """

    source: Vocabulary
    target: Vocabulary
    timesteps: int
    cleaning: str
    tokeniser: str
    own_words: bool = False

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(any number of steps, 2)."""
        return (None, 2)

    def open(self) -> tuple[Any, Any]:
        """Raise `UserError`: no encoder alone fits."""
        raise UserError("model: expected model=encoder_decoder with a task of pairs")

    def describe(self) -> dict[str, Any]:
        """What makes ids of a text, beside the files of the vocabularies."""
        sizes = {"source_size": self.source.size, "target_size": self.target.size}
        files = {"source": SOURCE, "target": TARGET}
        found = {name: getattr(self, name) for name in DESCRIBED}
        return {"kind": "pairs"} | files | sizes | found

    def tokens(self, text: str) -> list[str]:
        """A raw text cleaned and cut."""
        return TOKENISERS[self.tokeniser](CLEANINGS[self.cleaning](text))

    def encode(self, documents: Sequence[Sequence[str]]) -> np.ndarray:
        """Sources to ids, int32 (documents, steps): as many steps as the longest needs, or more."""
        longest = max(map(len, documents), default=0)
        fits = longest <= self.timesteps
        steps = self.timesteps if fits else 1 << (longest - 1).bit_length()
        return self.source.encode_all(documents, steps)

    def lengths(self, x: np.ndarray) -> np.ndarray:
        """How many steps the longer side of each pair has."""
        return (x != PADDING).any(-1).sum(-1)

    def said(self, ids: np.ndarray) -> list[list[str]]:
        """The tokens of targets (samples, steps), without `<end>` and padding."""
        return [[name for name in self.target.decode(row) if name != END] for row in ids]

    def written(self, tokens: Sequence[str]) -> str:
        """Tokens of a target as one writes them."""
        return "".join(tokens) if self.tokeniser == "characters" else sentence(tokens)

    def show(self, x: np.ndarray) -> str:
        """The source."""
        return self.written(self.source.decode(x[:, 0]))

    def embedded(self, model: Any) -> Embedded | None:
        """The embedding of each id of the source."""
        import keras

        layer = model.get_layer("encoder").get_layer("embedding")
        vectors = keras.ops.convert_to_numpy(layer.embeddings)
        return Embedded("source_embedding", self.source.names, vectors)


@dataclass(frozen=True)
class NextWord(NextCharacter):
    """The token of the target that follows each of `timesteps`, one of `vocabulary`.

    As `NextCharacter`: its figures are of the next token after the true ones before it.
    """

    labels: ClassVar[Mapping[str, str]] = {"loss": "cross-entropy loss (nats a token)"}

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(any number of steps, ids)."""
        return None, self.vocabulary.size

    def describe(self) -> dict[str, Any]:
        """`kind` and the shape."""
        return {"kind": "translation", "shape": list(self.shape)}

    def kept(self, truth: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Surprise of the truth and likeliest id, sample by sample: the logits are large."""
        found = [super(NextWord, self).kept(*both) for both in zip(truth, outputs, strict=True)]
        return np.stack(found)

    def metrics(self, truth: np.ndarray, kept: np.ndarray) -> dict[str, float]:
        """`loss` (nats), `perplexity`, and `accuracy` of the likeliest token."""
        found = super().metrics(truth, kept)
        return {name: found[name] for name in ("loss", "perplexity", "accuracy")}


def from_record(folder: Path, record: Mapping[str, Any]) -> Pairs:
    """The input of a finished run, by its `run.json` (`record`) and its vocabularies.

    Raises `UserError` for a folder that was edited.
    """
    found = {name: record["inputs"].get(name) for name in DESCRIBED}
    steps = found["timesteps"]
    sound = {
        "timesteps": isinstance(steps, int) and 0 < steps < 2**31,
        "cleaning": found["cleaning"] in CLEANINGS,
        "tokeniser": found["tokeniser"] in TOKENISERS,
        "own_words": isinstance(found["own_words"], bool),
    }
    for name, ok in sound.items():
        if not ok:
            raise UserError(f"{folder / 'run.json'}: inputs: {name}: cannot be; was it edited?")
    return Pairs(vocabulary_of(folder, SOURCE), vocabulary_of(folder, TARGET), **found)
