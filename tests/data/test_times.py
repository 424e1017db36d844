import numpy as np
import pytest

from har_keras.data.times import even, parsed, uneven

STEPS = {
    "1 months": (["1949-01", "1949-02", "1949-03"], ["1949-04", "1949-05"], 12),
    "1 months ": (["2020-11-15", "2020-12-15", "2021-01-15"], ["2021-02-15", "2021-03-15"], 12),
    "1 months  ": (["2019-12-31", "2020-01-31", "2020-02-29"], ["2020-03-31", "2020-04-30"], 12),
    "3 months": (["2020-01-01", "2020-04-01", "2020-07-01"], ["2020-10-01", "2021-01-01"], 4),
    "12 months": (["2001-06-30", "2002-06-30", "2003-06-30"], ["2004-06-30", "2005-06-30"], 1),
    "7 days": (["2020-01-03", "2020-01-10", "2020-01-17"], ["2020-01-24", "2020-01-31"], 52),
    "1 days": (["2020-02-27", "2020-02-28", "2020-02-29"], ["2020-03-01", "2020-03-02"], 7),
    "15 minutes": (
        ["2020-01-01 23:30", "2020-01-01 23:45", "2020-01-02 00:00"],
        ["2020-01-02 00:15:00", "2020-01-02 00:30:00"],
        96,
    ),
    "1 business days": (
        ["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09"],
        ["2020-01-10", "2020-01-13"],
        5,
    ),
    "0.5": (["0.5", "1", "1.5"], ["2", "2.5"], 1),
    "1": (["1950", "1951", "1952"], ["1953", "1954"], 1),
}


@pytest.mark.parametrize("every", STEPS)
def test_steps(every: str) -> None:
    cells, following, season = STEPS[every]
    times = even(parsed(cells), cells)
    assert times.every == every.strip()
    assert times.following(2) == following
    assert times.season == season
    assert uneven(times) is None
    assert len(times.moments(times.places)) == len(cells)


def test_a_gap_is_found() -> None:
    cells = ["1949-01", "1949-02", "1949-03", "1949-05", "1949-06"]
    assert uneven(even(parsed(cells), cells)) == 3


def test_a_time_twice_is_found() -> None:
    cells = ["1949-01", "1949-02", "1949-02", "1949-03", "1949-04"]
    assert uneven(even(parsed(cells), cells)) == 2


def test_what_is_no_time() -> None:
    assert parsed(["spring", "summer"]) is None
    found = parsed(["2020-01-01", "soon"])
    assert not np.isnat(found[0])
    assert np.isnat(found[1])
