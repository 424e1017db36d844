"""Output description: one of several classes for each step of a sequence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from har_keras.tasks.classification import ClassPerSequence

UNCOUNTED = -1  # the label of a step that has none, or is padding


@dataclass(frozen=True)
class ClassOfEachStep(ClassPerSequence):
    """One of `classes` for each of `timesteps`; all figures are over steps, not over sequences.

    Truth is int (samples, timesteps), -1 where a step does not count, and the model's output are
    logits (samples, timesteps, classes).
    """

    timesteps: int = 0
    per_step: ClassVar[bool] = True

    @property
    def shape(self) -> tuple[int, ...]:
        """(timesteps, classes)."""
        return self.timesteps, len(self.classes)

    def describe(self) -> dict[str, Any]:
        """`kind`, `classes` and the shape."""
        return super().describe() | {"kind": "steps"}

    def head(self, encoded: Any) -> Any:
        """Logits (batch, timesteps, classes) from (batch, timesteps, width)."""
        from har_keras.layers import Unmasked

        return Unmasked()(super().head(encoded))

    def loss(self) -> Any:
        """Cross-entropy in nats over the steps that count, on logits."""
        import keras

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=UNCOUNTED)

    def compiled_metrics(self) -> list[Any]:
        """What is followed during training."""
        from har_keras.training.step_accuracy import StepAccuracy

        return [StepAccuracy()]

    def metrics(self, truth: np.ndarray, logits: np.ndarray) -> dict[str, float]:
        """The figures of `metrics.json` for one split."""
        return super().metrics(*_counted(truth, logits))

    def prediction_rows(self, truth: np.ndarray, logits: np.ndarray) -> Iterator[list[Any]]:
        """Header and rows of `predictions.csv`: a row a step that counts."""
        rows = super().prediction_rows(*_counted(truth, logits))
        yield ["index", "step", *next(rows)[1:]]
        for place, row in zip(np.argwhere(truth != UNCOUNTED), rows, strict=True):
            yield [*place, *row[1:]]

    def figures(
        self, truth: np.ndarray, logits: np.ndarray, groups: np.ndarray, note: str
    ) -> Mapping[str, Any]:
        """Figures of the test set by file name."""
        return super().figures(*_counted(truth, logits), groups, note)

    def precision_recall(
        self, truth: np.ndarray, logits: np.ndarray
    ) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
        """By class: whether a step is of it, and its probability."""
        return super().precision_recall(*_counted(truth, logits))

    def told(self, truth: np.ndarray, logits: np.ndarray) -> Iterator[tuple[str, str]]:
        """Nothing, there are too many steps."""
        yield from ()


def _counted(truth: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The steps that count, (steps,) and (steps, classes)."""
    return truth[truth != UNCOUNTED], logits[truth != UNCOUNTED]
