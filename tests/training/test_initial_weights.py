from typing import Any

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from har_keras import layers
from har_keras.errors import UserError
from har_keras.training.initial_weights import draw, parse


def lstm_model(source: Any = layers) -> Any:
    inputs = keras.Input((4, 3))
    x = source.LSTM(2, name="lstm")(inputs)
    return keras.Model(inputs, keras.layers.Dense(5, name="head")(x))


def dense_model(**arguments: Any) -> Any:
    inputs = keras.Input((300,))
    return keras.Model(inputs, keras.layers.Dense(100, name="head", **arguments)(inputs))


def values(model: Any) -> list[np.ndarray]:
    return [convert_to_numpy(w) for w in model.trainable_variables]


def drawn(model: Any, seed: int = 0, **patterns: str) -> list[np.ndarray]:
    draw(model, seed, patterns)
    return values(model)


def glorot(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    limit = np.sqrt(6 / (rows + columns))
    return rng.uniform(-limit, limit, (rows, columns))


@pytest.mark.parametrize("source", [layers, keras.layers], ids=["own", "keras"])
def test_every_weight_comes_from_numpy(source: Any) -> None:
    kernel, recurrent, bias, head, head_bias = drawn(lstm_model(source), seed=11)
    rng = np.random.default_rng(11)
    np.testing.assert_allclose(kernel, glorot(rng, 3, 8), rtol=1e-6)
    q, r = np.linalg.qr(rng.normal(size=(8, 2)))
    np.testing.assert_allclose(recurrent, (q * np.sign(np.diag(r))).T, rtol=1e-5)
    np.testing.assert_array_equal(bias, [0, 0, 1, 1, 0, 0, 0, 0])
    np.testing.assert_allclose(head, glorot(rng, 2, 5), rtol=1e-6)
    np.testing.assert_array_equal(head_bias, np.zeros(5))


def test_numbers_that_no_backend_may_change() -> None:
    kernel, *_ = drawn(lstm_model(), seed=0)
    np.testing.assert_allclose(kernel[0, :3], [0.2023058, -0.3400476, -0.6780270], rtol=1e-5)


def test_seeds_differ() -> None:
    assert (drawn(lstm_model(), 0)[0] != drawn(lstm_model(), 1)[0]).all()


def test_seed_decides_whatever_stood_there() -> None:
    model = lstm_model()
    first = [w.copy() for w in drawn(model, 5)]
    for before, after in zip(first, drawn(model, 5), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("units", [4, 40])
def test_recurrent_kernels_are_orthogonal(units: int) -> None:
    inputs = keras.Input((4, 3))
    model = keras.Model(inputs, layers.GRU(units)(inputs))
    recurrent = drawn(model)[1]
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(units), atol=1e-5)


def test_orthogonal_with_more_rows_than_columns() -> None:
    kernel = drawn(dense_model(kernel_initializer=keras.initializers.Orthogonal(gain=2.0)))[0]
    np.testing.assert_allclose(kernel.T @ kernel, 4 * np.eye(100), atol=1e-5)


@pytest.mark.parametrize(
    ("initializer", "mean", "deviation"),
    [
        ("glorot_uniform", 0, np.sqrt(2 / 400)),
        ("he_normal", 0, np.sqrt(2 / 300)),
        (keras.initializers.RandomUniform(1, 3, seed=0), 2, 2 / np.sqrt(12)),
    ],
    ids=["glorot_uniform", "he_normal", "random_uniform"],
)
def test_initializers(initializer: Any, mean: float, deviation: float) -> None:
    kernel = drawn(dense_model(kernel_initializer=initializer))[0]
    assert kernel.mean() == pytest.approx(mean, abs=4 * deviation / np.sqrt(kernel.size))
    assert kernel.std() == pytest.approx(deviation, rel=0.02)


def test_fans_of_a_convolution() -> None:
    inputs = keras.Input((8, 10))
    model = keras.Model(inputs, keras.layers.Conv1D(20, 5)(inputs))
    limit = np.sqrt(6 / (5 * 10 + 5 * 20))
    kernel = drawn(model)[0]
    assert 0.95 * limit < np.abs(kernel).max() <= limit


def test_batch_normalisation_keeps_its_constants() -> None:
    inputs = keras.Input((8,))
    model = keras.Model(inputs, keras.layers.BatchNormalization()(inputs))
    gamma, beta = drawn(model)
    np.testing.assert_array_equal([gamma, beta], [np.ones(8), np.zeros(8)])


def test_a_pattern_redraws_all_it_matches_and_nothing_else() -> None:
    model = lstm_model()
    draw(model, 0, {"head/*": "uniform(3, 4)"})
    kernel, recurrent, bias, head, head_bias = values(model)
    assert np.abs(kernel).max() < 1
    assert np.abs(recurrent).max() <= 1
    np.testing.assert_array_equal(bias, [0, 0, 1, 1, 0, 0, 0, 0])
    for redrawn in (head, head_bias):
        assert redrawn.min() >= 3
        assert redrawn.max() <= 4


@pytest.mark.parametrize("source", [layers, keras.layers], ids=["own", "keras"])
def test_a_star_matches_recurrent_kernels_and_biases(source: Any) -> None:
    inputs = keras.Input((4, 3))
    x = keras.layers.Bidirectional(source.LSTM(2))(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(x))
    draw(model, 0, {"*": "uniform(3, 4)"})
    for weight in values(model):
        assert weight.min() >= 3


def test_the_first_pattern_that_matches_wins() -> None:
    model = lstm_model()
    draw(model, 0, {"head/bias": "uniform(5, 6)", "head/*": "uniform(1, 2)"})
    *_, head, head_bias = values(model)
    assert head.max() <= 2
    assert head_bias.min() >= 5


def test_a_normal_pattern() -> None:
    model = dense_model()
    draw(model, 0, {"head/kernel": "normal(-2, 0.5)"})
    kernel = values(model)[0]
    assert kernel.mean() == pytest.approx(-2, abs=0.02)
    assert kernel.std() == pytest.approx(0.5, rel=0.02)


def test_a_pattern_without_a_match() -> None:
    with pytest.raises(
        UserError, match=r"initial_weights\.haed/\*: matches no weight.*head/kernel"
    ):
        draw(lstm_model(), 0, {"haed/*": "normal(0, 1)"})


def test_an_initializer_numpy_does_not_know() -> None:
    model = dense_model(kernel_initializer="lecun_uniform")
    with pytest.raises(NotImplementedError, match="head/kernel"):
        draw(model, 0, {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "uniform",
        "uniform(1)",
        "uniform(0, 1, 2)",
        "uniform(a, b)",
        "normal(0, -1)",
        "gamma(1, 2)",
        "uniform(1, 0)",
        "normal(0, 1) + 1",
    ],
)
def test_text_that_is_no_distribution(text: str) -> None:
    with pytest.raises(UserError, match=r"key=.*: expected uniform\(low, high\) or normal"):
        parse("key", text)


@pytest.mark.parametrize(
    "text", ["uniform(-0.1, 0.1)", " uniform( -1e-1,1e-1 ) ", "uniform(-.1, +.1)"]
)
def test_spellings_of_numbers(text: str) -> None:
    weights = parse("key", text)(np.random.default_rng(0), (1000,))
    assert 0.09 < weights.max() <= 0.1
    assert -0.1 <= weights.min() < -0.09
