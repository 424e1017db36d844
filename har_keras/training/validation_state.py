"""The states of stateful layers: zeros when an epoch begins, and apart for validation."""

from typing import Any

import keras
import numpy as np


def stateful(model: Any) -> list[Any]:
    """The layers of a model that carry their states from batch to batch."""
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.RNN)]
    return [layer for layer in layers if layer.stateful and layer.built]


def reset(model: Any) -> None:
    """Set the states of all layers to zeros, as sequences start anew."""
    for layer in stateful(model):
        layer.reset_state()


class EpochState(keras.callbacks.Callback):
    """Each epoch starts from zeros, as its streams start anew, and within it `restart` updates."""

    def __init__(self, restart: int | None = None) -> None:
        """None: within an epoch all states are carried on."""
        super().__init__()
        self.restart = restart

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the states to zeros."""
        reset(self.model)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Set them to zeros again."""
        if self.restart and batch % self.restart == 0:
            reset(self.model)


class ValidationState(keras.callbacks.Callback):
    """Keeps the states of stateful layers apart: training's wait while the model is validated.

    Each validation starts from zeros, as its sequences start anew.
    """

    def on_test_begin(self, logs: Any = None) -> None:
        """Put the states of training aside."""
        states = keras.tree.flatten([layer.states for layer in stateful(self.model)])
        self.kept = [(s, np.array(keras.ops.convert_to_numpy(s))) for s in states]
        reset(self.model)

    def on_test_end(self, logs: Any = None) -> None:
        """Take them up again."""
        for state, value in self.kept:
            state.assign(value)
