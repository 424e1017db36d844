import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from har_keras.data import simulated_har
from har_keras.data.recordings import HarData


@pytest.fixture(scope="module")
def data() -> HarData:
    return simulated_har.load(0)


def test_shapes(data: HarData) -> None:
    assert data.source == "simulated"
    for part, people, number in ((data.train, 21, 7056), (data.test, 9, 3024)):
        assert part.signals.shape == (number, 128, 9)
        assert part.signals.dtype == np.float32
        assert part.labels.dtype == part.subjects.dtype == np.int64
        assert np.bincount(part.labels).tolist() == [number // 6] * 6
        assert len(set(part.subjects)) == people
        assert np.isfinite(part.signals).all()
    assert set(data.train.subjects) | set(data.test.subjects) == set(range(1, 31))


def test_physics(data: HarData) -> None:
    """Gravity weighs 1 g and the body moves around nothing, as in the real recordings."""
    signals = data.train.signals
    assert np.linalg.norm(signals[..., 6:].mean(1), axis=-1) == pytest.approx(1, abs=0.1)
    assert np.abs(signals[..., :6].mean((0, 1))).max() < 0.01
    assert np.abs(signals[..., 6:]).max() < 4
    still = np.isin(data.train.labels, (3, 4, 5))
    assert signals[still, :, :3].std() < 0.05 < signals[~still, :, :3].std()


def test_windows_follow_one_another(data: HarData) -> None:
    signals = data.test.signals
    np.testing.assert_array_equal(signals[0, 64:], signals[1, :64])


def test_same_for_a_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated_har, "SUBJECTS", 3)
    monkeypatch.setattr(simulated_har, "TEST_SUBJECTS", 1)
    assert simulated_har.load(0).sha256 == simulated_har.load(0).sha256
    assert simulated_har.load(0).sha256 != simulated_har.load(1).sha256


def test_means_are_not_enough(data: HarData) -> None:
    model = LogisticRegression(max_iter=500)
    model.fit(data.train.signals.mean(1), data.train.labels)
    assert 0.5 < model.score(data.test.signals.mean(1), data.test.labels) < 0.8
