import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from har_keras.data.signals import denoise, gravity, windows
from har_keras.errors import UserError

light = settings(max_examples=25, deadline=None)
Floats = NDArray[np.float64]
recordings = arrays(
    np.float64, st.tuples(st.integers(1, 80), st.just(3)), elements=st.floats(-4, 4, width=32)
)


@light
@given(st.integers(1, 300), st.integers(1, 130), st.integers(1, 130))
def test_windows_are_slices(timesteps: int, length: int, step: int) -> None:
    x = np.arange(timesteps * 2).reshape(timesteps, 2)
    if timesteps < length:
        with pytest.raises(UserError, match=f"found {timesteps} samples"):
            windows(x, length, step)
        return
    cut = windows(x, length, step)
    assert cut.shape == (1 + (timesteps - length) // step, length, 2)
    for index, window in enumerate(cut):
        np.testing.assert_array_equal(window, x[index * step : index * step + length])


def test_windows_overlap_by_half() -> None:
    cut = windows(np.arange(320))
    assert cut.shape == (4, 128)
    np.testing.assert_array_equal(cut[0, 64:], cut[1, :64])


@light
@given(recordings, st.floats(-3, 3), st.floats(-2, 2))
def test_gravity_is_linear_and_keeps_constants(x: Floats, scale: float, shift: float) -> None:
    np.testing.assert_allclose(gravity(scale * x + shift), scale * gravity(x) + shift, atol=1e-6)


@light
@given(recordings, st.floats(0, 3), st.floats(-2, 2))
def test_denoise_keeps_constants_and_scales(x: Floats, scale: float, shift: float) -> None:
    np.testing.assert_allclose(denoise(scale * x + shift), scale * denoise(x) + shift, atol=1e-6)


@light
@given(recordings, st.integers(1, 80))
def test_gravity_is_causal(x: Floats, end: int) -> None:
    np.testing.assert_allclose(gravity(x[:end]), gravity(x)[:end], atol=1e-9)


@light
@given(recordings)
def test_batches_are_filtered_one_by_one(x: Floats) -> None:
    batch = np.stack([x, 1 - x, 2 * x]).reshape(3, 1, *x.shape)
    for function in (denoise, gravity):
        expected = [[function(one) for one in row] for row in batch]
        np.testing.assert_allclose(function(batch), expected, atol=1e-9)


def sine(frequency: float) -> Floats:
    return np.sin(2 * np.pi * frequency * np.arange(3000) / 50)[:, None]


@pytest.mark.parametrize(("frequency", "gain"), [(0.03, 1), (0.3, 2**-0.5), (3, 0.001)])
def test_gravity_response(frequency: float, gain: float) -> None:
    """A third-order Butterworth low-pass: half power at its cutoff."""
    assert np.abs(gravity(sine(frequency))[1500:]).max() == pytest.approx(gain, abs=1e-3)


def test_denoise_removes_spikes_and_keeps_movement() -> None:
    assert np.abs(denoise(sine(2))[100:]).max() == pytest.approx(1, abs=0.02)
    spike = np.zeros((100, 1))
    spike[50] = 3
    assert not denoise(spike).any()
    assert np.abs(denoise(sine(24))[100:]).max() < 0.2
