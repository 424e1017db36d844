"""Output description: one of several classes for a whole sequence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from har_keras.tasks.description import Outputs

LEGIBLE = 40  # classes; a figure of more says nothing


@dataclass(frozen=True)
class ClassPerSequence(Outputs):
    """One of `classes` (names) a sequence.

    `groups` says what `Split.groups` counts (`subject`), None where nobody asks for each of them.
    `positive` names the class that is looked for, where there is one: it is scored by itself too.
    `double_softmax`: the head's output went through a softmax before the one of the loss, a mistake
    of a published system. `binary`: the head is one logit, that of the second of two classes.
    """

    classes: tuple[str, ...]
    groups: str | None = None
    positive: str | None = None
    double_softmax: bool = False
    binary: bool = False
    monitors: ClassVar[Mapping[str, str]] = {"val_loss": "min", "val_accuracy": "max"}

    @property
    def shape(self) -> tuple[int, ...]:
        """(classes,), or (1,) if binary."""
        return (1 if self.binary else len(self.classes),)

    def describe(self) -> dict[str, Any]:
        """`kind`, `classes` and the shape."""
        return {"kind": "class", "classes": list(self.classes), "shape": list(self.shape)}

    def head(self, encoded: Any) -> Any:
        """Logits (batch, *shape) from an encoding (batch, units), at least in float32."""
        import keras

        dtype = "float32" if keras.config.dtype_policy().name.startswith("mixed") else None
        activation = "softmax" if self.double_softmax else None
        return keras.layers.Dense(self.shape[-1], activation, name="head", dtype=dtype)(encoded)

    def loss(self) -> Any:
        """Cross-entropy in nats, on logits."""
        import keras

        if self.binary:
            return keras.losses.BinaryCrossentropy(from_logits=True)
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def compiled_metrics(self) -> list[Any]:
        """What is followed during training."""
        import keras

        if self.binary:
            return [keras.metrics.BinaryAccuracy(name="accuracy", threshold=0)]
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """See the function of that name."""
        return probabilities(logits)

    def metrics(self, truth: np.ndarray, logits: np.ndarray) -> dict[str, float]:
        """The figures of `metrics.json` for one split."""
        from har_keras.reporting.metrics import classification, decisions

        figures = classification(truth, self.probabilities(logits))
        if self.positive is None:
            return figures
        positive = self.classes.index(self.positive), self.positive
        return decisions(truth, self.probabilities(logits).argmax(-1), positive) | figures

    def prediction_rows(self, truth: np.ndarray, logits: np.ndarray) -> Iterator[list[Any]]:
        """Header and rows of `predictions.csv`."""
        yield ["index", "truth", "prediction", *self.classes]
        for i, (label, row) in enumerate(zip(truth, self.probabilities(logits), strict=True)):
            names = self.classes[label], self.classes[row.argmax()]
            yield [i, *names, *(f"{p:.6f}" for p in row)]

    def figures(
        self, truth: np.ndarray, logits: np.ndarray, groups: np.ndarray, note: str
    ) -> Mapping[str, Any]:
        """Figures of the test set by file name."""
        from har_keras.reporting import figures

        prediction = self.probabilities(logits).argmax(-1)
        drawn = {}
        if len(self.classes) <= LEGIBLE:
            drawn["confusion"] = figures.confusion(truth, prediction, self.classes, note=note)
            drawn["per_class"] = figures.per_class(truth, prediction, self.classes, note=note)
        if self.groups:
            drawn[f"per_{self.groups}"] = figures.per_group(
                truth, prediction, groups, group_name=f"test {self.groups}", note=note
            )
        return drawn

    def precision_recall(
        self, truth: np.ndarray, logits: np.ndarray
    ) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
        """By class: whether a sample is of it, and its probability."""
        if len(self.classes) > LEGIBLE:
            return {}
        columns = self.probabilities(logits).T
        return {name: (truth == index, columns[index]) for index, name in enumerate(self.classes)}

    def predicted(self, outputs: np.ndarray) -> np.ndarray:
        """Probabilities (samples, classes)."""
        return self.probabilities(outputs)

    def told(self, truth: np.ndarray, logits: np.ndarray) -> Iterator[tuple[str, str]]:
        """Names of truth and prediction, the latter with its probability."""
        for label, row in zip(truth, self.probabilities(logits), strict=True):
            yield self.classes[label], f"{self.classes[row.argmax()]} ({row.max():.2f})"


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax in float64, (samples, classes); one logit a sample is that of the second of two."""
    from scipy.special import softmax

    logits = logits.astype("float64")
    if logits.shape[-1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    return softmax(logits, axis=-1)
