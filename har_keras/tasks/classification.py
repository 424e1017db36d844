"""Output description: one of several classes for a whole sequence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ClassPerSequence:
    """One of `classes` (names) a sequence; `groups` says what `Split.groups` counts (`subject`)."""

    classes: tuple[str, ...]
    groups: str

    def head(self, encoded: Any) -> Any:
        """Logits (batch, classes) from an encoding (batch, units), at least in float32."""
        import keras

        dtype = "float32" if keras.config.dtype_policy().name.startswith("mixed") else None
        return keras.layers.Dense(len(self.classes), name="head", dtype=dtype)(encoded)

    def loss(self) -> Any:
        """Cross-entropy in nats, on logits."""
        import keras

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def compiled_metrics(self) -> list[Any]:
        """What is followed during training."""
        import keras

        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Softmax in float64, (samples, classes)."""
        from scipy.special import softmax

        return softmax(logits.astype("float64"), axis=-1)

    def metrics(self, truth: np.ndarray, logits: np.ndarray) -> dict[str, float]:
        """The figures of `metrics.json` for one split."""
        from har_keras.reporting.metrics import classification

        return classification(truth, self.probabilities(logits))

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

        prediction = logits.argmax(-1)
        return {
            "confusion": figures.confusion(truth, prediction, self.classes, note=note),
            "per_class": figures.per_class(truth, prediction, self.classes, note=note),
            f"per_{self.groups}": figures.per_group(
                truth, prediction, groups, group_name=f"test {self.groups}", note=note
            ),
        }
