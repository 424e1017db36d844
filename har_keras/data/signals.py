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


def denoise(x: ArrayLike, rate: float = RATE) -> NDArray[np.float64]:
    """Median filter of 3 samples, then a third-order Butterworth low-pass at 20 Hz.

    The median repeats the first and the last sample; the low-pass is causal.

    Args:
        x: (..., timesteps, channels), in any unit.
        rate: samples a second, above 40.
    """
    x = np.asarray(x, np.float64)
    before = np.concatenate([x[..., :1, :], x[..., :-1, :]], -2)
    after = np.concatenate([x[..., 1:, :], x[..., -1:, :]], -2)
    median = np.maximum(np.minimum(before, after), np.minimum(np.maximum(before, after), x))
    return _low_pass(median, NOISE_CUTOFF, rate)


def gravity(total_acc: ArrayLike, rate: float = RATE) -> NDArray[np.float64]:
    """The slow part of an acceleration: a causal third-order Butterworth low-pass at 0.3 Hz.

    `total_acc - gravity(total_acc)` is the dataset's body_acc, to 2e-4 g once the start is
    forgotten (10 s). The filter starts at rest on the first sample.

    Args:
        total_acc: (..., timesteps, channels), in any unit; the dataset's is g.
        rate: samples a second.
    """
    return _low_pass(np.asarray(total_acc, np.float64), GRAVITY_CUTOFF, rate)


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


def _low_pass(x: NDArray[np.float64], cutoff: float, rate: float) -> NDArray[np.float64]:
    from scipy import signal

    sos = signal.butter(ORDER, cutoff, fs=rate, output="sos")
    first = x[..., :1, :]
    rest = signal.sosfilt_zi(sos).reshape(-1, *(1 for _ in x.shape[:-2]), 2, 1) * first
    filtered, _ = signal.sosfilt(sos, x, axis=-2, zi=rest)
    return filtered
