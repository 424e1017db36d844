"""Output description: a tag for each step, in one or more layers; spans are what counts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from scipy.special import log_softmax, softmax

from har_keras.data.tagged import OUTSIDE, spans
from har_keras.tasks.description import Outputs

PADDING = -1  # the label of a step that is none


@dataclass(frozen=True)
class ClassPerStep(Outputs):
    """One of `tags` (BIO) for each of `timesteps`, in each of `layers`; all have as many tags.

    `timesteps` is None where the model takes any number of them.
    Truth is int (samples, timesteps, layers), -1 where a step is padding, and the model's output
    (samples, timesteps, layers, tags). Spans are read from the most probable tags that make
    whole spans. `padded_scores` adds what `har_keras.reporting.tagging.padded` gives.
    """

    timesteps: int | None
    layers: tuple[str, ...]
    tags: tuple[tuple[str, ...], ...]
    padded_scores: bool = False
    per_step: ClassVar[bool] = True
    monitors: ClassVar[Mapping[str, str]] = {"val_loss": "min", "val_f1": "max"}
    labels: ClassVar[Mapping[str, str] | None] = {
        "loss": "cross-entropy loss (nats)",
        "f1": "F1 of exact spans (0–1)",
    }
    classes: tuple[str, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        """Name the classes: all tags but one `O`."""
        names = dict.fromkeys(tag for layer in self.tags for tag in layer)
        object.__setattr__(self, "classes", tuple(names))

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(timesteps, layers, tags)."""
        return self.timesteps, len(self.layers), len(self.tags[0])

    def describe(self) -> dict[str, Any]:
        """`kind`, and the tags of each layer."""
        layers = dict(zip(self.layers, map(list, self.tags), strict=True))
        return {"kind": "tags", "shape": list(self.shape), "layers": layers}

    def head(self, encoded: Any) -> Any:
        """Logits (batch, timesteps, layers, tags) from (batch, timesteps, width)."""
        import keras

        from har_keras.layers.masking import Unmasked

        dtype = "float32" if keras.config.dtype_policy().name.startswith("mixed") else None
        layers, tags = len(self.tags), len(self.tags[0])
        logits = keras.layers.Dense(layers * tags, name="head", dtype=dtype)(encoded)
        steps = -1 if self.timesteps is None else self.timesteps
        return keras.layers.Reshape((steps, layers, tags), name="tags")(Unmasked()(logits))

    def loss(self) -> Any:
        """Cross-entropy in nats over steps that are not padding, on logits."""
        import keras

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=PADDING)

    def compiled_metrics(self) -> list[Any]:
        """What is followed during training."""
        from har_keras.training.span_f1 import SpanF1

        return [SpanF1(self.tags)]

    def decode(self, logits: np.ndarray, real: np.ndarray) -> np.ndarray:
        """The most probable tags that make whole spans: int (samples, timesteps, layers).

        Steps that are not `real` (samples, timesteps) get -1.
        """
        paths = [_best_path(logits[:, :, i], real, tags) for i, tags in enumerate(self.tags)]
        return np.where(real[..., None], np.stack(paths, axis=-1), PADDING)

    def encode(self, tags: Sequence[Sequence[Sequence[str]]], timesteps: int) -> np.ndarray:
        """Truth from the tags of each sample's layers: int64 (samples, timesteps, layers)."""
        labels = np.full((len(tags), timesteps, len(self.tags)), PADDING)
        for row, sample in zip(labels, tags, strict=True):
            for i, (layer, names) in enumerate(zip(sample, self.tags, strict=True)):
                found = [names.index(tag) for tag in layer[:timesteps]]
                row[: len(found), i] = found
        return labels

    def named(self, labels: np.ndarray) -> Iterator[list[list[str]]]:
        """The names of a sample's tags by layer, without padding."""
        for sample in labels:
            columns = zip(self.tags, sample.T, strict=True)
            yield [[tags[label] for label in column if label >= 0] for tags, column in columns]

    def metrics(self, truth: np.ndarray, logits: np.ndarray) -> dict[str, float]:
        """The figures of `metrics.json` for one split."""
        from har_keras.reporting import tagging

        predicted = self.decode(logits, truth[..., 0] >= 0)
        found = tagging.spans(list(self.named(truth)), list(self.named(predicted)))
        found["loss"] = tagging.loss(truth, logits)
        if self.padded_scores:
            found |= tagging.padded(truth[..., 0], logits[:, :, 0].argmax(-1))
        return found

    def prediction_rows(self, truth: np.ndarray, logits: np.ndarray) -> Iterator[list[Any]]:
        """Header and rows of `predictions.csv`: a row a step, that of padding left out."""
        kinds = ("truth", "prediction", "probability")
        yield ["index", "step", *(f"{kind}_{layer}" for layer in self.layers for kind in kinds)]
        real = truth[..., 0] >= 0
        predicted = self.decode(logits, real)
        probabilities = softmax(logits.astype("float64"), axis=-1)
        for i, step in zip(*np.nonzero(real), strict=True):
            row: list[Any] = [i, step]
            for layer, tags in enumerate(self.tags):
                label = predicted[i, step, layer]
                sure = probabilities[i, step, layer, label]
                row += [tags[truth[i, step, layer]], tags[label], f"{sure:.6f}"]
            yield row

    def figures(
        self, truth: np.ndarray, logits: np.ndarray, groups: np.ndarray, note: str
    ) -> Mapping[str, Any]:
        """Confusion of the tags of each layer, padding left out."""
        from har_keras.reporting import figures

        real = truth[..., 0] >= 0
        predicted = self.decode(logits, real)
        return {
            f"confusion_{layer}": figures.confusion(
                truth[real][:, i], predicted[real][:, i], self.tags[i], note=note
            )
            for i, layer in enumerate(self.layers)
        }

    def told(self, truth: np.ndarray, logits: np.ndarray) -> Iterator[tuple[str, str]]:
        """Spans of truth and prediction by the numbers of their tokens, counted from 1."""
        predicted = self.decode(logits, truth[..., 0] >= 0)
        for pair in zip(self.named(truth), self.named(predicted), strict=True):
            real, found = (
                ", ".join(
                    f"{kind} {start + 1}" + (f"–{end}" if end > start + 1 else "")
                    for tags in layers
                    for kind, start, end in spans(tags)
                )
                for layers in pair
            )
            yield real or "none", found or "none"


def _best_path(scores: np.ndarray, real: np.ndarray, tags: tuple[str, ...]) -> np.ndarray:
    """Viterbi over scores (samples, timesteps, tags), where `I-kind` follows its like or `B-kind`.

    Steps that are not `real` (samples, timesteps) favour no tag.
    """
    scores = np.where(real[..., None], log_softmax(scores.astype("float64"), axis=-1), 0)
    allowed = np.array([[_may_follow(tag, before) for tag in tags] for before in tags])
    first = np.array([_may_follow(tag, OUTSIDE) for tag in tags])
    total = np.where(first, scores[:, 0], -np.inf)
    back = np.zeros(scores.shape, "int64")
    for t in range(1, scores.shape[1]):
        through = np.where(allowed, total[:, :, None], -np.inf)
        back[:, t] = through.argmax(1)
        total = through.max(1) + scores[:, t]
    path = [total.argmax(-1)]
    for t in range(scores.shape[1] - 1, 0, -1):
        path.append(np.take_along_axis(back[:, t], path[-1][:, None], 1)[:, 0])
    return np.stack(path[::-1], axis=1)


def _may_follow(tag: str, before: str) -> bool:
    return not tag.startswith("I-") or before[2:] == tag[2:]
