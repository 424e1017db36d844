from pathlib import Path

import numpy as np
import pytest

from har_keras.data.series import read
from har_keras.errors import UserError


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "series.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_dates_and_a_footnote(tmp_path: Path) -> None:
    text = 'Month,"Sales, total"\r\n1949-01,1\r\n1949-02,2.5\r\n1949-03,3\r\n\r\nsource: none\r\n'
    series = read(written(tmp_path, text, "utf-8-sig"))
    assert series.name == "Sales, total"
    assert series.time == "Month"
    assert series.season == 12
    np.testing.assert_array_equal(series.values, [1, 2.5, 3])
    np.testing.assert_array_equal(series.lines, [2, 3, 4])
    assert series.labels(2, 5) == ["1949-03", "1949-04", "1949-05"]
    assert str(series.axis(3, 4)[0]) == "1949-04-01T00:00:00"


def test_one_column_without_times(tmp_path: Path) -> None:
    series = read(written(tmp_path, "x\n1\n2\n4\n"))
    assert series.times is None
    assert series.season == 1
    assert series.labels(2, 5) == ["3", "4", "5"]
    np.testing.assert_array_equal(series.axis(0, 2), [1, 2])


def test_columns_are_chosen(tmp_path: Path) -> None:
    path = written(tmp_path, "a;b;day\n5;1;2020-01-01\n7;2;2020-01-02\n6;3;2020-01-03\n")
    assert read(path, "b").times is None
    series = read(path, "b", "day")
    assert series.times.every == "1 days"
    np.testing.assert_array_equal(series.values, [1, 2, 3])
    assert read(path, "a", "none").times is None


HEADER = "month,x\n1949-01,1\n1949-02,2\n1949-03,3\n"
BAD = {
    "": ("expected a header line", {}),
    "month,x\n": ("expected a header line and a line a step, found 0", {}),
    HEADER + "1949-04,many\n": ("line 5: x is 'many', expected a number", {}),
    HEADER + "1949-04,\n": ("line 5: x is empty", {}),
    HEADER + "1949-04,nan\n": ("line 5: x is 'nan'", {}),
    HEADER + "1949-04,4,4\n": ("line 5: has 3 cells, expected 2", {}),
    HEADER + "\n1949-05\n1949-06,6\n": ("line 6: has 1 cells", {}),
    HEADER + "1949-05,5\n": (
        "line 5: month is 1949-05 after 1949-03, expected 1949-04 (steps of 1 months): fill the"
        " gap, or leave the times out: task.time=none",
        {},
    ),
    HEADER + "1949-03,5\n": ("line 5: month is 1949-03 after 1949-03, expected a later one", {}),
    HEADER + "1949-13,5\n": ("line 5: month is '1949-13', expected one like 1949-01", {}),
    HEADER + "someday,5\n": ("line 5: month is 'someday'", {}),
    HEADER + '"1949-04,4\n1949-05,5\n': ("line 5: has 1 cells", {}),
    HEADER: ("task.column=y: ", {"column": "y"}),
    HEADER + "1949-04,4\n": ("task.time=monht", {"time": "monht"}),
    "t,x,x\n1,2,3\n2,3,4\n": ("the column x twice", {"column": "x"}),
    "month,x,y\n1949-01,1,2\n1949-02,2,2\n": ("columns x, y, expected to be told which", {}),
    "x\n1\n\n2\n3\n": ("line 3: has 0 cells", {}),
    "x\n1\n2\0\n": ("line 3: is not text", {}),
    "month,x\nspring,1\nsummer,2\n": (
        "line 2: month is 'spring', expected a time",
        {"time": "month"},
    ),
}


@pytest.mark.parametrize("text", BAD)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str) -> None:
    expected, given = BAD[text]
    with pytest.raises(UserError) as raised:
        read(written(tmp_path, text), **given, keys="task.")
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)


def test_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="line 2: is not text, expected a CSV file in UTF-8"):
        read(written(tmp_path, "x\n1 é\n", "latin-1"))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read(tmp_path / "series.csv")
    with pytest.raises(UserError, match="expected a CSV file"):
        read(tmp_path)
