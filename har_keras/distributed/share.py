"""What one of several workers does of a fit: its rows of every batch, its weights kept equal.

Each worker holds a whole model. The first one does all that a fit does; the others only train.
"""

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
from rich.console import Console

from har_keras import pipeline
from har_keras.backend import Spark
from har_keras.config import Config
from har_keras.distributed import synchronous
from har_keras.distributed.ring import Ring
from har_keras.reporting.tensorboard import TensorBoard
from har_keras.tasks import TaskData
from har_keras.training import batches, checkpoints, fit
from har_keras.training.validation_state import EpochState


class Share:
    """The part of the worker at `ring.number`; `whole` is the data that whole batches are of."""

    def __init__(self, config: Config, ring: Ring, whole: TaskData) -> None:
        """Nothing is read or built yet."""
        self.config, self.ring, self.whole = config, ring, whole
        self.hardware = cast(Spark, config.hardware)
        self.rows = self.hardware.batch_size_per_worker

    def fit(
        self, model: Any, folder: Path, board: TensorBoard, console: Console
    ) -> fit.Fitted | None:
        """As `training.fit.fit`, together with all workers; None but from the first.

        Where a batch is as many streams, a model with the rows of this worker stands in.
        """
        own, config = self.whole, self.config
        trained = model
        if own.inputs.streams:
            own = pipeline.load(replace(config, task=replace(config.task, streams=self.rows)))
            trained = pipeline.build(config, own)
        if self.ring.number:
            self._follow(trained, folder / "checkpoints")
            return None
        fitted = fit.fit(trained, own, config, folder, board, console, self)
        if trained is not model:
            model.set_weights(trained.get_weights())
        part = self.sharing.communicated / max(self.sharing.trained, 1e-9)
        console.print(f"communication: {part:.1%} of the training time", highlight=False)
        return replace(fitted, timing=fitted.timing | {"communication_share": part})

    def among(
        self, model: Any, callbacks: list[Any], board: TensorBoard | None = None
    ) -> list[Any]:
        """Make a compiled model one of several: the callbacks to fit it with."""
        updates = fit.updates_per_epoch(self.whole, self.config)
        self.sharing = Sharing(self.hardware, self.config.seed, self.ring, updates, board)
        if self.hardware.strategy == "synchronous":
            synchronous.share_gradients(model, self.ring)
        return [self.sharing, *callbacks, *([Agreement(self.ring)] if board else [])]

    @property
    def part(self) -> slice:
        """The rows of this worker of each batch."""
        return slice(self.ring.number * self.rows, (self.ring.number + 1) * self.rows)

    def ahead(self, stream: batches.Batches) -> batches.Batches:
        """The batches of `stream`, read `hardware.prefetch` of them ahead."""
        with ThreadPoolExecutor(1) as thread:
            waiting = deque(thread.submit(next, stream) for _ in range(self.hardware.prefetch))
            while True:
                waiting.append(thread.submit(next, stream))
                yield waiting.popleft().result()

    def _follow(self, model: Any, kept: Path) -> None:
        """Train as the first worker does, and leave all else to it."""
        fit.prepare(model, self.whole, self.config)
        callbacks = self.among(model, [EpochState(self.whole.inputs.restart)])
        resumed = checkpoints.read(kept / "last.npz")
        first = fit.first_epoch(resumed, self.config)
        if resumed is not None:
            resumed.restore(model)
        model.fit(
            self.ahead(fit.training_batches(self.whole, self.config, first, self.part)),
            steps_per_epoch=self.sharing.updates,
            initial_epoch=first,
            epochs=self.config.training.epochs,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )


class Sharing(keras.callbacks.Callback):
    """Keeps the workers' models equal; the first callback of each.

    With averaging, weights and the optimizer's state become their means over all workers after
    every `hardware.averaging_frequency` updates and at the end of an epoch. With synchronous
    gradients they are equal by themselves, and what no gradient changes is averaged after an epoch.
    """

    def __init__(
        self, hardware: Spark, seed: int, ring: Ring, updates: int, board: TensorBoard | None
    ) -> None:
        """`updates` in an epoch; the first worker alone has a `board`."""
        super().__init__()
        self.ring, self.updates, self.board, self.seed = ring, updates, board, seed
        self.rows = hardware.batch_size_per_worker
        self.averaging = hardware.strategy == "averaging"
        self.every = hardware.averaging_frequency if self.averaging else updates
        self.trained = self.communicated = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the epoch's clock, with random numbers that no other worker draws."""
        if self.ring.number:
            _draw_anew(self.model, np.random.default_rng([self.seed, self.ring.number, epoch]))
        self.began, self.spent = time.perf_counter(), self.ring.seconds

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Average when it is time to."""
        if (batch + 1) % self.every == 0 or batch + 1 == self.updates:
            self._average()
        self.ended = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Put the means over all workers into `logs`; hear what the first one decides."""
        seconds, spent = self.ended - self.began, self.ring.seconds - self.spent
        self.trained, self.communicated = self.trained + seconds, self.communicated + spent
        names = sorted(name for name in logs if not name.startswith("val_"))
        rows = self.ring.gathered(np.array([seconds, spent, *(logs[name] for name in names)]))
        logs.update(zip(names, map(float, rows[:, 2:].mean(0)), strict=True))
        if self.board is None:
            agree(self.model, self.ring)
            return
        for number, (seconds, spent, *figures) in enumerate(rows.tolist()):
            own = dict(zip(names, figures, strict=True))
            own["samples_per_second"] = self.updates * self.rows / seconds
            own["communication_share"] = spent / seconds
            self.board.scalars(f"worker_{number}", own, epoch + 1)

    def _average(self) -> None:
        variables = [v for v in self.model.weights if self.averaging or not v.trainable]
        if self.averaging:
            slots = self.model.optimizer.variables
            variables += [v for v in slots if v is not self.model.optimizer.learning_rate]
        variables = [v for v in variables if "float" in v.dtype]
        if not variables:
            return
        arrays = [keras.ops.convert_to_numpy(variable) for variable in variables]
        means = self.ring.mean(np.concatenate([array.ravel() for array in arrays]))
        ends = np.cumsum([array.size for array in arrays])
        for variable, mean in zip(variables, np.split(means, ends[:-1]), strict=True):
            variable.assign(mean.reshape(variable.shape))


class Agreement(keras.callbacks.Callback):
    """Tells the other workers what the first one's callbacks decided; its last callback."""

    def __init__(self, ring: Ring) -> None:
        """See `Ring`."""
        super().__init__()
        self.ring = ring

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Tell."""
        agree(self.model, self.ring)


def agree(model: Any, ring: Ring) -> None:
    """Whether training ends here, and the learning rate: the first worker's count."""
    rate = model.optimizer.learning_rate
    decided = np.array([model.stop_training, float(keras.ops.convert_to_numpy(rate))])
    stop, decided_rate = ring.sum(np.zeros(2) if ring.number else decided)
    model.stop_training = bool(stop)
    if isinstance(rate, keras.Variable):
        rate.assign(decided_rate)


def _draw_anew(model: Any, rng: np.random.Generator) -> None:
    """Seed the model's random generators, and the backend's."""
    keras.utils.set_random_seed(int(rng.integers(2**31)))
    for variable in model.variables:
        if variable.name == "seed_generator_state":
            variable.assign(rng.integers(2**31, size=variable.shape))
