"""Regular windows of a stretch of samples: interpolated, filtered, thinned, cut, as they come."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from har_keras.data.preprocessing import Preprocessing
from har_keras.data.signals import GRAVITY_CUTOFF, Denoiser, LowPass, windows

ANTI_ALIAS = 0.4  # cutoff, of the model's rate
GRID_DECIMALS = 4  # sample times are rounded to so many decimals of a grid interval

Floats = NDArray[np.float64]


class Cut(NamedTuple):
    """Windows: `start` float64 (m,), seconds; `x` float32 (m, window, features)."""

    start: Floats
    x: NDArray[np.float32]


class Stretch:
    """Takes samples without a gap between them, as they come, and gives windows.

    raw_rate: samples a second, about. start: the time of the first, in seconds.
    """

    def __init__(self, preprocessing: Preprocessing, raw_rate: float, start: float) -> None:
        """No sample is in yet; filters start at rest on the first."""
        p = self._preprocessing = preprocessing
        self.start = self.last = float(start)
        self._every = max(1, round(raw_rate / p.rate))
        self._grid_rate = p.rate * self._every
        self._knot: tuple[Floats, Floats] = np.zeros(0), np.zeros((0, len(p.columns)))
        self._next = self._skip = self._dropped = 0
        self._buffer = np.zeros((0, p.features), np.float32)
        if p.filter == "inertial":
            self._denoiser = Denoiser(self._grid_rate)
            self._gravity = LowPass(GRAVITY_CUTOFF, p.rate)
        elif self._every > 1:
            self._anti_alias = LowPass(ANTI_ALIAS * p.rate, self._grid_rate)

    def push(self, time: Floats, samples: Floats) -> Cut:
        """Windows that samples (timesteps, raw channels) at `time` (timesteps,) complete."""
        self.last = float(time[-1])
        x = self._on_grid(time, samples)
        if self._preprocessing.filter == "inertial":
            return self._cut(self._inertial(self._denoiser(x)))
        return self._cut(self._thinned(self._anti_alias(x) if self._every > 1 else x))

    def close(self) -> Cut:
        """Windows that end with the last sample, which the noise filter held back."""
        inertial = self._preprocessing.filter == "inertial" and self._next
        return self._cut(self._inertial(self._denoiser.close()) if inertial else self._buffer[:0])

    def _on_grid(self, time: Floats, samples: Floats) -> Floats:
        """Values at the grid points up to now, each between the first sample from there on and
        the one before it; exactly the samples where these lie on the grid.
        """
        place = np.round((time - self.start) * self._grid_rate, GRID_DECIMALS)
        place, samples = np.append(self._knot[0], place), np.concatenate([self._knot[1], samples])
        self._knot = place[-1:].copy(), samples[-1:].copy()
        grid = np.arange(self._next, int(place[-1]) + 1)
        self._next += len(grid)
        after = np.searchsorted(place, grid)
        before = np.maximum(after - 1, 0)
        span = place[after] - place[before]
        share = (place[after] - grid) / np.where(span > 0, span, 1)
        return samples[after] - share[:, None] * (samples[after] - samples[before])

    def _thinned(self, x: Floats) -> Floats:
        thinned = x[self._skip :: self._every]
        self._skip = (self._skip - len(x)) % self._every
        return thinned

    def _inertial(self, x: Floats) -> Floats:
        x = self._thinned(x)
        total, rotation = x[:, :3], x[:, 3:]
        return np.concatenate([total - self._gravity(total), rotation, total], -1)

    def _cut(self, x: NDArray[Any]) -> Cut:
        p = self._preprocessing
        x = self._buffer = np.concatenate([self._buffer, x], dtype=np.float32)
        count = max(0, (len(x) - p.window) // p.step + 1)
        first = self._dropped + p.step * np.arange(count)
        cut = windows(x, p.window, p.step).copy() if count else x[:0, None].repeat(p.window, 1)
        self._buffer = x[count * p.step :].copy()
        self._dropped += count * p.step
        return Cut(self.start + first / p.rate, cut)
