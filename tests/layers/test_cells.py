from typing import Any

import keras
import numpy as np
import pytest

from har_keras import layers

CELLS = [layers.SimpleRNNCell, layers.LSTMCell, layers.GRUCell]


@pytest.mark.parametrize("cell_class", CELLS)
@pytest.mark.parametrize("units", [0, -1, 2.0, "8", None])
def test_units_must_be_a_positive_integer(cell_class: type[Any], units: Any) -> None:
    with pytest.raises(ValueError, match=f"units={units!r}: expected a positive integer"):
        cell_class(units)


@pytest.mark.parametrize("cell_class", CELLS)
def test_unknown_argument(cell_class: type[Any]) -> None:
    with pytest.raises((TypeError, ValueError), match="peephole"):
        cell_class(2, peephole=True)


def test_one_step_equals_a_sequence_of_one(family: Any, rng: np.random.Generator) -> None:
    layer = family.drawn(rng, 4, 3)
    x = rng.normal(size=(2, 1, 4)).astype("float32")
    outputs = layer(x)
    step, states = layer.cell(x[:, 0], layer.cell.get_initial_state(2))
    assert len(states) == family.states
    for value in (step, states[0]):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(value), keras.ops.convert_to_numpy(outputs), atol=1e-6
        )


def test_cells_stack_in_kerass_own_rnn(family: Any, rng: np.random.Generator) -> None:
    stack = keras.layers.RNN(
        [family.drawn(rng, 5, 3).cell, family.drawn(rng, 3, 2).cell], return_sequences=True
    )
    x = rng.normal(size=(1, 4, 5)).astype("float32")
    outputs = keras.ops.convert_to_numpy(stack(x))[0]
    weights = [cell.get_weights() for cell in stack.cell.cells]
    expected = family.truth(family.truth(x[0], *weights[0]), *weights[1])
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_forget_bias_starts_at_one() -> None:
    layer = layers.LSTM(2)
    layer.build((None, 3, 4))
    np.testing.assert_array_equal(layer.get_weights()[2], [0, 0, 1, 1, 0, 0, 0, 0])
    layer = layers.LSTM(2, unit_forget_bias=False)
    layer.build((None, 3, 4))
    np.testing.assert_array_equal(layer.get_weights()[2], np.zeros(8))
