"""From raw accelerometer and gyroscope samples to windows, as the UCI HAR dataset was made.

Anguita, Ghio, Oneto, Parra, Reyes-Ortiz: A Public Domain Dataset for Human Activity Recognition
Using Smartphones, ESANN 2013, section 2.2. All functions take time as the last axis but one and
channels as the last, (..., timesteps, channels), and return float64 unless said otherwise.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from har_keras.data.recordings import RATE, WINDOW
from har_keras.errors import UserError

ORDER = 3
NOISE_CUTOFF = 20.0  # Hz
GRAVITY_CUTOFF = 0.3  # Hz


class LowPass:
    """A causal third-order Butterworth low-pass that starts at rest on its first sample.

    Call it with samples as they come, float64 (..., timesteps, channels); it returns as many.
    However they are cut into chunks, the result is the same to the bit.
    """

    def __init__(self, cutoff: float, rate: float) -> None:
        """Set cutoff and samples a second, both in Hz."""
        from scipy import signal

        self._sos = signal.butter(ORDER, cutoff, fs=rate, output="sos")
        self._state: Any = None

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Filter the next samples."""
        from scipy import signal

        if not x.shape[-2]:
            return x
        if self._state is None:
            rest = signal.sosfilt_zi(self._sos).reshape(-1, *(1 for _ in x.shape[:-2]), 2, 1)
            self._state = rest * x[..., :1, :]
        filtered, self._state = signal.sosfilt(self._sos, x, axis=-2, zi=self._state)
        return filtered


class Denoiser:
    """`denoise` for samples as they come: one sample behind, until `close`."""

    def __init__(self, rate: float = RATE) -> None:
        """Set samples a second, above 40."""
        self._low_pass = LowPass(NOISE_CUTOFF, rate)
        self._held: NDArray[np.float64] | None = None

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take float64 (..., timesteps, channels) and return all that is known by now."""
        if not x.shape[-2]:
            return x
        held = x[..., :1, :] if self._held is None else self._held
        padded = np.concatenate([held, x], -2)
        self._held = padded[..., -2:, :].copy()
        before, middle, after = padded[..., :-2, :], padded[..., 1:-1, :], padded[..., 2:, :]
        low, high = np.minimum(before, after), np.maximum(before, after)
        return self._low_pass(np.maximum(low, np.minimum(high, middle)))

    def close(self) -> NDArray[np.float64]:
        """The last sample, (..., 1, channels); there must have been one."""
        assert self._held is not None
        return self(self._held[..., -1:, :])


def denoise(x: ArrayLike, rate: float = RATE) -> NDArray[np.float64]:
    """Median filter of 3 samples, then a third-order Butterworth low-pass at 20 Hz.

    The median repeats the first and the last sample; the low-pass is causal.

    Args:
        x: (..., timesteps, channels), in any unit.
        rate: samples a second, above 40.
    """
    denoiser = Denoiser(rate)
    known = denoiser(np.asarray(x, np.float64))
    return np.concatenate([known, denoiser.close()], -2)


def gravity(total_acc: ArrayLike, rate: float = RATE) -> NDArray[np.float64]:
    """The slow part of an acceleration: a causal third-order Butterworth low-pass at 0.3 Hz.

    `total_acc - gravity(total_acc)` is the dataset's body_acc, to 2e-4 g once the start is
    forgotten (10 s). The filter starts at rest on the first sample.

    Args:
        total_acc: (..., timesteps, channels), in any unit; the dataset's is g.
        rate: samples a second.
    """
    return LowPass(GRAVITY_CUTOFF, rate)(np.asarray(total_acc, np.float64))


def windows(x: NDArray[Any], length: int = WINDOW, step: int = WINDOW // 2) -> NDArray[Any]:
    """Windows of `length` samples that start every `step`; what is left over at the end is dropped.

    Args:
        x: (timesteps, ...), of any dtype.

    Returns:
        Read-only view of `x`, (1 + (timesteps - length) // step, length, ...).

    Raises:
        UserError: the recording is shorter than one window.
    """
    if len(x) < length:
        raise UserError(
            f"expected a recording of at least one window ({length} samples), found {len(x)} "
            "samples; record for longer or ask for shorter windows"
        )
    view = np.lib.stride_tricks.sliding_window_view(x, length, axis=0)[::step]
    return np.moveaxis(view, -1, 1)
