import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_keras.data.recordings import Windows
from har_keras.errors import UserError
from har_keras.tasks.har import Config, hold_out, load, rotate


def windows(subjects: np.ndarray) -> Windows:
    signals = np.arange(len(subjects), dtype="float32")[:, None, None] * np.ones((1, 4, 9), "f4")
    return Windows(signals, np.arange(len(subjects)) % 6, subjects)


@given(seed=st.integers(0, 2**32 - 1), held=st.integers(1, 20))
@settings(max_examples=25, deadline=None)
def test_validation_people_are_not_trained_on(seed: int, held: int) -> None:
    subjects = np.random.default_rng(seed).permutation(np.repeat(np.arange(1, 22), 3))
    train, validation = hold_out(windows(subjects), held, seed)
    assert not set(train.subjects) & set(validation.subjects)
    assert len(set(validation.subjects)) == held
    together = np.concatenate([train.signals, validation.signals])[:, 0, 0]
    assert sorted(together) == list(range(len(subjects)))


@given(seed=st.integers(0, 2**32 - 1), degrees=st.floats(0.1, 90))
@settings(max_examples=25, deadline=None)
def test_rotation_turns_each_sensor_alike_and_keeps_lengths(seed: int, degrees: float) -> None:
    vectors = np.random.default_rng(seed).normal(size=(5, 7, 3)).astype("float32")
    signals = np.concatenate([vectors, vectors, vectors], axis=-1)
    turned = rotate(signals, np.random.default_rng(seed), degrees)
    assert turned.dtype == signals.dtype
    assert turned.shape == signals.shape
    np.testing.assert_array_equal(turned[..., :3], turned[..., 6:])
    lengths = np.linalg.norm(turned[..., :3], axis=-1)
    np.testing.assert_allclose(lengths, np.linalg.norm(vectors, axis=-1), rtol=1e-4)
    np.testing.assert_array_equal(turned, rotate(signals, np.random.default_rng(seed), degrees))


def test_rotation_has_the_asked_deviation() -> None:
    upright = np.tile([0.0, 0.0, 1.0] * 3, (4000, 1, 1))
    turned = rotate(upright, np.random.default_rng(0), 5.0)
    tilt = np.degrees(np.arcsin(turned[:, 0, :2]))
    assert np.std(tilt) == pytest.approx(5.0, rel=0.05)


def test_simulated_data_is_described_and_marked(tmp_path: Path) -> None:
    data = load(Config(source="simulated"), tmp_path, seed=0, published=False)
    assert data.note == "simulated data"
    assert set(data.splits) == {"train", "validation", "test"}
    people = [set(split.groups) for split in data.splits.values()]
    assert sum(map(len, people)) == len(set.union(*people))
    flat = data.train.x.reshape(-1, 9).astype("float64")
    np.testing.assert_allclose(data.inputs.mean, flat.mean(0), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(data.inputs.variance, flat.var(0), rtol=1e-6)
    published = load(Config(source="simulated", normalize=False), tmp_path, seed=0, published=True)
    assert published.validation is None
    assert published.inputs.mean is None
    assert len(published.train.x) == len(data.train.x) + len(data.splits["validation"].x)


def test_real_never_falls_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("har_keras.data.uci_har.load.__defaults__", ("http://127.0.0.1:9/x", None))
    with pytest.raises(UserError, match="could not download"):
        load(Config(source="real"), tmp_path, seed=0, published=False)


def test_auto_falls_back_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("har_keras.data.uci_har.load.__defaults__", ("http://127.0.0.1:9/x", None))
    assert load(Config(), tmp_path, seed=0, published=False).source == "simulated"
    assert "Going on with simulated recordings" in capsys.readouterr().err


@pytest.mark.real_data
@pytest.mark.skipif("HAR_KERAS_DATA" not in os.environ, reason="HAR_KERAS_DATA is not set")
def test_real_data() -> None:
    root = Path(os.environ["HAR_KERAS_DATA"])
    data = load(Config(source="real"), root, seed=0, published=False)
    assert data.source == "uci_har"
    assert data.note == ""
    assert len(data.train.x) + len(data.splits["validation"].x) == 7352
    assert len(data.test.x) == 2947
    assert data.test.x.mean(dtype="float64") == pytest.approx(0.0991399, abs=1e-6)
    assert data.test.x.std(dtype="float64") == pytest.approx(0.395671, abs=1e-6)
