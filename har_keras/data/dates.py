"""Dates as people write them, in 20 unambiguous formats, and as ISO 8601. NumPy only."""

from datetime import date, timedelta

import numpy as np

FIRST, LAST = date(1950, 1, 1), date(2049, 12, 31)
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FORMATS = (
    "{year}-{month:02}-{day:02}",
    "{year}/{month:02}/{day:02}",
    "{year}{month:02}{day:02}",
    "{day:02}.{month:02}.{year}",
    "{day} {name} {year}",
    "{name} {day}, {year}",
    "{day} {name:.3} {year}",
    "{name:.3} {day}, {year}",
    "{name:.3}. {day}, {year}",
    "{day}. {name} {year}",
    "{day:02}-{name:.3}-{year}",
    "{year}-{name:.3}-{day:02}",
    "{year} {name} {day}",
    "{year}, {name:.3} {day}",
    "{weekday}, {name} {day}, {year}",
    "{weekday} {day} {name} {year}",
    "{weekday:.3}, {day} {name:.3} {year}",
    "{day}{th} of {name} {year}",
    "{name} {day}{th}, {year}",
    "{weekday}, the {day}{th} of {name}, {year}",
)  # numbers alone: the year first, or dots and the day first


def written(day: date, form: int) -> str:
    """A date in the format of that number (0…19)."""
    teens = 10 < day.day < 14
    return FORMATS[form].format(
        year=day.year,
        month=day.month,
        day=day.day,
        name=MONTHS[day.month - 1],
        weekday=DAYS[day.weekday()],
        th="th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th"),
    )


def pairs(count: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """That many different strings with their dates as `YYYY-MM-DD`, 1950 to 2049, at random.

    Raises `ValueError` where there are not so many.
    """
    days = (LAST - FIRST).days + 1
    found: dict[str, str] = {}  # in May two formats may give one string
    for place in rng.permutation(days * len(FORMATS)).tolist():
        day = FIRST + timedelta(place // len(FORMATS))
        found[written(day, place % len(FORMATS))] = day.isoformat()
        if len(found) == count:
            return list(found.items())
    raise ValueError(f"expected at most {len(found)} strings, got {count}")
