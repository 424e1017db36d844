"""Validation has a state of its own."""

from typing import Any

import keras
import numpy as np


class ValidationState(keras.callbacks.Callback):
    """Keeps the states of stateful layers apart: training's wait while the model is validated.

    Each validation starts from zeros, as its sequences start anew.
    """

    def on_test_begin(self, logs: Any = None) -> None:
        """Put the states of training aside."""
        layers = [x for x in self.model._flatten_layers() if isinstance(x, keras.layers.RNN)]
        stateful = [layer for layer in layers if layer.stateful and layer.built]
        states = keras.tree.flatten([layer.states for layer in stateful])
        self.kept = [(s, np.array(keras.ops.convert_to_numpy(s))) for s in states]
        for layer in stateful:
            layer.reset_state()

    def on_test_end(self, logs: Any = None) -> None:
        """Take them up again."""
        for state, value in self.kept:
            state.assign(value)
