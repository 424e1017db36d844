from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import keras
import numpy as np
import pytest

from har_keras import layers
from har_keras.layers import reference

# An orthogonal matrix for every shape met would cost more than the tests.
ZEROS = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}


@dataclass(frozen=True)
class Family:
    """A layer of ours, Keras's layer of the same equations and the NumPy truth of both."""

    own: type[layers.LSTM]
    keras: type[Any] | None
    truth: Callable[..., reference.Array]
    arguments: dict[str, Any] = field(default_factory=dict)
    states: int = 1

    def layer(self, units: int, **kwargs: Any) -> Any:
        return self.own(units, **self.arguments | ZEROS | kwargs)

    def keras_layer(self, units: int, **kwargs: Any) -> Any:
        return self.keras(units, **self.arguments | ZEROS | kwargs)

    def expected(self, layer: Any, sequences: Any, **start: Any) -> np.ndarray:
        """What the reference gives for each of some sequences with the weights of this layer."""
        weights = {w.name: keras.ops.convert_to_numpy(w) for w in layer.weights}
        return np.array([self.truth(sequence, **weights, **start) for sequence in sequences])

    def drawn(self, rng: np.random.Generator, features: int, units: int, **kwargs: Any) -> Any:
        layer = self.layer(units, **kwargs)
        layer.build((None, None, features))
        layer.set_weights([rng.normal(0, 0.5, w.shape) for w in layer.get_weights()])
        return layer


FAMILIES = {
    "simple_rnn": Family(layers.SimpleRNN, keras.layers.SimpleRNN, reference.simple_rnn),
    "lstm": Family(layers.LSTM, keras.layers.LSTM, reference.lstm, states=2),
    "gru": Family(layers.GRU, keras.layers.GRU, reference.gru, {"reset_after": True}),
    "gru_reset_before": Family(
        layers.GRU,
        keras.layers.GRU,
        partial(reference.gru, reset_after=False),
        {"reset_after": False},
    ),
}
BEYOND_KERAS = {
    "graves_lstm": Family(layers.GravesLSTM, None, reference.graves_lstm, states=2),
    "layer_norm_lstm": Family(layers.LayerNormLSTM, None, reference.layer_norm_lstm, states=2),
    "layer_norm_gru": Family(layers.LayerNormGRU, None, reference.layer_norm_gru),
}


@pytest.fixture(scope="session")
def families() -> dict[str, Family]:
    return FAMILIES


@pytest.fixture(scope="session")
def every_family() -> dict[str, Family]:
    return FAMILIES | BEYOND_KERAS


@pytest.fixture(scope="session", params=list(FAMILIES))
def family(request: pytest.FixtureRequest) -> Family:
    """A cell that Keras has too."""
    return FAMILIES[request.param]


@pytest.fixture(scope="session", params=[*FAMILIES, *BEYOND_KERAS])
def any_family(request: pytest.FixtureRequest) -> Family:
    return (FAMILIES | BEYOND_KERAS)[request.param]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
