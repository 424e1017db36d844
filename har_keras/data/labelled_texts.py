"""Texts with a label each: lines of label, tab, text, or a CSV file with these two columns."""

import csv
import io
from pathlib import Path
from typing import NamedTuple
from zipfile import Path as ZipPath

from har_keras.errors import UserError

COLUMNS = ("label", "text")
LONGEST = 1 << 30  # characters of a text in a CSV file


class LabelledTexts(NamedTuple):
    """One label and one raw text a sample, in the order of the file."""

    labels: list[str]
    texts: list[str]


def read(path: Path) -> LabelledTexts:
    """Read a UTF-8 file; raise `UserError` that names the first bad line."""
    rows = _csv(path) if path.suffix.lower() == ".csv" else _tabbed(path)
    if not rows:
        raise UserError(f"{path}: holds no text, expected lines of label, tab, text")
    return LabelledTexts(*map(list, zip(*rows, strict=True)))


def read_texts(path: Path) -> list[str]:
    """One text a line, or the column `text` of a CSV file; raise `UserError` as `read` does."""
    if path.suffix.lower() == ".csv":
        return [text for (text,) in _csv(path, ("text",))]
    return decoded(path).splitlines()


def decoded(path: Path | ZipPath) -> str:
    """The text of a UTF-8 file; raise `UserError` that names the first line that is not."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}, expected a text file") from error
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(
            f"{path}: line {line}: expected UTF-8, found the byte 0x{content[error.start]:02x};"
            " convert it: iconv -f latin1 -t utf-8"
        ) from error


def _tabbed(path: Path) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for number, line in enumerate(decoded(path).split("\n"), 1):
        if not line.strip():
            continue
        label, tab, text = line.partition("\t")
        if not tab:
            raise UserError(f"{path}: line {number}: expected label, tab, text, found {line!r:.60}")
        rows.append((label, text))
    return rows


def _csv(path: Path, columns: tuple[str, ...] = COLUMNS) -> list[tuple[str, ...]]:
    reader = csv.DictReader(io.StringIO(decoded(path), newline=""), strict=True)
    rows = []
    start = 1
    limit = csv.field_size_limit(LONGEST)
    try:
        absent = set(columns) - set(reader.fieldnames or ())
        if absent:
            found = ", ".join(reader.fieldnames or ()) or "nothing"
            raise UserError(
                f"{path}: expected the columns {', '.join(columns)} in line 1, found {found:.80}"
            )
        start = reader.line_num + 1
        for row in reader:
            if None in row or any(row[name] is None for name in columns):
                wanted = len(reader.fieldnames or ())
                raise UserError(
                    f"{path}: line {start}: expected {wanted} fields; a text with a comma stands"
                    ' in quotes: ham,"well, yes"'
                )
            rows.append(tuple(row[name] for name in columns))
            start = reader.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"{path}: the record that starts in line {start}: {error}; a stray quote? Within a"
            ' text it is written twice: "a ""quoted"" word"'
        ) from error
    finally:
        csv.field_size_limit(limit)
    return rows
