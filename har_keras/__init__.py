"""Recurrent networks on sensor and text sequences: one Keras model, three backends."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from har_keras.inference import LoadedRun

__version__ = "0.1.0"


def load_run(path: "str | Path") -> "LoadedRun":
    """A finished run, ready to label recordings; see `har_keras.inference.load_run`."""
    from har_keras import inference

    return inference.load_run(path)
