import numpy as np
import pytest

from har_keras.layers import reference


def sigmoid(x: float) -> float:
    return 1 / (1 + np.exp(-x))


def test_simple_rnn_by_hand() -> None:
    h1 = np.tanh(0.5 * 2 + 0.1)
    h2 = np.tanh(0.5 * -1 + 0.3 * h1 + 0.1)
    outputs = reference.simple_rnn([[2], [-1]], [[0.5]], [[0.3]], [0.1])
    np.testing.assert_allclose(outputs, [[h1], [h2]], rtol=1e-12)


def test_lstm_by_hand() -> None:
    kernel, recurrent, bias = [[0.1, 0.2, 0.3, 0.4]], [[0.5, 0.6, 0.7, 0.8]], [0.0, 1.0, 0.0, 0.0]
    c1 = sigmoid(0.1) * np.tanh(0.3)
    h1 = sigmoid(0.4) * np.tanh(c1)
    c2 = sigmoid(0.2 + 0.5 * h1) * np.tanh(0.6 + 0.7 * h1) + sigmoid(0.4 + 0.6 * h1 + 1) * c1
    h2 = sigmoid(0.8 + 0.8 * h1) * np.tanh(c2)
    outputs = reference.lstm([[1], [2]], kernel, recurrent, bias)
    np.testing.assert_allclose(outputs, [[h1], [h2]], rtol=1e-12)


@pytest.mark.parametrize("reset_after", [True, False])
def test_gru_by_hand(reset_after: bool) -> None:
    kernel, recurrent = [[0.1, 0.2, 0.3]], [[0.4, 0.5, 0.6]]
    h, b, d = 0.7, [0.01, 0.02, 0.03], [0.04, 0.05, 0.06] if reset_after else [0.0] * 3
    z = sigmoid(0.1 + b[0] + 0.4 * h + d[0])
    r = sigmoid(0.2 + b[1] + 0.5 * h + d[1])
    g = np.tanh(0.3 + b[2] + r * (0.6 * h + d[2]))
    bias = [b, d] if reset_after else b
    outputs = reference.gru([[1]], kernel, recurrent, bias, h=[h], reset_after=reset_after)
    np.testing.assert_allclose(outputs, [[z * h + (1 - z) * g]], rtol=1e-12)


def test_the_reset_gate_stands_before_or_after_the_product() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(3, 6)), rng.normal(size=(2, 6))
    sequence = rng.normal(size=(5, 3))
    after = reference.gru(sequence, *weights)
    before = reference.gru(sequence, *weights, reset_after=False)
    assert np.abs(after - before).max() > 1e-3


def test_large_inputs_saturate_without_warnings() -> None:
    outputs = reference.lstm([[1e6]], [[1.0, 1.0, 1.0, -1.0]], [[0.0] * 4])
    np.testing.assert_allclose(outputs, [[0.0]], atol=1e-12)


def test_everything_is_float64() -> None:
    x, w, u = (np.ones(s, "float32") for s in [(3, 2), (2, 4), (4, 4)])
    assert reference.simple_rnn(x, w, u).dtype == np.float64


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="mismatch"):
        reference.lstm(np.ones((3, 2)), np.ones((3, 8)), np.ones((2, 8)))
