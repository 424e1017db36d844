"""The times of a series: read as people write them, held against an even step, carried on."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DAY = 86_400  # seconds
TOLERANCE = 0.02  # of a step; times that are numbers are often rounded
SEASONS = {DAY: 7, 7 * DAY: 52}  # step in seconds → steps of a season


@dataclass(frozen=True)
class Times:
    """Times at an even step.

    `unit`: `months`, `business days`, `seconds`, or `number` for times that are numbers. `places`
    (n,) count in this unit, `step` apart. `form` is how they are written (strftime), `day` the day
    of the month where months are counted, 0 for the last.
    """

    unit: str
    places: NDArray[np.float64]
    step: float
    form: str = ""
    day: int = 1
    second: int = 0

    @property
    def season(self) -> int:
        """Steps of the season that the calendar suggests; 1 where it suggests none."""
        if self.unit == "months":
            return int(12 // self.step) if 12 % self.step == 0 else 1
        if self.unit == "business days":
            return 5 if self.step == 1 else 1
        if self.unit == "number":
            return 1
        if self.step < DAY and DAY % self.step == 0:
            return int(DAY // self.step)
        return SEASONS.get(int(self.step), 1)

    @property
    def every(self) -> str:
        """The step as a person reads it."""
        if self.unit != "seconds":
            return f"{self.step:g} {self.unit}" if self.unit != "number" else f"{self.step:g}"
        for name, size in (("days", DAY), ("hours", 3600), ("minutes", 60)):
            if self.step % size == 0:
                return f"{self.step / size:g} {name}"
        return f"{self.step:g} seconds"

    def following(self, count: int) -> list[str]:
        """The `count` times after the last, written as the others."""
        return self.written(self.places[-1] + self.step * np.arange(1, count + 1))

    def written(self, places: NDArray[np.float64]) -> list[str]:
        """Places (m,) as text."""
        if self.unit == "number":
            return [f"{place:.10g}" for place in places]
        import pandas

        return list(pandas.DatetimeIndex(self.moments(places)).strftime(self.form))

    def moments(self, places: NDArray[np.float64]) -> NDArray[Any]:
        """Places (m,) as datetime64[s] for an axis of time, as they are where they are numbers."""
        if self.unit == "number":
            return places
        if self.unit == "months":
            months = np.rint(places).astype(int).astype("datetime64[M]")
            first = months.astype("datetime64[D]")
            last = (months + 1).astype("datetime64[D]") - 1
            days = np.minimum(first + (self.day - 1), last) if self.day else last
            return days.astype("datetime64[s]") + self.second
        if self.unit == "business days":
            start = np.datetime64("1970-01-01", "D")
            days = np.busday_offset(start, np.rint(places).astype(int))
            return days.astype("datetime64[s]") + self.second
        return np.rint(places).astype("int64").astype("datetime64[s]")


def parsed(cells: Sequence[str]) -> NDArray[Any] | None:
    """Times as float64 or datetime64[s] (n,), not-a-time where a cell is none.

    None unless the first cell is a number or a date.
    """
    try:
        float(cells[0])
    except ValueError:
        return _dates(cells)
    found = np.full(len(cells), np.nan)
    for i, cell in enumerate(cells):
        try:
            found[i] = float(cell)
        except ValueError:
            break
    return found


def even(found: NDArray[Any], cells: Sequence[str]) -> Times:
    """The step that most of `found` (n,) lie apart, of at least two."""
    if found.dtype.kind == "f":
        return Times("number", found, _usual(np.diff(found)))
    days = found.astype("datetime64[D]")
    months = found.astype("datetime64[M]")
    of_day = (found - days).astype(int)
    dates = (days - months).astype(int) + 1
    form = "%Y-%m-%d" if not of_day.any() else "%Y-%m-%d %H:%M:%S"
    if all(re.fullmatch(r"\d{4}-\d\d", cell) for cell in cells):
        form = "%Y-%m"
    first, at_end = int(dates[0]), bool(((days + 1).astype("datetime64[M]") > months).all())
    if (of_day == of_day[0]).all():
        second = int(of_day[0])
        if at_end or (dates == first).all():
            step = _usual(np.diff(months.astype(float)))
            return Times("months", months.astype(float), step, form, 0 if at_end else first, second)
        apart = np.diff(days.astype(int))
        if len(apart) > 4 and np.is_busday(days).all() and _usual(apart) == 1:
            places = np.busday_count("1970-01-01", days).astype(float)
            return Times("business days", places, 1.0, form, second=second)
    seconds = found.astype("datetime64[s]").astype(float)
    return Times("seconds", seconds, _usual(np.diff(seconds)), form)


def uneven(times: Times) -> int | None:
    """The first index whose time is not one step after the one before, None where all are."""
    wrong = np.abs(np.diff(times.places) - times.step) > TOLERANCE * abs(times.step)
    return int(wrong.argmax()) + 1 if wrong.any() or times.step <= 0 else None


def _dates(cells: Sequence[str]) -> NDArray[Any] | None:
    import pandas

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a format that is guessed cell by cell
        try:
            pandas.to_datetime(cells[0])
            found = pandas.to_datetime(list(cells), errors="coerce", utc=True)
        except (ValueError, TypeError, OverflowError):
            return None
    return found.tz_localize(None).to_numpy().astype("datetime64[s]")


def _usual(steps: NDArray[Any]) -> float:
    """The commonest of steps, those told apart that differ by more than rounding."""
    middle = float(np.median(steps))
    near = np.abs(steps - middle) <= TOLERANCE * abs(middle)
    if near.mean() > 0.5:
        return float(np.mean(steps[near])) if steps.dtype.kind == "f" else middle
    values, counts = np.unique(steps, return_counts=True)
    return float(values[counts.argmax()])
