"""A series of numbers at even times, from a CSV file.

UTF-8, a header line, then a line a step; comma, semicolon or tab between the cells. What follows a
blank line and has other cells than the header is a footnote. A line that cannot be used is named by
its number.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from har_keras.data import times as calendar
from har_keras.data.times import Times
from har_keras.errors import UserError, nearest

NO_TIME = "none"
NUMBERED = ("", "time", "t", "year", "index", "step", "month", "day", "hour")  # may hold numbers
SHOWN = 12  # names of columns in an error


@dataclass(frozen=True, eq=False)
class Series:
    """`values` float64 (n,) of the column `name`; `times` is None where the file has none.

    `time` names the column of times. `lines` (n,) are numbers in the file, from 1.
    """

    name: str
    values: NDArray[np.float64]
    times: Times | None
    time: str | None
    lines: NDArray[np.int64]

    @property
    def season(self) -> int:
        """Steps of the season that the calendar suggests; 1 where it suggests none."""
        return self.times.season if self.times else 1

    def labels(self, first: int, end: int) -> list[str]:
        """What steps `first` to `end` are called, also beyond the last; counted without times."""
        steps = np.arange(first, end)
        if self.times is None:
            return [str(step + 1) for step in steps]
        return self.times.written(self._places(steps))

    def axis(self, first: int, end: int) -> NDArray[np.generic]:
        """Where steps `first` to `end` stand on the axis of a figure."""
        steps = np.arange(first, end)
        if self.times is None:
            return steps + 1.0
        return self.times.moments(self._places(steps))

    def _places(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        assert self.times is not None
        return self.times.places[0] + self.times.step * steps


def header(path: Path) -> list[str]:
    """The names of a file's columns; raise `UserError` where it cannot be read."""
    return _table(path).header


class _Table(NamedTuple):
    header: list[str]
    rows: list[list[str]]
    lines: list[int]


def read(path: Path, column: str | None = None, time: str | None = None, keys: str = "") -> Series:
    """The series in a file.

    Args:
        path: of a CSV file.
        column: of the values; None where there is but one beside the times.
        time: column of the times, `none` to take the lines as evenly spaced; None takes the first
            column if it holds times.
        keys: what stands before `column=` and `time=` where the user types them.

    Raises:
        UserError: no such file or column, a cell that is no number, a gap.
    """
    table = _table(path)
    time, found = _timed(path, table, column, time, keys)
    column = _column(path, table, column, time, keys)
    place = table.header.index(column)
    values = [
        _number(path, n, column, r[place]) for n, r in zip(table.lines, table.rows, strict=True)
    ]
    times = None
    if time is not None and found is not None:
        cells = [row[table.header.index(time)] for row in table.rows]
        times = _even(path, table.lines, time, cells, found, keys)
    return Series(column, np.array(values), times, time, np.array(table.lines))


def _table(path: Path) -> _Table:
    text = _text(path)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        lines = list(csv.reader(text.splitlines(), delimiter=delimiter))
    except csv.Error as error:
        raise UserError(f"{path}: expected a CSV file, but {error}") from error
    header = [cell.strip() for cell in lines[0]] if lines else []
    whole = [n for n, line in enumerate(lines, 1) if len(line) == len(header) and any(line)]
    last = whole[-1] if whole else 0
    rows, numbers, blank = [], [], False
    for number, line in enumerate(lines[1:], 2):
        cells = [cell.strip() for cell in line]
        if cells in ([], [""]) and (len(header) > 1 or number > last):
            blank = True
        elif len(cells) == len(header):
            rows.append(cells)
            numbers.append(number)
        elif not blank or number < last:
            _refuse(path, number, f"has {len(cells)} cells, expected {len(header)}")
    if len(rows) < 2:
        raise UserError(f"{path}: expected a header line and a line a step, found {len(rows)}")
    return _Table(header, rows, numbers)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file, expected a CSV file") from error
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}, expected a CSV file") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + content[: error.start].count(b"\n")
        _refuse(path, line, "is not text, expected a CSV file in UTF-8")
    if "\0" in text:
        line = 1 + text.partition("\0")[0].count("\n")
        _refuse(path, line, "is not text, expected a CSV file in UTF-8")
    return text


def _timed(
    path: Path, table: _Table, column: str | None, time: str | None, keys: str
) -> tuple[str | None, NDArray[np.generic] | None]:
    """The column of times and what it holds; None for both where there is none."""
    if time == NO_TIME:
        return None, None
    if time is not None and time not in table.header:
        _missing(path, f"{keys}time", time, table.header)
    name = time or table.header[0]
    if time is None and (len(table.header) == 1 or name == column):
        return None, None
    place = table.header.index(name)
    found = calendar.parsed([row[place] for row in table.rows])
    if found is None and time is not None:
        cell = table.rows[0][place]
        _refuse(path, table.lines[0], f"{time} is {cell[:20]!r}, expected a time like 1949-01")
    counted = found is not None and found.dtype.kind == "f" and time is None
    if found is None or (counted and name.lower() not in NUMBERED):
        return None, None
    return name, found


def _column(path: Path, table: _Table, column: str | None, time: str | None, keys: str) -> str:
    others = [name for name in table.header if name != time]
    if column is None:
        if len(others) == 1:
            return others[0]
        raise UserError(
            f"{path}: has the columns {_shown(others)}, expected to be told which:"
            f" {keys}column={others[0] or '…'}"
        )
    if column not in table.header:
        _missing(path, f"{keys}column", column, others)
    if table.header.count(column) > 1:
        raise UserError(f"{path}: has the column {column} twice, expected it once")
    return column


def _missing(path: Path, key: str, name: str, header: Sequence[str]) -> NoReturn:
    near = nearest(name, header)
    raise UserError(
        f"{key}={name}: {path} has no such column, expected one of {_shown(header)}{near}"
    )


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + ", …" * (len(names) > SHOWN)


def _number(path: Path, line: int, column: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        found = repr(cell[:20]) if cell else "empty"
        _refuse(path, line, f"{column[:40]} is {found}, expected a number like 112.5")
    return value


def _even(
    path: Path,
    lines: list[int],
    name: str,
    cells: list[str],
    found: NDArray[np.generic],
    keys: str,
) -> Times:
    bad = np.isnan(found) if found.dtype.kind == "f" else np.isnat(found)
    if bad.any():
        index = int(bad.argmax())
        _refuse(
            path, lines[index], f"{name} is {cells[index][:20]!r}, expected one like {cells[0]}"
        )
    times = calendar.even(found, cells)
    place = calendar.uneven(times)
    if place is not None:
        _refuse(path, lines[place], _gap(times, place, name, cells, keys))
    return times


def _gap(times: Times, index: int, name: str, cells: list[str], keys: str) -> str:
    before, after = cells[index - 1], cells[index]
    if times.places[index] <= times.places[index - 1]:
        return f"{name} is {after} after {before}, expected a later one"
    (wanted,) = times.written(times.places[index - 1 : index] + times.step)
    return (
        f"{name} is {after} after {before}, expected {wanted} (steps of {times.every}): fill the"
        f" gap, or leave the times out: {keys}time=none"
    )


def _refuse(path: Path, line: int, what: str) -> NoReturn:
    raise UserError(f"{path}, line {line}: {what}")
