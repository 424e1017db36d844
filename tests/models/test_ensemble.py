import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from har_keras.data.scale import Scale
from har_keras.errors import UserError
from har_keras.layers import MeanOverMembers
from har_keras.models import conv_lstm, ensemble, recurrent
from har_keras.tasks.forecasting import ValuePerStep
from har_keras.tasks.series import Window
from har_keras.training import initial_weights

INPUTS = Window(5, Scale(), "x", None, None, 1, 0.9)
OUTPUTS = ValuePerStep(5, Scale(), 1.0)


@pytest.fixture
def model() -> keras.Model:
    built = ensemble.build(ensemble.Config(cell="gru", units=3, members=2), INPUTS, OUTPUTS)
    initial_weights.draw(built, 0, {})
    return built


def test_the_mean_of_members_that_differ(model: keras.Model) -> None:
    x = np.random.default_rng(0).normal(size=(4, 5, 1)).astype("float32")
    found = convert_to_numpy(model(x))
    first, second = (convert_to_numpy(model.get_layer(f"member_{i}")(x)) for i in (1, 2))
    assert found.shape == (4, 5, 1)
    assert np.abs(first - second).max() > 0.01
    np.testing.assert_allclose(found, (first + second) / 2, atol=1e-6)
    paths = [variable.path for variable in model.trainable_variables]
    assert len(set(paths)) == len(paths)


def test_members_learn_as_if_alone(model: keras.Model) -> None:
    """The loss in training is the mean of the members' own."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 5, 1)).astype("float32")
    y = np.stack([rng.normal(size=(4, 5)), np.zeros((4, 5))], axis=-1).astype("float32")
    own = [
        np.mean((convert_to_numpy(model.get_layer(f"member_{i}")(x)) - y[..., :1]) ** 2)
        for i in (1, 2)
    ]
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss=OUTPUTS.loss())
    assert float(model.train_on_batch(x, y)) == pytest.approx(np.mean(own), rel=1e-4)
    together = np.mean((convert_to_numpy(model(x)) - y[..., :1]) ** 2)
    assert float(model.test_on_batch(x, y)) == pytest.approx(together, rel=1e-4)


def test_saved_and_loaded(model: keras.Model, tmp_path) -> None:
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True, compile=False)
    x = np.ones((2, 5, 1), "float32")
    np.testing.assert_array_equal(convert_to_numpy(loaded(x)), convert_to_numpy(model(x)))
    (mean,) = (layer for layer in loaded.layers if isinstance(layer, MeanOverMembers))
    assert mean.spread == 1


@pytest.mark.parametrize("family", [recurrent, ensemble])
def test_a_forecast_does_not_look_back_from_the_future(family) -> None:
    with pytest.raises(UserError, match=r"model.bidirectional=True: expected false for a forecast"):
        family.build(family.Config(bidirectional=True, pooling="mean"), INPUTS, OUTPUTS)
    with pytest.raises(UserError, match="wants an output at every step"):
        conv_lstm.build(conv_lstm.Config(), INPUTS, OUTPUTS)


@pytest.mark.parametrize("cell", recurrent.CELLS)
def test_no_step_sees_a_later_one(cell: str) -> None:
    built = recurrent.build(recurrent.Config(cell=cell, units=3), INPUTS, OUTPUTS)
    x = np.random.default_rng(0).normal(size=(2, 5, 1)).astype("float32")
    later = x.copy()
    later[:, 3:] += 1
    before, after = convert_to_numpy(built(x)), convert_to_numpy(built(later))
    np.testing.assert_allclose(before[:, :3], after[:, :3], atol=1e-6)
    assert np.abs(before[:, 3:] - after[:, 3:]).min() > 0


def test_one_member_is_no_ensemble() -> None:
    with pytest.raises(UserError, match=r"model.members=1: expected at least 2"):
        ensemble.Config(members=1)
