"""Fit a model to a task's data and say how it went."""

import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from har_keras import backend
from har_keras.config import Config
from har_keras.errors import UserError, require
from har_keras.reporting.tensorboard import TensorBoard
from har_keras.run_folder import whole
from har_keras.tasks import TaskData
from har_keras.training import autodiff, batches, initial_weights, optimizers
from har_keras.training.progress import ProgressBar

GRADIENT_SAMPLE = 64


@dataclass(frozen=True)
class Fitted:
    """`history`: one value an epoch for each metric; `best_epoch` counts from 1."""

    history: dict[str, list[float]]
    best_epoch: int
    timing: dict[str, float]


def fit(
    model: Any, data: TaskData, config: Config, folder: Path, board: TensorBoard, console: Console
) -> Fitted:
    """Train `model` in place and leave it with the weights of its best validation epoch.

    Under a published protocol there is no validation set: the test set is watched as its authors
    did, chooses nothing, and the last epoch's weights stay. Raises `UserError` where the batch size
    does not divide among parallel devices; what the watched split has over is left out there.
    """
    training, published = config.training, data.validation is None
    devices = backend.parallel_devices(config.backend, config.hardware)
    equal_parts = training.batch_size % devices == 0
    allowed = f"a multiple of the {devices} devices"
    require(equal_parts, "training.batch_size", training.batch_size, allowed)
    updates = batches.updates_per_epoch(len(data.train.x), training.batch_size)
    initial_weights.draw(model, config.seed, training.initial_weights)
    for variable in model.trainable_variables:
        if training.l2:
            variable.regularizer = keras.regularizers.L2(training.l2 / 2)
    model.compile(
        optimizers.build(config.optimizer, updates * training.epochs),
        loss=data.outputs.loss(),
        metrics=data.outputs.compiled_metrics(),
        jit_compile="auto" if config.hardware.jit is None else config.hardware.jit,
    )
    watched = data.test if data.validation is None else data.validation
    rows = len(watched.x) // devices * devices
    log = _Log(folder, board, data, "test" if published else "validation")
    progress = ProgressBar(console, training.epochs, updates, "test_" if published else "val_")
    callbacks = [log, progress]
    best = None
    if not published:
        mode = "max" if training.monitor.endswith("accuracy") else "min"
        best = keras.callbacks.EarlyStopping(
            training.monitor,
            patience=training.patience or training.epochs,
            mode=mode,
            restore_best_weights=True,
        )
        callbacks.append(best)
        if config.optimizer.schedule == "plateau":
            callbacks.append(
                keras.callbacks.ReduceLROnPlateau(
                    training.monitor,
                    factor=0.5,
                    patience=max(1, (training.patience or 10) // 2),
                    mode=mode,
                    min_lr=config.optimizer.final_learning_rate,
                )
            )
    stream = batches.stream(
        data.train.x,
        data.train.y,
        training.batch_size,
        config.seed,
        training.shuffle,
        augment=data.augment,
    )
    started = time.perf_counter()
    try:
        model.fit(
            stream,
            steps_per_epoch=updates,
            epochs=training.epochs,
            validation_data=(watched.x[:rows], watched.y[:rows]),
            validation_batch_size=batches.EVALUATION_BATCH,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    finally:
        progress.bar.stop()
    epochs = len(log.history["loss"])
    seconds = float(np.median(log.epoch_seconds))
    return Fitted(
        history=log.history,
        best_epoch=epochs if best is None else best.best_epoch + 1,
        timing={
            "fit_seconds": time.perf_counter() - started,
            "epoch_seconds_median": seconds,
            "samples_per_second": updates * training.batch_size / seconds,
            "first_step_seconds": log.first_step_seconds,
        },
    )


class _Log(keras.callbacks.Callback):
    """Writes history.csv and TensorBoard after each epoch, and keeps the time."""

    def __init__(self, folder: Path, board: TensorBoard, data: TaskData, watched: str) -> None:
        super().__init__()
        self.folder, self.board, self.watched = folder, board, watched
        sample = np.random.default_rng(0).permutation(len(data.train.x))[:GRADIENT_SAMPLE]
        self.sample = data.train.x[sample], data.train.y[sample]
        self.history: dict[str, list[float]] = {}
        self.epoch_seconds: list[float] = []
        self.first_step_seconds = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        self.gradients = autodiff.gradient_of(self.model, *self.sample)
        self.began = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if not self.first_step_seconds:
            self.first_step_seconds = time.perf_counter() - self.began
        self.last_batch_ended = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
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

    def _write_history(self) -> None:
        with whole(self.folder / "history.csv") as path, path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", *self.history])
            for epoch, row in enumerate(zip(*self.history.values(), strict=True), start=1):
                writer.writerow([epoch, *row])
