"""A table of all runs below a folder: console, `report.md` and `report.csv`."""

from pathlib import Path

from rich.console import Console

from har_keras.errors import UserError
from har_keras.reporting import comparison, runs
from har_keras.run_folder import whole


def main(arguments: list[str]) -> None:
    """`[folder]`, `outputs` unless given; writes the two files into it."""
    if len(arguments) > 1 or any("=" in argument for argument in arguments):
        raise UserError(f"report {' '.join(arguments)}: expected one folder, such as outputs")
    root = Path(*arguments or ["outputs"]).expanduser()
    if not root.is_dir():
        raise UserError(f"{root}: no such folder, expected one that holds run folders")
    found = runs.collect(root)
    if not found:
        raise UserError(f"{root}: no run folder in or below it, expected one with a run.json")
    console = Console()
    comparison.to_console(found, console)
    for name, text in {
        "report.md": comparison.to_markdown(found),
        "report.csv": comparison.to_csv(found),
    }.items():
        try:
            with whole(root / name) as path:
                path.write_text(text)
        except OSError as error:
            raise UserError(f"cannot write {root / name}: {error.strerror}") from error
        console.print(f"written to {root / name}", soft_wrap=True)
