"""A trained model at work on a series: one step ahead, and on its own output."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from har_keras.data.scale import Scale

ROWS = 256  # windows in a call: always as many, so that the model is compiled once

Array = NDArray[np.float64]


class Band(NamedTuple):
    """A forecast and its prediction interval, each float64 (steps,), in the series' units."""

    point: Array
    lower: Array
    upper: Array


@dataclass(frozen=True)
class Forecaster:
    """`predict` takes float32 windows (ROWS, window, 1) and gives what follows each of their steps.

    `errors` (m,) are what the model was off by, one step ahead on its scale, in the order of time.
    Intervals hold a share of `interval` of the outcomes that such errors make, less their mean, so
    that they lie about the forecast. `block`: how many successive errors are drawn as one.
    """

    predict: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    scale: Scale
    window: int
    errors: Array
    interval: float = 0.9
    block: int = 1

    @property
    def least(self) -> int:
        """How many values a forecast starts from."""
        return self.window + self.scale.lag

    def scaled(self, windows: Array) -> Array:
        """What follows windows (m, window) of scaled values: (m,)."""
        parts = [np.zeros(0)]
        for start in range(0, len(windows), ROWS):
            rows = windows[start : start + ROWS]
            full = np.concatenate([rows, np.repeat(rows[:1], ROWS - len(rows), axis=0)])
            found = self.predict(full[..., None].astype(np.float32))
            parts.append(np.asarray(found, np.float64)[: len(rows), -1, 0])
        return np.concatenate(parts)

    def one_step(self, values: Array, first: int) -> Band:
        """Forecasts of `values[first:]` (n,), each from the true values before it."""
        scaled, before = self.past(values, first)
        low, high = np.quantile(self._centred, self._edges)
        powers = (self.scale.power_of(scaled + e, before) for e in (0.0, low, high))
        return Band(*map(self.scale.values, powers))

    def past(self, values: Array, first: int) -> tuple[Array, Array]:
        """Scaled forecasts of `values[first:]`, and what `Scale.power_of` wants beside them."""
        lag, steps = self.scale.lag, np.arange(first, len(values))
        standard = self.scale.standard(values)
        windows = np.lib.stride_tricks.sliding_window_view(standard, self.window)
        before = self.scale.powers(values)[steps - lag] if lag else np.zeros(len(steps))
        return self.scaled(windows[steps - lag - self.window]), before

    def free(self, histories: Array, steps: int, errors: Array | None = None) -> Array:
        """The model on its own output.

        Args:
            histories: values (m, at least `least`), in the series' units.
            steps: how many to forecast.
            errors: (m, steps), added to the model's output on its scale; none if None.

        Returns:
            (m, steps), in the series' units.
        """
        powers = self.scale.powers(histories[:, -self.least :])
        for step in range(steps):
            recent = powers[:, -self.least :]
            windows = (self.scale.differences(recent) - self.scale.mean) / self.scale.deviation
            scaled = self.scaled(windows) + (0 if errors is None else errors[:, step])
            before = powers[:, -self.scale.lag] if self.scale.lag else np.zeros(len(powers))
            found = self.scale.power_of(scaled, before)
            powers = np.concatenate([powers, found[:, None]], axis=1)
        return self.scale.values(powers[:, self.least :])

    def band(self, history: Array, steps: int) -> Band:
        """What follows `history` (n,), with an interval from simulated paths.

        Each path feeds the model its own output, off by errors drawn with a fixed seed in blocks
        (moving block bootstrap, Künsch 1989), so that they hang together as they did.
        """
        drawn = self._drawn(steps)
        drawn[0] = 0
        paths = self.free(np.repeat(history[None], ROWS, axis=0), steps, drawn)
        return Band(paths[0], *np.quantile(paths[1:], self._edges, axis=0))

    def _drawn(self, steps: int) -> Array:
        block = min(self.block, len(self.errors))
        firsts = len(self.errors) - block + 1
        starts = np.random.default_rng(0).integers(0, firsts, (ROWS, -(-steps // block)))
        places = starts[..., None] + np.arange(block)
        return self._centred[places.reshape(ROWS, -1)[:, :steps]]

    @property
    def _centred(self) -> Array:
        return self.errors - self.errors.mean()

    @property
    def _edges(self) -> tuple[float, float]:
        return (1 - self.interval) / 2, (1 + self.interval) / 2
