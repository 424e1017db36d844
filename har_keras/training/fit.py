"""Fit a model to a task's data and say how it went."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from har_keras import backend
from har_keras.config import Config
from har_keras.errors import require, require_choice
from har_keras.reporting.tensorboard import TensorBoard
from har_keras.tasks import TaskData
from har_keras.training import batches, checkpoints, initial_weights, optimizers
from har_keras.training.gradient_flow import GradientFlow
from har_keras.training.interrupt import Interrupt
from har_keras.training.log import Log
from har_keras.training.progress import ProgressBar
from har_keras.training.summaries import OutputSummaries
from har_keras.training.validation_state import EpochState, ValidationState
from har_keras.training.watched import Watched
from har_keras.training.writing import Writing


@dataclass(frozen=True)
class Fitted:
    """`history`: one value an epoch for each metric; `best_epoch` counts from 1."""

    history: dict[str, list[float]]
    best_epoch: int
    timing: dict[str, float]


def fit(
    model: Any,
    data: TaskData,
    config: Config,
    folder: Path,
    board: TensorBoard,
    console: Console,
    share: Any = None,
) -> Fitted:
    """Train `model` in place and leave it with the weights of its best validation epoch.

    Goes on from the last checkpoint in `folder` if there is one, as if never interrupted.
    Under a published protocol there is no validation set: the test set is watched as its authors
    did, chooses nothing, and the last epoch's weights stay. Raises `UserError` where the batch size
    does not divide among parallel devices (what the watched split has over is left out there), and
    for a `training.monitor` that the task's output has not. `share` is the part that this process
    has of a fit by many, a `distributed.share.Share`.
    """
    training, published = config.training, data.validation is None
    if not published:
        require_choice("training.monitor", training.monitor, data.outputs.monitors)
    devices = backend.parallel_devices(config.backend, config.hardware)
    equal_parts = training.batch_size % devices == 0
    allowed = f"a multiple of the {devices} devices"
    require(equal_parts, "training.batch_size", training.batch_size, allowed)
    if data.inputs.streams:
        require(
            devices == 1, "hardware", config.hardware.name, "one device where states are carried"
        )
        same = data.inputs.streams == (share.rows if share else training.batch_size)
        require(same, "task.streams", data.inputs.streams, "training.batch_size, leave it out")
    whole = share.whole if share else data
    updates = updates_per_epoch(whole, config)
    prepare(model, whole, config)
    watched = data.test if data.validation is None else data.validation
    rows = len(watched.x) // devices * devices
    size = batches.evaluation_batch(data.inputs, data.outputs)
    watched_name = "test" if published else "validation"
    log = Log(folder, board, data, watched_name)
    shown: list[keras.callbacks.Callback] = []
    if training.output_summaries:
        shown.append(OutputSummaries(board, data, watched_name))
    if data.inputs.streams:
        shown.append(EpochState(data.inputs.restart))
    written = [Writing(data.write, board, console)] if data.write else []
    followed = [log, *_followers(config, data)]
    if training.gradient_flow:
        followed.append(GradientFlow(folder, board, log.sample, data.note))
    kept = folder / "checkpoints"
    resumed = checkpoints.resumable(kept)
    first = first_epoch(resumed, config)
    if resumed is not None:
        resumed.restore(model)
        board.purge(resumed.epoch + 1)
        console.print(f"resumed after epoch {resumed.epoch}", highlight=False)
    progress = ProgressBar(
        console, training.epochs, updates, "test_" if published else "val_", first
    )
    stream = training_batches(whole, config, first, share.part if share else slice(None))
    callbacks = [
        ValidationState(),
        *shown,
        *followed,
        progress,
        *written,
        checkpoints.Checkpoints(kept, followed, resumed),
        Interrupt(),
    ]
    if share:
        stream, callbacks = share.ahead(stream), share.among(model, callbacks, board)
    try:
        model.fit(
            stream,
            steps_per_epoch=updates,
            initial_epoch=first,
            epochs=training.epochs,
            validation_data=Watched(watched.x, watched.y, size, rows),
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    finally:
        progress.bar.stop()
    best = checkpoints.read(kept / "best.npz")
    if best is not None and not published:
        best.restore(model)
    epochs = len(log.history["loss"])
    seconds = float(np.median(log.epoch_seconds))
    return Fitted(
        history=log.history,
        best_epoch=epochs if best is None or published else best.epoch,
        timing={
            "fit_seconds": log.fit_seconds,
            "epoch_seconds_median": seconds,
            "samples_per_second": updates * training.batch_size / seconds,
            "first_step_seconds": log.first_step_seconds,
        },
    )


def prepare(model: Any, data: TaskData, config: Config) -> None:
    """Draw the initial weights, and compile with the configured optimizer, loss and penalty."""
    training = config.training
    initial_weights.draw(model, config.seed, training.initial_weights)
    for variable in model.trainable_variables:
        if training.l2:
            variable.regularizer = keras.regularizers.L2(training.l2 / 2)
    updates = updates_per_epoch(data, config)
    model.compile(
        optimizers.build(config.optimizer, updates * training.epochs),
        loss=data.outputs.loss(),
        metrics=data.outputs.compiled_metrics(),
        jit_compile="auto" if config.hardware.jit is None else config.hardware.jit,
    )


def training_batches(data: TaskData, config: Config, first: int, part: slice) -> batches.Batches:
    """That `part` of each batch, from epoch `first` on, counted from 0."""
    training, updates = config.training, updates_per_epoch(data, config)
    return batches.stream(
        data.train.x,
        data.train.y,
        training.batch_size,
        config.seed,
        training.shuffle and not data.inputs.streams,
        first * updates,
        data.augment,
        data.inputs.lengths(data.train.x),
        data.teach,
        updates * training.epochs,
        part,
    )


def first_epoch(resumed: checkpoints.Checkpoint | None, config: Config) -> int:
    """How many epochs are done; all, where training had come to its end early."""
    if resumed is None:
        return 0
    return config.training.epochs if resumed.stopped else resumed.epoch


def updates_per_epoch(data: TaskData, config: Config) -> int:
    """As the task says, else one pass."""
    whole_pass = batches.updates_per_epoch(len(data.train.x), config.training.batch_size)
    return data.steps_per_epoch or whole_pass


def _followers(config: Config, data: TaskData) -> list[keras.callbacks.Callback]:
    """What watches the validation set: early stopping, and the plateau of the learning rate.

    Under a published protocol nothing does, unless it stops by the test loss as its authors did.
    """
    training, optimizer = config.training, config.optimizer
    if data.validation is None:
        return (
            [keras.callbacks.EarlyStopping("val_loss", patience=training.patience, mode="min")]
            if training.patience
            else []
        )
    mode = data.outputs.monitors[training.monitor]
    early = keras.callbacks.EarlyStopping(
        training.monitor, patience=training.patience or training.epochs, mode=mode
    )
    if optimizer.schedule != "plateau":
        return [early]
    plateau = keras.callbacks.ReduceLROnPlateau(
        training.monitor,
        factor=0.5,
        patience=max(1, (training.patience or 10) // 2),
        mode=mode,
        min_lr=optimizer.final_learning_rate,
    )
    return [early, plateau]
