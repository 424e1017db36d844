import keras
import numpy as np
import pytest

from har_keras.training.watched import Watched


@pytest.mark.parametrize("rows", [5, 6, 8])
def test_keras_finds_what_it_finds_in_arrays(rows: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 2)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(loss="mse", metrics=["mae"])
    batches = Watched(x, y, 3, rows)
    np.testing.assert_array_equal(np.concatenate([batch[0] for batch in batches]), x[:rows])
    expected = model.evaluate(x[:rows], y[:rows], batch_size=3, verbose=0)
    assert model.evaluate(batches, verbose=0) == pytest.approx(expected, rel=1e-6)
