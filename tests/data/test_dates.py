from datetime import date

import numpy as np
import pytest
from dateutil.parser import parse
from hypothesis import given, settings
from hypothesis import strategies as st

from har_keras.data.dates import FIRST, FORMATS, LAST, pairs, written


@settings(deadline=None)
@given(st.dates(FIRST, LAST), st.integers(0, len(FORMATS) - 1))
def test_a_date_can_be_read_in_every_format(day: date, form: int) -> None:
    text = written(day, form)
    assert parse(text.replace("the ", ""), dayfirst=text[2:3] == ".").date() == day


def test_formats_as_people_write_them() -> None:
    assert len(set(FORMATS)) == 20
    day = date(2021, 3, 2)
    assert written(day, 0) == "2021-03-02"
    assert written(day, 3) == "02.03.2021"
    assert written(day, 19) == "Tuesday, the 2nd of March, 2021"
    ends = [written(date(2021, 3, n), 18).split(",")[0][-2:] for n in (1, 3, 11, 12, 13, 21, 30)]
    assert ends == ["st", "rd", "th", "th", "th", "st", "th"]


def test_no_string_has_two_dates() -> None:
    found = pairs(30_000, np.random.default_rng(0))
    assert len(dict(found)) == len(found) == 30_000
    assert found == pairs(30_000, np.random.default_rng(0))
    assert all(FIRST <= date.fromisoformat(iso) <= LAST for _, iso in found)
    with pytest.raises(ValueError, match="expected at most"):
        pairs(10**6, np.random.default_rng(0))


def test_formats_that_agree_in_may_give_one_string() -> None:
    may = date(2021, 5, 2)
    assert written(may, 4) == written(may, 6)
    found = [text for text, _ in pairs(100_000, np.random.default_rng(1))]
    assert len(set(found)) == len(found)
