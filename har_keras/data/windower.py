"""From raw sensor samples, as they come or as a whole recording, to the windows of a model.

There is one way, `Windower`: a whole recording is a stream of one chunk, so that a model meets the
same numbers in training, in a file and live.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from har_keras.data import units
from har_keras.data.preprocessing import Preprocessing
from har_keras.data.stretch import Cut, Stretch
from har_keras.errors import UserError

RATE_SAMPLES = 128  # raw samples whose median interval is the raw rate
LOWEST_RATE = 0.8  # of the model's
HIGHEST_RATE = 1e6  # Hz
MOST = 1e30  # in any unit: no sensor has it, and filters do not overflow
GAP_INTERVALS, GAP_SECONDS = 10, 0.2
CHECKED_SECONDS = 10

Floats = NDArray[np.float64]


class BadSample(UserError):
    """A sample that cannot be used: `row` counts from 0 in the pushed chunk."""

    def __init__(self, row: int, what: str) -> None:
        """Say `what` is wrong with the sample."""
        super().__init__(f"sample {row + 1}: {what}")
        self.row, self.what = row, what


def joined(cuts: list[Cut]) -> Cut:
    """All windows of at least one `Cut`, in order."""
    return Cut(np.concatenate([c.start for c in cuts]), np.concatenate([c.x for c in cuts]))


@dataclass
class Windower:
    """Takes raw samples as they come and gives windows as soon as they are known.

    rate: of the raw samples, in Hz, where they come without times; `preprocessing.rate` unless
    given. Where they come with times, the median interval of the first 128 is the raw rate.
    Samples are interpolated on a regular grid that starts at the first one. After a gap (10
    intervals, and 0.2 s) everything starts anew: no window spans one. `gaps` counts them,
    `first_gap` is the time before the first and its length, in seconds.
    """

    preprocessing: Preprocessing
    rate: float | None = None
    gaps: int = 0
    first_gap: tuple[float, float] | None = None
    raw_rate: float | None = None
    samples: int = 0
    _waiting: list[tuple[Floats, Floats]] = field(default_factory=list)
    _last: float | None = None
    _stretch: "Stretch | None" = None
    _first: list[NDArray[np.float32]] = field(default_factory=list)

    def push(self, time: Floats | None, samples: Floats) -> Cut:
        """Windows that these samples complete.

        Args:
            time: (timesteps,) seconds, strictly increasing, or None at every call.
            samples: (timesteps, raw channels).

        Raises:
            BadSample: a value that is not finite or beyond 1e30, a time that does not increase.
            UserError: samples too far apart, or in other units than the model's.
        """
        self._check(time, samples)
        if not len(samples):
            return self._none()
        if time is None:
            rate = self.raw_rate or self._set_rate(self.rate or self.preprocessing.rate)
            time = np.arange(self.samples, self.samples + len(samples)) / rate
        self.samples += len(samples)
        if self.raw_rate is not None:
            return self._windows(time, samples)
        self._waiting.append((time.copy(), samples.copy()))
        return self._begin() if self.samples >= RATE_SAMPLES else self._none()

    def close(self) -> Cut:
        """Windows that end with the recording."""
        cuts = [self._none()]
        if self._waiting:
            cuts.append(self._begin())
        if self._stretch is not None:
            cuts.append(self._checked(self._stretch.close()))
        return joined(cuts)

    def _none(self) -> Cut:
        shape = (0, self.preprocessing.window, self.preprocessing.features)
        return Cut(np.zeros(0), np.zeros(shape, np.float32))

    def _check(self, time: Floats | None, samples: Floats) -> None:
        columns = self.preprocessing.columns
        if samples.ndim != 2 or samples.shape[1] != len(columns):
            raise UserError(
                f"expected samples of shape (timesteps, {len(columns)}), the channels"
                f" {', '.join(columns)}, found {samples.shape}"
            )
        usable = np.abs(samples) <= MOST
        if not usable.all():
            row, column = np.argwhere(~usable)[0]
            found = f"{columns[column]} is {samples[row, column]}"
            raise BadSample(row, f"{found}, expected a number; leave such samples out")
        if time is None or not len(time):
            return
        usable = np.abs(time) <= MOST
        if not usable.all():
            row = int(usable.argmin())
            raise BadSample(row, f"time is {time[row]}, expected seconds")
        falls = np.diff(time, prepend=-np.inf if self._last is None else self._last) <= 0
        if falls.any():
            row = int(falls.argmax())
            before = time[row - 1] if row else self._last
            raise BadSample(
                row,
                f"time {time[row]} after {before}, expected it to increase; sort the samples by"
                " time and remove duplicates",
            )
        self._last = float(time[-1])

    def _begin(self) -> Cut:
        time, samples = (np.concatenate(parts) for parts in zip(*self._waiting, strict=True))
        self._waiting.clear()
        if len(time) > 1:
            interval = float(np.median(np.diff(time[:RATE_SAMPLES])))
            wanted = self.preprocessing.rate
            units.check_seconds(interval, wanted, LOWEST_RATE * wanted)
            self._set_rate(1 / interval)
            if self.rate and not 0.8 <= self.rate * interval <= 1.25:
                raise UserError(
                    f"rate={self.rate:g}: the times say {1 / interval:.4g} Hz; leave rate= out or"
                    " mend the times (seconds)"
                )
        else:
            self._set_rate(self.preprocessing.rate)
        return self._windows(time, samples)

    def _set_rate(self, rate: float) -> float:
        lowest = LOWEST_RATE * self.preprocessing.rate
        if rate < lowest:
            raise UserError(
                f"expected at least {lowest:g} Hz, found {rate:.3g} Hz; the model was trained at"
                f" {self.preprocessing.rate:g} Hz: record faster"
            )
        if rate > HIGHEST_RATE:
            raise UserError(f"expected at most {HIGHEST_RATE:g} Hz, found {rate:.3g} Hz")
        self.raw_rate = rate
        return rate

    def _windows(self, time: Floats, samples: Floats) -> Cut:
        assert self.raw_rate is not None
        longest = max(GAP_INTERVALS / self.raw_rate, GAP_SECONDS)
        previous = time[0] if self._stretch is None else self._stretch.last
        intervals = np.diff(time, prepend=previous)
        cuts = [self._none()]
        begin = 0
        for at in [*np.flatnonzero(intervals > longest), len(time)]:
            if self._stretch is None:
                self._stretch = Stretch(self.preprocessing, self.raw_rate, time[0])
            if at > begin:
                cuts.append(self._stretch.push(time[begin:at], samples[begin:at]))
            if at < len(time):
                cuts.append(self._stretch.close())
                self.gaps += 1
                self.first_gap = self.first_gap or (time[at] - intervals[at], intervals[at])
                self._stretch = Stretch(self.preprocessing, self.raw_rate, time[at])
            begin = at
        return self._checked(joined(cuts))

    def _checked(self, cut: Cut) -> Cut:
        """Check the units in the first seconds."""
        p = self.preprocessing
        most = max(1, int(CHECKED_SECONDS * p.rate - p.window) // p.step + 1)
        for window in cut.x[: most - len(self._first)] if p.filter == "inertial" else ():
            self._first.append(window.copy())
            units.check(np.stack(self._first))
        return cut


def cut(
    preprocessing: Preprocessing, time: Floats | None, samples: Floats, rate: float | None = None
) -> tuple[Cut, Windower]:
    """All windows of one recording, and the `Windower` that knows about gaps and rate.

    Args and errors are those of `Windower.push`; and a recording without a whole window is a
    `UserError`.
    """
    windower = Windower(preprocessing, rate)
    found = joined([windower.push(time, samples), windower.close()])
    require_windows(len(found.x), windower)
    if preprocessing.filter == "inertial":
        units.check(found.x)
    return found, windower


def require_windows(count: int, windower: Windower) -> None:
    """Raise `UserError` where a closed `windower` has given no window."""
    if not count:
        p = windower.preprocessing
        between = " between two gaps" if windower.gaps else ""
        raise UserError(
            f"expected at least one window ({p.seconds:g} s, {p.window} samples at {p.rate:g} Hz)"
            f"{between}, found {windower.samples} samples"
            f" at {windower.raw_rate or p.rate:.4g} Hz; record for longer"
        )
