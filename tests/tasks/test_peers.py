import numpy as np
import pytest

from har_keras.tasks import peers
from har_keras.tasks.peers import ets, seasonal_naive

SEASON = np.tile([10.0, 20, 30, 40], 12)
GROWN = SEASON * 1.01 ** np.arange(48)


def test_seasonal_naive() -> None:
    found = seasonal_naive(np.arange(12.0), 8, 4, 6, (8, 10), 2)
    np.testing.assert_array_equal(found.one_step, [4, 5, 6, 7])
    np.testing.assert_array_equal(found.free, [4, 5, 6, 7, 4, 5])
    np.testing.assert_array_equal(found.rolling, [[4, 5], [6, 7]])


def test_ets_learns_a_season() -> None:
    noisy = GROWN * np.exp(np.random.default_rng(0).normal(0, 0.01, 48))
    found = ets(noisy, 36, 4, 12, (36, 40), 4)
    np.testing.assert_allclose(found.one_step, noisy[36:], rtol=0.05)
    np.testing.assert_allclose(found.free, noisy[36:], rtol=0.1)
    np.testing.assert_allclose(found.rolling[1], noisy[40:44], rtol=0.05)


def test_ets_sees_nothing_ahead() -> None:
    changed = GROWN.copy()
    changed[42:] *= 3
    before, after = (ets(x, 36, 4, 6, (36, 42), 4) for x in (GROWN, changed))
    np.testing.assert_allclose(before.free, after.free)
    np.testing.assert_allclose(before.rolling, after.rolling)
    np.testing.assert_allclose(before.one_step[:7], after.one_step[:7])


def test_ets_with_negative_values_and_no_season() -> None:
    walk = np.cumsum(np.random.default_rng(0).normal(size=60))
    found = ets(walk, 45, 1, 15, (45, 50), 2)
    assert np.isfinite(found.free).all()


def test_ets_that_cannot_be_fitted(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("too short")

    monkeypatch.setattr(peers, "_model", refuse)
    assert ets(GROWN, 36, 4, 3, (36,), 2) is None
    assert "no ETS baseline: too short" in capsys.readouterr().err
