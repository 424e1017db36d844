"""Input and output description: a text, a character at a time, and what comes next."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from har_keras.data.streams import UNCOUNTED, unbroken
from har_keras.data.text import Vocabulary
from har_keras.tasks.description import Embedded, Outputs
from har_keras.tasks.tokens import Tokens


@dataclass(frozen=True)
class Characters(Tokens):
    """`timesteps` characters, each an embedding of `embedding` numbers, one-hot where that is 0.

    With `streams` the rows of a batch go on in the next batch, and the model carries their states,
    in training for `restart` updates.
    """

    masked: bool = field(default=False, init=False)
    tokeniser: str = field(default="characters", init=False)
    streams: int | None = None
    restart: int | None = None

    def open(self) -> tuple[Any, Any]:
        """The `keras.Input` (streams, timesteps) int32, and the embeddings of its characters."""
        from keras import Input, layers

        shape = (self.streams, self.timesteps)
        start = Input(batch_shape=shape, dtype="int32", name="characters")
        size = self.vocabulary.size
        if self.embedding:
            names = {"name": "embedding", "reverse_dtype": "float32"}
            return start, layers.ReversibleEmbedding(size, self.embedding, **names)(start)
        one_hot = layers.Embedding(size, size, "identity", trainable=False, name="one_hot")
        return start, one_hot(start)

    def embedded(self, model: Any) -> Embedded | None:
        """The embedding of each character, where there is one."""
        return super().embedded(model) if self.embedding else None


@dataclass(frozen=True)
class NextCharacter(Outputs):
    """The character that follows each of `timesteps`, one of `vocabulary`.

    Truth is int (samples, timesteps), -1 where a step does not count; the model's output are logits
    (samples, timesteps, ids), and what is kept of it (samples, timesteps, 2): how surprising the
    truth was (nats), and the most probable id.
    """

    timesteps: int
    vocabulary: Vocabulary
    streams: int | None = None
    per_step: ClassVar[bool] = True
    causal: ClassVar[bool] = True
    labels: ClassVar[Mapping[str, str]] = {"loss": "cross-entropy loss (nats a character)"}

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(timesteps, ids)."""
        return self.timesteps, self.vocabulary.size

    def describe(self) -> dict[str, Any]:
        """`kind` and the shape."""
        return {"kind": "characters", "shape": list(self.shape)}

    def head(self, encoded: Any) -> Any:
        """Logits (batch, timesteps, ids) from (batch, timesteps, width)."""
        import keras

        dtype = "float32" if keras.config.dtype_policy().name.startswith("mixed") else None
        return keras.layers.Dense(self.vocabulary.size, name="head", dtype=dtype)(encoded)

    def loss(self) -> Any:
        """Cross-entropy in nats over the steps that count, on logits."""
        import keras

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=UNCOUNTED)

    def compiled_metrics(self) -> list[Any]:
        """Nothing but the loss, which is what the figures at the end are made of."""
        return []

    def kept(self, truth: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Surprise of the truth and most probable id, float32 (samples, timesteps, 2)."""
        logits = outputs - outputs.max(-1, keepdims=True)
        of_truth = np.take_along_axis(logits, np.maximum(truth, 0)[..., None], -1)[..., 0]
        surprise = np.log(np.exp(logits).sum(-1, dtype=np.float64)) - of_truth
        return np.stack([surprise, outputs.argmax(-1)], axis=-1).astype(np.float32)

    def metrics(self, truth: np.ndarray, kept: np.ndarray) -> dict[str, float]:
        """`loss` (nats), `bits_per_character`, `perplexity`, and `accuracy` of the likeliest."""
        from har_keras.reporting.metrics import language

        counts = truth != UNCOUNTED
        return language(kept[counts][:, 0], kept[counts][:, 1] == truth[counts])

    def prediction_rows(self, truth: np.ndarray, kept: np.ndarray) -> Iterator[list[Any]]:
        """Header and rows of `predictions.csv`: a row a character, in the order of the text."""
        yield ["index", "truth", "prediction", "probability_of_truth"]
        truth, kept = (unbroken(rows, self.streams or len(truth)) for rows in (truth, kept))
        names = self.vocabulary.names
        for i, place in enumerate(np.flatnonzero(truth != UNCOUNTED)):
            surprise, likeliest = kept[place]
            probability = f"{np.exp(-surprise):.6f}"
            yield [i, names[truth[place]], names[int(likeliest)], probability]
