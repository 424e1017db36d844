"""What a person sees while a model trains."""

import time
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class ProgressBar(keras.callbacks.Callback):
    """A bar with loss, accuracy and time left; without a terminal, a line an epoch."""

    def __init__(
        self, console: Console, epochs: int, updates: int, watched: str, done: int = 0
    ) -> None:
        """`updates` in each of `epochs`; `watched` stands before the held-out figures (`val_`).

        `done` epochs were done before.
        """
        super().__init__()
        self.watched, self.done = watched, done
        self.console, self.epochs, self.updates = console, epochs, updates
        self.bar = Progress(
            TextColumn("epoch"),
            MofNCompleteColumn(),
            BarColumn(bar_width=20),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def on_train_begin(self, logs: Any = None) -> None:
        """Start the bar."""
        self.bar.start()
        self.task = self.bar.add_task(
            "fit", total=self.epochs, completed=self.done, figures="compiling …"
        )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the epoch's clock."""
        self.epoch, self.started = epoch, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Move the bar."""
        if self.console.is_terminal:
            done = self.epoch + (batch + 1) / self.updates
            self.bar.update(self.task, completed=done, figures=self._figures(logs))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Print the epoch's figures."""
        seconds = time.perf_counter() - self.started
        self.console.print(
            f"epoch {epoch + 1:3d}/{self.epochs}  {self._figures(logs)}  {seconds:.1f} s",
            highlight=False,
            soft_wrap=True,
        )

    def on_train_end(self, logs: Any = None) -> None:
        """Take the bar away."""
        self.bar.stop()

    def _figures(self, logs: dict[str, float] | None) -> str:
        return "  ".join(
            f"{name.replace('val_', self.watched)} {value:.4f}"
            for name, value in (logs or {}).items()
            if name != "learning_rate"
        )
