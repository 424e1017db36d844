"""Input description: a sequence of tokens, as the ids of a vocabulary."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from har_keras.data.text import CLEANINGS, TOKENISERS, Vocabulary
from har_keras.tasks.description import Embedded, Inputs

FILE = "vocabulary.json"


@dataclass(frozen=True)
class Tokens(Inputs):
    """`timesteps` ids of `vocabulary`, each an embedding of `embedding` numbers.

    `vectors` float32 (ids, embedding) are where the embeddings start, drawn if None. Where `masked`
    the steps of padding (id 0) are told to later layers. `padding` is `pre` or `post`, `keep` says
    whether the `first` or the `last` tokens of a longer text count. `cleaning` and `tokeniser` are
    names in `data.text`: they make tokens of a raw text.
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
        names = ("timesteps", "padding", "keep", "cleaning", "tokeniser")
        found = {name: getattr(self, name) for name in names}
        return {"kind": "tokens", "vocabulary": FILE} | found

    def tokens(self, text: str) -> list[str]:
        """A raw text cleaned and cut."""
        return TOKENISERS[self.tokeniser](CLEANINGS[self.cleaning](text))

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
