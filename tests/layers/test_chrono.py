from pathlib import Path

import keras
import numpy as np
import pytest

from har_keras import layers
from har_keras.errors import UserError
from har_keras.models import recurrent
from har_keras.training import initial_weights


def built(**values) -> keras.Model:
    steps = keras.Input((5, 2))
    model = keras.Model(steps, recurrent.encode(recurrent.Config(units=50, **values), steps))
    initial_weights.draw(model, 0, {})
    return model


@pytest.mark.parametrize("source", ["own", "keras"])
def test_lstm(source: str, tmp_path: Path) -> None:
    model = built(cell="lstm", memory=100, layers=source)
    bias = model.get_weights()[2]
    i, f, g, o = np.split(bias, 4)
    assert (f > 0).all()
    assert f.max() <= np.log(99)
    assert f.std() > 0.3
    np.testing.assert_array_equal(i, -f)
    assert not g.any()
    assert not o.any()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded.get_weights()[2], bias)


def test_gru() -> None:
    bias = built(cell="gru", memory=100).get_weights()[2]
    assert bias.shape == (2, 150)
    assert (bias[0, :50] > 0).all()
    assert not bias[0, 50:].any()
    assert not bias[1].any()


def test_each_direction_has_its_own() -> None:
    model = built(cell="lstm", memory=100, bidirectional=True)
    forward, backward = model.get_weights()[2], model.get_weights()[5]
    assert (forward != backward).any()


def test_as_a_keras_initializer() -> None:
    bias = keras.ops.convert_to_numpy(layers.Chrono(10, 4)((8,)))
    assert bias.shape == (8,)
    assert (bias[2:4] == -bias[:2]).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"memory": 2}, r"model\.memory=2: expected at least 3"),
        ({"memory": 9, "cell": "simple_rnn"}, "expected null with simple_rnn"),
    ],
)
def test_values_out_of_range(values, message: str) -> None:
    with pytest.raises(UserError, match=message):
        recurrent.Config(**values)
