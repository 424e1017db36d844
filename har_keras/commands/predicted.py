"""What a run predicted, as a table for the screen, as CSV or as JSON."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from har_keras.commands import options
from har_keras.errors import UserError, require_choice
from har_keras.run_folder import whole

FORMATS = ("table", "csv", "json")
WIDEST = 60  # characters of a cell on the screen


@dataclass(frozen=True)
class Target:
    """Where predictions go: `path`, or standard output if None, in one of `FORMATS`."""

    path: Path | None
    format: str

    @classmethod
    def read(cls, typed: dict[str, str], run: Path) -> "Target":
        """From `output=` and `format=`, whose default is the ending of the file, else a table.

        Raises `UserError` for a file that cannot be, and for one in the run folder.
        """
        path = options.output(typed["output"], run) if "output" in typed else None
        ending = path.suffix.lstrip(".").lower() if path else ""
        chosen = typed.get("format", ending if ending in FORMATS else "csv" if path else "table")
        require_choice("format", chosen, FORMATS)
        if path is not None and path.is_dir():
            raise UserError(f"output={path}: is a folder, expected a file to write")
        return cls(path, chosen)

    def write(
        self,
        rows: Iterable[dict[str, Any]],
        source: Path | None = None,
        show: Callable[[list[dict[str, Any]]], None] | None = None,
    ) -> None:
        """Write a row a prediction; a value that is a dict is spread over columns, not in JSON.

        On the screen a table, or what `show` prints instead.

        Raises `UserError` for a file that cannot be written, and for the `source` of the data.
        """
        found = list(rows)
        if self.path is None and self.format == "table" and show is not None:
            show(found)
            return
        if self.path is None:
            self._print(found)
            return
        if source is not None and self.path.resolve() == source.resolve():
            raise UserError(f"output={self.path}: is the input itself, expected another file")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with whole(self.path) as path:
                path.write_text(self._text(found), encoding="utf-8")
        except OSError as error:
            reason = f"{error.strerror}, expected a file to write"
            raise UserError(f"output={self.path}: {reason}") from error
        Console(stderr=True).print(f"written to {self.path}", soft_wrap=True, markup=False)

    def _print(self, rows: list[dict[str, Any]]) -> None:
        if self.format != "table":
            print(self._text(rows), end="", flush=True)
            return
        Console().print(_table([_spread(row, decimals=4) for row in rows]))

    def _text(self, rows: list[dict[str, Any]]) -> str:
        if self.format == "json":
            return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
        flat = [_spread(row, decimals=6) for row in rows]
        if self.format == "table":
            file = io.StringIO()
            Console(file=file, width=200).print(_table(flat))
            return file.getvalue()
        file = io.StringIO(newline="")
        writer = csv.DictWriter(file, list(flat[0]) if flat else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(flat)
        return file.getvalue()


def _spread(row: dict[str, Any], decimals: int) -> dict[str, str]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return {k: f"{v:.{decimals}f}" if isinstance(v, float) else str(v) for k, v in flat.items()}


def _table(rows: list[dict[str, str]]) -> Table:
    table = Table()
    numeric = {name for name in rows[0] if all(_is_number(row[name]) for row in rows)}
    for name in rows[0]:
        table.add_column(Text(name), justify="right" if name in numeric else "left")
    for row in rows:
        cells = (v if len(v) <= WIDEST else f"{v[: WIDEST - 1]}…" for v in row.values())
        table.add_row(*map(Text, cells))
    return table


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
