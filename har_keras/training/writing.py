"""What a model in training writes by itself, after each epoch."""

from collections.abc import Callable
from typing import Any

import keras
from rich.console import Console
from rich.text import Text

from har_keras.reporting.tensorboard import TensorBoard
from har_keras.tasks import Written


class Writing(keras.callbacks.Callback):
    """Shows in the console and in TensorBoard what `write` has the model write.

    Ends the training where that says that it is enough.
    """

    def __init__(
        self, write: Callable[[Any], Written], board: TensorBoard, console: Console
    ) -> None:
        """See `TaskData.write`."""
        super().__init__()
        self.write, self.board, self.console = write, board, console

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write."""
        written = self.write(self.model)
        for number, text in enumerate(written.texts, 1):
            self.console.print(
                Text(f"written {number}: ", style="bold"), Text(text), sep="", soft_wrap=True
            )
        quoted = "\n\n".join(
            f"    {text.replace(chr(10), chr(10) + '    ')}" for text in written.texts
        )
        self.board.text("train", "written", quoted, epoch + 1)
        self.board.scalars("train", written.figures, epoch + 1)
        if written.enough:
            self.model.stop_training = True
