import numpy as np

from har_keras.data.scale import Scale
from har_keras.tasks.free_running import ROWS, Forecaster

SERIES = np.array([1.0, 2, 4, 7, 11, 16, 22])


def like_the_last(x: np.ndarray) -> np.ndarray:
    """Says of each step that the next is as it."""
    assert x.shape == (ROWS, 2, 1)
    assert x.dtype == np.float32
    return x


def test_one_step() -> None:
    scale = Scale.learn(SERIES, None, 1)
    band = Forecaster(like_the_last, scale, 2, np.zeros(3)).one_step(SERIES, 4)
    expected = SERIES[3:-1] + np.diff(SERIES)[2:-1]  # the last difference goes on
    for part in band:
        np.testing.assert_allclose(part, expected, rtol=1e-6)


def test_free_running_feeds_back_what_it_said() -> None:
    forecaster = Forecaster(like_the_last, Scale.learn(SERIES, None, 1), 2, np.zeros(3))
    found = forecaster.free(np.stack([SERIES, SERIES + 5]), 4)
    np.testing.assert_allclose(found[0], 22 + 6 * np.arange(1, 5), rtol=1e-6)
    np.testing.assert_allclose(found[1], found[0] + 5, rtol=1e-6)


def test_a_season_is_repeated() -> None:
    """With a difference of nothing, the value of the season before."""
    forecaster = Forecaster(lambda x: 0 * x, Scale(0.0, 3), 2, np.zeros(3))
    found = forecaster.free(SERIES[None], 5)
    np.testing.assert_allclose(found[0], [11, 16, 22, 11, 16], rtol=1e-6)


def test_more_windows_than_a_call_takes() -> None:
    forecaster = Forecaster(like_the_last, Scale(), 2, np.zeros(3))
    windows = np.random.default_rng(0).normal(size=(ROWS + 7, 2))
    np.testing.assert_allclose(forecaster.scaled(windows), windows[:, -1], rtol=1e-6)


def test_intervals() -> None:
    errors = np.random.default_rng(0).normal(0.3, 1, 500)  # its mean is no part of an interval
    forecaster = Forecaster(like_the_last, Scale(), 2, errors, 0.8)
    band = forecaster.band(SERIES, 100)
    np.testing.assert_allclose(band.point, 22, rtol=1e-6)
    assert abs(band.upper[0] - 22 - 1.28) < 0.4  # a normal quantile
    assert abs(band.lower[0] - 22 + 1.28) < 0.4
    width = band.upper - band.lower
    assert 6 < width[-1] / width[0] < 14  # a random walk after 100 steps
    one = forecaster.one_step(SERIES, 4)
    np.testing.assert_allclose(one.upper - one.lower, 2.56, atol=0.4)


def test_errors_that_hang_together_widen_intervals() -> None:
    errors = np.tile(np.repeat([-1.0, 1.0], 12), 10)
    widths = [
        np.ptp(Forecaster(like_the_last, Scale(), 2, errors, 0.9, block).band(SERIES, 12)[1:], 0)
        for block in (1, 12)
    ]
    assert widths[1][-1] > 1.5 * widths[0][-1]
