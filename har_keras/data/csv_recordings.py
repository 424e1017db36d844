"""Sensor recordings in CSV, read as the bytes come, from a file or a pipe.

UTF-8, a header line, then one sample a line; comma, semicolon or tab between the cells, unless a
`Dialect` says otherwise. A line that cannot be used is named by its number.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from har_keras.data.windower import BadSample
from har_keras.errors import UserError, nearest

TIME = "time"
LIKE_TIME = ("t", "timestamp", "seconds", "time_s", "time (s)", "seconds_elapsed", "date")
BLOCK = 1 << 20  # bytes
SHOWN = 12  # names of columns in an error


class Dialect(NamedTuple):
    """How the cells of a file stand.

    delimiter: one character between them, a blank for any white space; None takes that of comma,
    semicolon and tab of which the first line has most. header: lines above the samples; the last of
    them names the columns, which without any are called 1, 2, …. time: the column of times, None
    where it is a column like others.
    """

    delimiter: str | None = None
    header: int = 1
    time: str | None = TIME


USUAL = Dialect()


class Rows(NamedTuple):
    """Samples: `time` float64 (n,) in seconds or None, `x` float64 (n, channels), `lines` int (n,).

    `texts` holds the cells of each text column asked for; `lines` are numbers in the file, from 1.
    """

    time: NDArray[np.float64] | None
    x: NDArray[np.float64]
    texts: tuple[list[str], ...]
    lines: NDArray[np.int64]


class CsvReader:
    """Takes the bytes of a CSV file in any pieces and gives the samples in them.

    name: what errors call the file. columns: the channels, in the order wanted; None takes all but
    `time` and the text columns. texts: text columns, left empty where the file has none, unless
    they are `needed`. untimed: whether the rate was given, so that a column which may hold times
    under another name is let be. dialect: how the cells stand.
    Once the header is read, `columns` tells the channels, `present` the text columns found and
    `timed` whether there is a column `time`.
    """

    def __init__(
        self,
        name: str,
        columns: Sequence[str] | None,
        texts: Sequence[str] = (),
        needed: Sequence[str] = (),
        untimed: bool = False,
        dialect: Dialect = USUAL,
    ) -> None:
        """Nothing is read yet."""
        self.name, self.columns, self.untimed = name, columns, untimed
        self.dialect = dialect
        self.texts, self.needed = tuple(texts), tuple(needed)
        self.present: tuple[str, ...] = ()
        self.timed = False
        self._header: list[str] | None = None
        self._rest = b""
        self._line = 0  # lines read
        self._rows = 0

    def push(self, chunk: bytes) -> Rows:
        """Samples of all lines that end in `chunk`."""
        whole, end, self._rest = (self._rest + chunk).rpartition(b"\n")
        if len(self._rest) > BLOCK:
            self._refuse(self._line + 1, "is longer than 1 MB, expected one sample a line")
        return self._parsed(whole + end)

    def close(self) -> Rows:
        """The sample of a last line without an end; raise `UserError` if there were none at all."""
        rows = self._parsed(self._rest)
        self._rest = b""
        if not self._line:
            wanted = "a header line and samples" if self.dialect.header else "samples"
            raise UserError(f"{self.name}: is empty, expected {wanted}")
        if not self._rows:
            raise UserError(f"{self.name}: has a header line only, expected samples below it")
        return rows

    def _parsed(self, block: bytes) -> Rows:
        text = self._decoded(block).replace("\r\n", "\n").removesuffix("\n")
        lines = text.split("\n") if block else []
        if self.dialect.delimiter == " ":
            lines = [" ".join(line.split()) for line in lines]
        while self._header is None and lines:
            self._take_header(lines)
        first = self._line + 1
        self._line += len(lines)
        rows = self._fast(lines, first) or self._slow(lines, first)
        self._rows += len(rows.x)
        return rows

    def _decoded(self, block: bytes) -> str:
        try:
            text = block.decode()
        except UnicodeDecodeError as error:
            text, line = "\0", self._line + 1 + block[: error.start].count(b"\n")
        else:
            line = self._line + 1 + text.partition("\0")[0].count("\n")
        if "\0" in text:
            self._refuse(line, "is not text, expected a CSV file in UTF-8")
        return text

    def _take_header(self, lines: list[str]) -> None:
        """Take the header lines off `lines`, as far as they are there."""
        line = lines[0] if self._line else lines[0].removeprefix("\ufeff")
        if self.dialect.header:
            del lines[0]
            self._line += 1
        else:
            lines[0] = line
        if self._line == self.dialect.header:
            self._delimiter = self.dialect.delimiter or max(",;\t", key=line.count)
            cells = self._cells(line, max(1, self._line))
            numbered = [str(number) for number in range(1, len(cells) + 1)]
            self._read_header(cells if self.dialect.header else numbered)

    def _read_header(self, header: list[str]) -> None:
        time = self.dialect.time
        known = {time, *self.texts, *(self.columns or ())}
        if self.columns is None:
            self.columns = [n for n in header if n and n not in (time, *self.texts)]
        timed = time is not None and time in header
        wanted = [TIME] * timed + list(self.columns)
        self.present = tuple(name for name in self.texts if name in header)
        shown = ", ".join(header[:SHOWN]) + ", …" * (len(header) > SHOWN)
        missing = [name for name in (*wanted, *self.needed) if name not in header]
        if missing or not self.columns:
            named = "a header line with " if self.dialect.header else ""
            raise UserError(
                f"{self.name}: expected {named}the columns"
                f" {', '.join(missing or ['of numbers'])}, found {shown}"
                f"{nearest(missing[0], header) if missing else ''}"
            )
        for name in (*wanted, *self.present):
            if header.count(name) > 1:
                raise UserError(f"{self.name}: has the column {name} twice, expected it once")
        like = [n for n in header if n.lower() in LIKE_TIME or nearest(n.lower(), [TIME])]
        for name in () if timed or self.untimed else like:
            if name not in known:
                raise UserError(
                    f"{self.name}: the column {name} may hold times, expected it to be called"
                    f" {TIME} (seconds), or the rate and channels to be given"
                )
        self._header, self.timed = header, timed
        self._places = [header.index(name) for name in wanted]
        self._text_places = [header.index(name) for name in self.present]

    def _cells(self, line: str, number: int) -> list[str]:
        try:
            cells = next(csv.reader([line], delimiter=self._delimiter, strict=True), [])
        except csv.Error as error:
            self._refuse(number, f"cannot be cut into cells ({error}); is a quote left open?")
        return [cell.strip() for cell in cells]

    def _fast(self, lines: list[str], first: int) -> Rows | None:
        """All lines at once; None where one needs a closer look."""
        text = "".join(lines)
        if not text.strip():
            return None
        places = [*self._places, *self._text_places]
        cells = len(self._header or ())
        even = all(line.count(self._delimiter) + 1 == cells for line in lines)
        if '"' in text or not even:
            return None
        try:
            values = np.loadtxt(
                lines, delimiter=self._delimiter, usecols=self._places, comments=None, ndmin=2
            )
        except ValueError:
            return None
        if len(values) != len(lines):
            return None
        rows = [line.split(self._delimiter) for line in lines] if self._text_places else []
        texts = [[row[place].strip() for row in rows] for place in places[len(self._places) :]]
        return self._sorted(values, texts, np.arange(first, first + len(lines)))

    def _slow(self, lines: list[str], first: int) -> Rows:
        """Line by line, blank ones left out; raises `UserError` for the first that is wrong."""
        values, texts, numbers = [], [], []
        header = self._header or []
        for number, line in enumerate(lines, first):
            if not line.strip():
                continue
            cells = self._cells(line, number)
            if len(cells) != len(header):
                self._refuse(number, f"has {len(cells)} cells, expected {len(header)}")
            row = []
            for place in self._places:
                try:
                    row.append(float(cells[place]))
                except ValueError:
                    found = repr(cells[place][:20]) if cells[place] else "empty"
                    self._refuse(number, f"{header[place]} is {found}, expected a number like 0.5")
            values.append(row)
            texts.append([cells[place] for place in self._text_places])
            numbers.append(number)
        array = np.array(values, np.float64).reshape(len(values), len(self._places_or_columns()))
        columns = [[row[i] for row in texts] for i in range(len(self.present))]
        return self._sorted(array, columns, np.array(numbers, np.int64))

    def _places_or_columns(self) -> Sequence[object]:
        return self._places if self._header is not None else self.columns or ()

    def _sorted(
        self, values: NDArray[np.float64], texts: list[list[str]], lines: NDArray[np.int64]
    ) -> Rows:
        timed = self._header is not None and self.timed
        time, x = (values[:, 0], values[:, 1:]) if timed else (None, values)
        found = dict(zip(self.present, texts, strict=True))
        return Rows(time, x, tuple(found.get(name, []) for name in self.texts), lines)

    def _refuse(self, line: int, what: str) -> NoReturn:
        raise UserError(f"{self.name}, line {line}: {what}")


def read(
    path: Path,
    columns: Sequence[str] | None,
    texts: Sequence[str] = (),
    needed: Sequence[str] = (),
    untimed: bool = False,
) -> tuple[CsvReader, Rows]:
    """The reader of a file, which knows its columns, and all samples; arguments as `CsvReader` has.

    Raises `UserError` for any mistake.
    """
    reader = CsvReader(str(path), columns, texts, needed, untimed)
    return reader, gathered(reader, chunks(path))


def gathered(reader: CsvReader, chunks: Iterable[bytes]) -> Rows:
    """All samples of a file that comes in `chunks`; raise `UserError` for any mistake in it."""
    parts = [reader.push(chunk) for chunk in chunks]
    parts.append(reader.close())
    parts = [part for part in parts if len(part.x)]
    time = (
        None
        if parts[0].time is None
        else np.concatenate([p.time for p in parts if p.time is not None])
    )
    texts = zip(*(part.texts for part in parts), strict=True)
    cells = tuple([cell for part in column for cell in part] for column in texts)
    x, lines = (np.concatenate(list(p)) for p in zip(*((p.x, p.lines) for p in parts), strict=True))
    return Rows(time, x, cells, lines)


def chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file; raise `UserError` where there is none that can be read."""
    try:
        with path.open("rb") as file:
            yield from iter(lambda: file.read(BLOCK), b"")
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file, expected a CSV file") from error
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}, expected a CSV file") from error


@contextmanager
def located(name: str, rows: Rows) -> Iterator[None]:
    """Have errors name the file, and the line where it is known which of `rows` is wrong."""
    try:
        yield
    except BadSample as error:
        raise UserError(f"{name}, line {rows.lines[error.row]}: {error.what}") from error
    except UserError as error:
        raise UserError(f"{name}: {error}") from error
