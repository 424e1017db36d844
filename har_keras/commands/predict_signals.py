"""Label a recording with a finished run."""

import csv
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from har_keras.commands import options, sensors
from har_keras.data import csv_recordings
from har_keras.data.windower import Windower, cut
from har_keras.errors import UserError
from har_keras.inference import Predictions, describe
from har_keras.run_folder import whole

OPTIONS = ("run", "input", "output", "rate")


def main(arguments: list[str]) -> None:
    """`run=<run folder> input=<CSV file>`; `output=<CSV file>`, `rate=`, `backend=`, `hardware.*=`.

    Prints a CSV line a window, or writes them with all probabilities where `output` says, and a
    summary on standard error. Raises `UserError` for a run or a recording that cannot be used.
    """
    typed, overrides = options.read(arguments, OPTIONS, sensors.OF_THE_RUN)
    if "input" not in typed:
        raise UserError("input=: expected a CSV file of sensor samples, input=recording.csv")
    folder, source = Path(typed["run"]).expanduser(), Path(typed["input"]).expanduser()
    description = describe(folder)
    config = sensors.configured(description, overrides)
    target = options.output(typed["output"], folder) if "output" in typed else None
    if target is not None:
        _prepare(target, source)
    rate, preprocessing = options.rate(typed), description.preprocessing
    untimed = rate is not None
    rows = csv_recordings.read(source, preprocessing.columns, untimed=untimed)[1]
    with csv_recordings.located(str(source), rows):
        found, windower = cut(preprocessing, rows.time, rows.x, rate)
    predictions = sensors.opened(config, description).label(found.start, found.x)
    if target is None:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(sensors.HEADER)
        writer.writerows(sensors.rows(predictions))
        sys.stdout.flush()
    else:
        _write(target, predictions, description.classes)
    if rows.time is None and rate is None:
        print(sensors.steady(preprocessing.rate), file=sys.stderr)
    _summarise(predictions, description.classes, windower, target)


def _prepare(target: Path, source: Path) -> None:
    if target.is_dir() or target.resolve() == source.resolve():
        kind = "a folder" if target.is_dir() else "the recording itself"
        raise UserError(f"output={target}: is {kind}, expected a file to write")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"output={target}: {error.strerror}, expected a file to write") from error


def _write(target: Path, found: Predictions, classes: tuple[str, ...]) -> None:
    try:
        with whole(target) as path, path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("start", "end", "prediction", *classes))
            parts = zip(sensors.times(found), found.labels, found.probabilities, strict=True)
            for times, label, row in parts:
                writer.writerow((*times, label, *(f"{p:.6f}" for p in row)))
    except OSError as error:
        raise UserError(f"output={target}: {error.strerror}, expected a file to write") from error


def _summarise(
    found: Predictions, classes: tuple[str, ...], windower: Windower, target: Path | None
) -> None:
    console = Console(stderr=True)
    table = Table(title=f"{len(found.labels)} windows", title_justify="left")
    table.add_column("prediction")
    for heading in ("windows", "share", "mean probability"):
        table.add_column(heading, justify="right")
    for index, name in enumerate(classes):
        chosen = found.probabilities.argmax(-1) == index
        if chosen.any():
            mean = found.probabilities[chosen, index].mean()
            table.add_row(name, str(chosen.sum()), f"{chosen.mean():.1%}", f"{mean:.2f}")
    console.print(table)
    if windower.gaps:
        console.print(sensors.gaps(windower), soft_wrap=True)
    if target is not None:
        console.print(f"written to {target}", soft_wrap=True, markup=False)
