"""Ctrl-C and a polite kill end a fit, whenever they come."""

import signal
from types import FrameType
from typing import Any

import keras


class Interrupt(keras.callbacks.Callback):
    """Raises `KeyboardInterrupt` again where Keras swallowed it.

    Keras reads the logs of each batch under a bare `except`, and most of the waiting is there.
    """

    def __init__(self) -> None:
        """Change the handlers of those signals alone that Python handles now."""
        super().__init__()
        self.came = False
        for number in (signal.SIGINT, signal.SIGTERM):
            if callable(signal.getsignal(number)):
                signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        signal.default_int_handler(number, frame)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Raise what has come and was lost."""
        if self.came:
            raise KeyboardInterrupt
