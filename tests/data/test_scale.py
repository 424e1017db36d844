import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_keras.data.scale import Scale, likeliest_power

SERIES = np.exp(np.linspace(0, 2, 60) + np.random.default_rng(0).normal(0, 0.3, 60))


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([None, 0.0, 0.3, 1.0]), st.integers(0, 12))
def test_there_and_back(power: float | None, lag: int) -> None:
    scale = Scale.learn(SERIES, power, lag)
    standard = scale.standard(SERIES)
    assert len(standard) == len(SERIES) - lag
    assert abs(standard.mean()) < 1e-9
    assert abs(standard.std() - 1) < 1e-9
    before = scale.powers(SERIES)[: len(standard)] if lag else np.zeros(len(standard))
    np.testing.assert_allclose(scale.values(scale.power_of(standard, before)), SERIES[lag:])


def test_a_constant_series() -> None:
    scale = Scale.learn(np.full(9, 5.0), None, 1)
    assert scale.deviation == 1
    np.testing.assert_array_equal(scale.standard(np.full(9, 5.0)), np.zeros(8))
    assert Scale.learn(np.exp(np.arange(9.0)), 0.0, 1).deviation == 1


def test_below_the_image_of_a_power() -> None:
    np.testing.assert_array_equal(Scale(0.5).values(np.array([-9.0, 0.0])), [0, 1])


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_likeliest_power(power: float) -> None:
    rng = np.random.default_rng(0)
    steps = 1 + rng.normal(0, 0.2, 400)
    grown = Scale(power).values(5 + np.cumsum(0.02 * steps if power == 0 else steps))
    assert abs(likeliest_power(grown, 1) - power) <= 0.2
