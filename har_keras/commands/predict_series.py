"""Forecast what follows a series, with a finished run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from har_keras.commands import finished, options, predicted
from har_keras.data import series as files
from har_keras.data.scale import Scale
from har_keras.data.series import Series
from har_keras.errors import UserError
from har_keras.run_folder import read_finished, read_json
from har_keras.tasks.forecast_study import ERRORS
from har_keras.tasks.free_running import Band, Forecaster
from har_keras.tasks.series import Window

OPTIONS = ("run", "input", "column", "time", "horizon", "output", "format")
OF_THE_RUN = ("backend", "hardware.")


def main(arguments: list[str]) -> None:
    """`run=<run folder> input=<CSV file>`; `horizon=<steps>`, a season or ten steps by default.

    `column=`, `time=` where they are not those of the run; `format=table|csv|json`,
    `output=<file>`, `backend=`, `hardware.*=`. Gives the forecast of each step after the file's
    last and its prediction interval. Raises `UserError` for a run or a series that cannot be used.
    """
    typed, overrides = options.read(arguments, OPTIONS, OF_THE_RUN)
    if "input" not in typed:
        raise UserError("input=: expected a CSV file with a line a step, input=series.csv")
    folder, source = Path(typed["run"]).expanduser(), Path(typed["input"]).expanduser()
    record, _ = read_finished(folder)
    window, errors, block = _described(folder, record)
    horizon = _horizon(typed, window.season)
    target = predicted.Target.read(typed, folder)
    series = _read(source, typed, window)
    model = finished.model(folder, record, overrides, window.shape, window.shape)
    forecaster = Forecaster(
        model.predict_on_batch, window.scale, window.timesteps, errors, window.interval, block
    )
    if len(series.values) < forecaster.least:
        raise UserError(
            f"{source}: holds {len(series.values)} values, expected at least {forecaster.least} for"
            " a forecast by this run"
        )
    target.write(_rows(series, forecaster.band(series.values, horizon)), source)


def _described(folder: Path, record: dict[str, Any]) -> tuple[Window, np.ndarray, int]:
    """The run's window, its errors and how many of them are drawn as one."""
    try:
        said = {name: value for name, value in record["inputs"].items() if name != "kind"}
        window = Window(**said | {"scale": Scale(**said["scale"])})
        kept = read_json(folder / ERRORS)
        errors, block = np.array(kept["errors"], np.float64), int(kept["block"])
        if not len(errors) or errors.ndim != 1 or block < 1:
            raise ValueError("no errors")
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder}: expected run.json and {ERRORS} of a run that forecasts, but {error!r:.80}"
        ) from error
    return window, errors, block


def _horizon(typed: dict[str, str], season: int) -> int:
    text = typed.get("horizon", str(max(season, 10)))
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise UserError(f"horizon={text}: expected how many steps to forecast, such as 12")
    return int(text)


def _read(source: Path, typed: dict[str, str], window: Window) -> Series:
    """The series, from the run's column where the file has it."""
    header = files.header(source)
    column = typed.get("column", window.column if window.column in header else None)
    time = typed.get("time", window.time if window.time in header else None)
    series = files.read(source, column, time)
    every = series.times.every if series.times else None
    if every and window.every and every != window.every:
        raise UserError(
            f"{source}: has steps of {every}, expected those of the run, {window.every}; time=none"
            " leaves the times out"
        )
    bad = series.values <= 0
    if window.scale.power is not None and bad.any():
        line, value = series.lines[bad.argmax()], series.values[bad.argmax()]
        raise UserError(
            f"{source}, line {line}: {series.name[:40]} is {value:g}, expected values above 0, as"
            " those that the run learned from"
        )
    return series


def _rows(series: Series, band: Band) -> Iterator[dict[str, Any]]:
    """By step: its time, the forecast, and the ends of its interval."""
    count = len(series.values)
    times = series.labels(count, count + len(band.point))
    for time, *values in zip(times, *band, strict=True):
        point, lower, upper = map(float, values)
        yield {"time": time, "forecast": point, "lower": lower, "upper": upper}
