"""A trained model of one sequence, a step at a time, in NumPy: the same on every backend."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from har_keras.errors import UserError
from har_keras.layers import reference
from har_keras.layers.sequence import Recurrent

Array = NDArray[np.float32]
Step = Callable[..., Any]
STEPS: dict[str, Step] = {
    "SimpleRNN": reference.simple_rnn_step,
    "LSTM": reference.lstm_step,
    "GRU": reference.gru_step,
    "GravesLSTM": reference.graves_lstm_step,
    "LayerNormLSTM": reference.layer_norm_lstm_step,
    "LayerNormGRU": reference.layer_norm_gru_step,
}
ACTIVATIONS: dict[str, Step] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "softmax": lambda x: np.exp(x - x.max()) / np.exp(x - x.max()).sum(),
}


class Stepper:
    """A functional model whose layers take one step of time after the other, from zero states.

    `stepper(id)` gives the model's output (features,) for the next step of the sequence.
    """

    def __init__(self, model: Any) -> None:
        """Copy the weights; raise `UserError` for a layer that has no step of its own."""
        self.states: dict[str, list[Array]] = {}
        self._walk: list[tuple[Step, list[int], int]] = []
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                if not node.is_input:
                    step = self._step(node.operation, node.arguments.kwargs)
                    sources = [id(tensor) for tensor in node.input_tensors]
                    self._walk.append((step, sources, id(node.outputs[0])))
        self._start, self._end = id(model.inputs[0]), id(model.outputs[0])

    def __call__(self, token: int) -> Array:
        """The output for the next step."""
        values: dict[int, Any] = {self._start: token}
        for step, sources, result in self._walk:
            values[result] = step(*(values[source] for source in sources))
        return values[self._end]

    def reset(self) -> None:
        """Start a sequence anew."""
        for states in self.states.values():
            for state in states:
                state[:] = 0

    def _step(self, layer: Any, arguments: dict[str, Any]) -> Step:
        weights = [np.asarray(weight, np.float32) for weight in layer.get_weights()]
        if isinstance(layer, Recurrent) and not layer.go_backwards:
            return self._recurrent(layer, weights)
        if isinstance(layer, keras.layers.Embedding):
            return weights[0].T.__rmatmul__ if arguments.get("reverse") else weights[0].__getitem__
        if isinstance(layer, keras.layers.Dense):
            kernel, bias = weights
            activation = ACTIVATIONS[layer.activation.__name__]
            return lambda x: activation(x @ kernel + bias)
        if isinstance(layer, keras.layers.Dropout):
            return ACTIVATIONS["linear"]
        if isinstance(layer, keras.layers.Add):
            return lambda *arrays: sum(arrays)
        raise UserError(
            f"{layer.name}: a {type(layer).__name__} layer has no step by step form; expected a"
            " model that sees the past alone"
        )

    def _recurrent(self, layer: Recurrent, weights: list[Array]) -> Step:
        step = STEPS[type(layer).__name__]
        options = {"reset_after": layer.cell.reset_after} if type(layer).__name__ == "GRU" else {}
        states = [np.zeros(layer.units, np.float32) for _ in range(layer.cell.states)]
        self.states[layer.name] = states

        def advance(x: Array) -> Array:
            new = step(x, *states, *weights, **options)
            states[:] = new if isinstance(new, tuple) else (new,)
            return states[0]

        return advance
