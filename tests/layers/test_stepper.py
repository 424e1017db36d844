import keras
import numpy as np
import pytest

from har_keras import layers
from har_keras.errors import UserError
from har_keras.layers.stepper import STEPS, Stepper


def model_of(name: str, tied: bool = False, **arguments):
    ids = keras.Input((None,), dtype="int32")
    embedding = keras.layers.ReversibleEmbedding(7, 5)
    x = embedding(ids)
    y = getattr(layers, name)(5, return_sequences=True, **arguments)(x)
    x = keras.layers.Dropout(0.5)(keras.layers.Add()([x, y]))
    x = keras.layers.Dense(5, "relu")(getattr(layers, name)(4, return_sequences=True)(x))
    out = embedding(x, reverse=True) if tied else keras.layers.Dense(7)(x)
    model, rng = keras.Model(ids, out), np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.7, w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("name", STEPS)
def test_steps_are_those_of_the_model(name: str) -> None:
    model, ids = model_of(name), np.random.default_rng(1).integers(0, 7, 12)
    expected = np.asarray(model.predict(ids[None], verbose=0))[0]
    step = Stepper(model)
    for _ in range(2):
        found = [step(index) for index in ids]
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert found[0].dtype == np.float32
        step.reset()


@pytest.mark.parametrize(
    ("name", "arguments", "tied"), [("LSTM", {}, True), ("GRU", {"reset_after": False}, False)]
)
def test_forms(name: str, arguments: dict[str, bool], tied: bool) -> None:
    model, ids = model_of(name, tied, **arguments), np.random.default_rng(1).integers(0, 7, 12)
    expected = np.asarray(model.predict(ids[None], verbose=0))[0]
    step = Stepper(model)
    np.testing.assert_allclose([step(index) for index in ids], expected, atol=1e-5)


def test_a_layer_that_sees_the_future() -> None:
    ids = keras.Input((6,), dtype="int32")
    both = keras.layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")
    model = keras.Model(ids, both(keras.layers.Embedding(4, 2)(ids)))
    with pytest.raises(UserError, match="both: a Bidirectional layer has no step by step form"):
        Stepper(model)
