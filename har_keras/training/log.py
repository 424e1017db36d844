"""The training log: history.csv and TensorBoard after each epoch, and the time it took."""

import csv
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from har_keras.errors import UserError
from har_keras.reporting.tensorboard import TensorBoard
from har_keras.run_folder import whole
from har_keras.tasks import TaskData
from har_keras.training import autodiff

GRADIENT_SAMPLE = 64


class Log(keras.callbacks.Callback):
    """Writes history.csv and TensorBoard after each epoch.

    `history` has one value an epoch for each metric; `fit_seconds` counts from the first epoch,
    over all processes that took part.
    """

    def __init__(self, folder: Path, board: TensorBoard, data: TaskData, watched: str) -> None:
        """`watched` (`validation` or `test`) is the split whose figures Keras calls `val_`."""
        super().__init__()
        self.folder, self.board, self.watched = folder, board, watched
        sample = np.random.default_rng(0).permutation(len(data.train.x))
        sample = sample[: data.inputs.streams or GRADIENT_SAMPLE]
        self.sample = data.train.x[sample], data.train.y[sample]
        self.history: dict[str, list[float]] = {}
        self.epoch_seconds: list[float] = []
        self.first_step_seconds = self.fit_seconds = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        """Prepare the gradients that are logged."""
        self.gradients = autodiff.gradient_of(self.model, *self.sample)
        self.began = self.counted = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the epoch's clock."""
        self.epoch_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the time of the first and of the last step."""
        self.last_batch_ended = time.perf_counter()
        self.first_step_seconds = self.first_step_seconds or self.last_batch_ended - self.began

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the epoch; raise `UserError` where the loss is no number."""
        self.epoch_seconds.append(self.last_batch_ended - self.epoch_began)
        figures = {k: float(v) for k, v in (logs or {}).items() if k != "learning_rate"}
        if not np.isfinite(figures["loss"]):
            raise UserError(
                f"the training loss is {figures['loss']} after epoch {epoch + 1}, expected a"
                " number; try optimizer.clip_norm=1 or a smaller optimizer.learning_rate"
            )
        figures["learning_rate"] = float(
            keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        )
        train = {k: v for k, v in figures.items() if not k.startswith("val_")}
        watched = {k.removeprefix("val_"): v for k, v in figures.items() if k.startswith("val_")}
        prefix = "val_" if self.watched == "validation" else "test_"
        for name, value in (train | {prefix + k: v for k, v in watched.items()}).items():
            self.history.setdefault(name, []).append(value)
        self._write_history()
        self.board.scalars("train", train, epoch + 1)
        self.board.scalars(self.watched, watched, epoch + 1)
        for variable in self.model.trainable_variables:
            values = keras.ops.convert_to_numpy(variable)
            self.board.histogram("train", f"weights/{variable.path}", values, epoch + 1)
        for path, values in self.gradients().items():
            self.board.histogram("train", f"gradients/{path}", values, epoch + 1)
        self.fit_seconds += time.perf_counter() - self.counted
        self.counted = time.perf_counter()

    def _write_history(self) -> None:
        with whole(self.folder / "history.csv") as path, path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", *self.history])
            for epoch, row in enumerate(zip(*self.history.values(), strict=True), start=1):
                writer.writerow([epoch, *row])
