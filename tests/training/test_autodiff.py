from typing import Any

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from har_keras import layers
from har_keras.training.autodiff import gradient_of

Batch = tuple[np.ndarray, np.ndarray]


@pytest.fixture
def batch() -> Batch:
    rng = np.random.default_rng(0)
    return rng.normal(size=(6, 5, 3)).astype("float32"), rng.integers(0, 4, 6)


@pytest.fixture
def model() -> Any:
    rng = np.random.default_rng(1)
    inputs = keras.Input((5, 3))
    x = keras.layers.Dropout(0.5)(layers.GRU(4)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(4, name="head")(x))
    model.set_weights([rng.normal(0, 0.7, w.shape) for w in model.get_weights()])
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def assert_gradients(model: Any, batch: Batch, gradients: dict[str, np.ndarray]) -> None:
    """The change of the loss along a random direction in each weight is gradient · direction."""
    rng = np.random.default_rng(2)
    for variable in model.trainable_variables:
        value, direction = convert_to_numpy(variable).copy(), rng.normal(size=variable.shape)
        direction /= np.linalg.norm(direction)
        losses = []
        for step in (0.01, -0.01):
            variable.assign(value + step * direction)
            losses.append(float(model.test_on_batch(*batch)))
        variable.assign(value)
        difference = (losses[0] - losses[1]) / 0.02
        assert np.sum(gradients[variable.path] * direction) == pytest.approx(difference, abs=2e-4)


def test_gradients_as_finite_differences(model: Any, batch: Batch) -> None:
    gradients = gradient_of(model, *batch)()
    assert list(gradients) == [v.path for v in model.trainable_variables]
    assert [g.shape for g in gradients.values()] == [v.shape for v in model.trainable_variables]
    assert_gradients(model, batch, gradients)


def test_gradients_are_taken_at_the_weights_of_the_call(model: Any, batch: Batch) -> None:
    gradients = gradient_of(model, *batch)
    first = gradients()["head/kernel"].copy()
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(0, 0.7, w.shape) for w in model.get_weights()])
    again = gradients()
    assert np.abs(again["head/kernel"] - first).max() > 1e-3
    assert_gradients(model, batch, again)


def test_weights_stay_as_they_are(model: Any, batch: Batch) -> None:
    before = [w.copy() for w in model.get_weights()]
    gradient_of(model, *batch)()
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_after_training_steps(model: Any, batch: Batch) -> None:
    gradients = gradient_of(model, *batch)
    gradients()
    model.train_on_batch(*batch)
    assert_gradients(model, batch, gradients())


def test_a_frozen_layer_has_no_gradient(model: Any, batch: Batch) -> None:
    model.layers[1].trainable = False
    assert list(gradient_of(model, *batch)()) == ["head/kernel", "head/bias"]
