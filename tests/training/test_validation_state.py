from typing import Any

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from har_keras import layers
from har_keras.training.validation_state import EpochState, ValidationState

Data = tuple[np.ndarray, np.ndarray]


def streams(seed: int, chunks: int) -> Data:
    """Two streams side by side, chunk after chunk of 3 steps."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2 * chunks, 3, 4)).astype("float32")
    return x, rng.normal(size=(2 * chunks, 6)).astype("float32")


def fitted(validation: Data | None, *callbacks: Any, carried: bool = True) -> Any:
    rng, inputs = np.random.default_rng(0), keras.Input(batch_shape=(2, 3, 4))
    x = layers.GRU(3, stateful=carried, return_sequences=True, name="first")(inputs)
    both = [layers.LSTM(3, stateful=carried, name="last")(x), layers.SimpleRNN(3)(x)]
    model = keras.Model(inputs, keras.layers.Concatenate()(both))
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.05))
    data = {"validation_data": validation, "validation_batch_size": 2} if validation else {}
    settings = {"batch_size": 2, "shuffle": False, "verbose": 0, "callbacks": [*callbacks]}
    history = model.fit(*streams(1, 3), epochs=2, **data, **settings)
    return model, history.history


def states_of(model: Any) -> list[np.ndarray]:
    both = (model.get_layer(name) for name in ("first", "last"))
    return [convert_to_numpy(state) for layer in both for state in layer.states]


def test_nothing_goes_into_validation_or_back() -> None:
    validation = streams(2, 2)
    apart, history = fitted(validation, ValidationState())
    alone, without = fitted(None)
    assert history["loss"] == without["loss"]
    for found in (lambda model: model.get_weights(), states_of):
        for a, b in zip(found(apart), found(alone), strict=True):
            np.testing.assert_array_equal(a, b)
    assert all(np.abs(state).max() > 0 for state in states_of(apart))
    mixed, _ = fitted(validation)
    assert np.abs(states_of(mixed)[0] - states_of(alone)[0]).max() > 1e-3
    for layer in alone.layers:
        if getattr(layer, "stateful", False):
            layer.reset_state()
    expected = alone.evaluate(*validation, batch_size=2, verbose=0)
    assert history["val_loss"][-1] == pytest.approx(expected, abs=1e-6)


def test_states_start_anew_within_an_epoch() -> None:
    found = {restart: fitted(None, EpochState(restart))[1]["loss"] for restart in (None, 1, 2, 3)}
    carried = fitted(None, EpochState())[1]["loss"]
    stateless = fitted(None, carried=False)[1]["loss"]
    assert found[None] == found[3] == carried
    np.testing.assert_allclose(found[1], stateless, rtol=1e-5)
    assert len({tuple(losses) for losses in found.values()}) == 3
