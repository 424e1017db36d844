"""What the output layer does, epoch by epoch, for TensorBoard: its weights, scores, predictions."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from har_keras.reporting.tensorboard import TensorBoard
from har_keras.tasks import TaskData

SAMPLE = 512  # sequences of each split


class OutputSummaries(keras.callbacks.Callback):
    """Writes mean, deviation, extremes and a histogram of what the output layer holds and gives.

    After each epoch: of the head's weights and biases, and for a sample of the training split and
    of the watched one of its scores and of what the task makes of them (`Outputs.predicted`).
    """

    def __init__(self, board: TensorBoard, data: TaskData, watched: str) -> None:
        """`watched` (`validation` or `test`) is the split that is looked at beside `train`."""
        super().__init__()
        self.board, self.predicted = board, data.outputs.predicted
        size = data.inputs.streams or SAMPLE
        self.samples = {name: _sample(data.splits[name].x, size) for name in ("train", watched)}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write them."""
        weights = {
            f"output/{_plural(variable.name)}": keras.ops.convert_to_numpy(variable)
            for variable in self.model.layers[-1].trainable_variables
        }
        self._write("train", weights, epoch + 1)
        for split, x in self.samples.items():
            scores = np.asarray(self.model.predict_on_batch(x))
            found = {"output/scores": scores, "output/predictions": self.predicted(scores)}
            self._write(split, found, epoch + 1)

    def _write(self, split: str, found: Mapping[str, np.ndarray], step: int) -> None:
        for name, values in found.items():
            self.board.histogram(split, name, values, step)
            figures = {f"{name}/{k}": float(of(values)) for k, of in STATISTICS.items()}
            self.board.scalars(split, figures, step)


STATISTICS: dict[str, Callable[[np.ndarray], Any]] = {
    "mean": np.mean,
    "stddev": np.std,
    "max": np.max,
    "min": np.min,
}


def _sample(x: np.ndarray, size: int) -> np.ndarray:
    return x[np.random.default_rng(0).permutation(len(x))[:size]]


def _plural(name: str) -> str:
    return {"kernel": "weights", "bias": "biases"}.get(name, name)
