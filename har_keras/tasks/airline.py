"""Forecasting one series: airline passengers by month (Box and Jenkins), or a CSV of your own."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from har_keras.data import series as files
from har_keras.data.cache import digest
from har_keras.data.fetch import fetch, user_cache
from har_keras.data.scale import Scale, likeliest_power
from har_keras.data.series import Series
from har_keras.errors import UserError, require, require_choice
from har_keras.tasks import Split, TaskData
from har_keras.tasks.forecast_study import Study
from har_keras.tasks.forecasting import ValuePerStep
from har_keras.tasks.series import Window

FOLDER, FILE = "airline", "international-airline-passengers.csv"
URL = "https://raw.githubusercontent.com/jbrownlee/Datasets/master/airline-passengers.csv"
PASSENGERS = "passengers (thousands a month)"
VALUES, TOTAL = 144, 40_363  # of the passengers, thousands

Array = NDArray[np.float64]


@dataclass
class Config:
    """Schema of `conf/task/airline.yaml`.

    `path`: a CSV file with a line a step, the airline passengers if empty; loading makes it
    absolute. `column`: of the values; `time`: of the times (`none`: the lines are evenly spaced);
    null finds them where there is no choice. `label`: what the values are, with their unit, for
    figures; null takes the column's name. `season`: in steps, null takes the calendar's.
    The model sees the values through the `power` transformation of Box and Cox (a number, `log`,
    `none`, or `auto`: the likeliest on the training values), as their difference from the value a
    `step` or a `season` before (or `none`), standardised over the values that `statistics` names
    (`training` or the whole `series`), `window` at a time.
    The last `test_share` of the series is the test part, the last `validation_share` of the rest
    validates. With `overlap` the windows of a part may begin before it: each of its values is
    forecast once, from a full window. Without, they lie inside and every step of theirs counts.
    `steps_per_epoch`: updates between two looks at the validation error. `horizon`: steps of the
    free-running forecast, null for the length of the test part. `origins`: of the back-tests.
    `interval`: what share of outcomes an interval is to hold.
    """

    name: str = "airline"
    path: str = ""
    column: str | None = None
    time: str | None = None
    label: str | None = None
    season: int | None = None
    power: str = "auto"
    difference: str = "season"
    statistics: str = "training"
    window: int = 12
    test_share: float = 0.25
    validation_share: float = 0.2
    overlap: bool = True
    steps_per_epoch: int = 20
    horizon: int | None = None
    origins: int = 12
    interval: float = 0.9
    baselines: bool = True

    def __post_init__(self) -> None:
        """Check each value by itself."""
        require_choice("task.difference", self.difference, ("none", "step", "season"))
        require_choice("task.statistics", self.statistics, ("training", "series"))
        for key in ("test_share", "validation_share", "interval"):
            share = getattr(self, key)
            require(0 < share < 1, f"task.{key}", share, "above 0 and below 1")
        for key in ("window", "steps_per_epoch", "origins"):
            require(getattr(self, key) > 0, f"task.{key}", getattr(self, key), "at least 1")
        for key in ("season", "horizon"):
            value = getattr(self, key)
            require(value is None or value > 0, f"task.{key}", value, "at least 1, or null")
        self.fixed_power()

    def fixed_power(self) -> float | None:
        """The power as a number, None where there is none yet (`auto`) or none at all."""
        if self.power in ("auto", "none"):
            return None
        try:
            power = 0.0 if self.power == "log" else float(self.power)
        except ValueError:
            power = -1.0
        require(0 <= power <= 1, "task.power", self.power, "auto, log, none, or a number, 0 to 1")
        return power


def load(config: Config, root: Path, seed: int, published: bool) -> TaskData:
    """Read, scale, cut into windows and describe; raise `UserError` for an unusable series."""
    path, series = _read(config, root)
    parts = _parts(config, path, series, published)
    known = series.values if config.statistics == "series" else series.values[: parts.validated]
    scale = Scale.learn(known, _power(config, path, series, parts), parts.lag)
    train, validation, test = _splits(config, series.values, scale, parts)
    outputs = ValuePerStep(config.window, scale, _naive_error(series.values, parts))
    learned = (train,) if published else (train, validation)
    study = _study(config, series, parts, outputs, learned)
    every = series.times.every if series.times else None
    return TaskData(
        train=train,
        validation=None if published else validation,
        test=test,
        inputs=Window(
            config.window, scale, series.name, series.time, every, parts.season, config.interval
        ),
        outputs=outputs,
        source="series" if config.path else "airline",
        sha256=digest(series.values, np.array(series.labels(0, parts.total))),
        baselines=study.peer_scores if config.baselines else None,
        steps_per_epoch=config.steps_per_epoch,
        study=study,
    )


class _Parts(NamedTuple):
    """Steps before validation, before the test part, in all; of a season; of the difference."""

    validated: int
    start: int
    total: int
    season: int
    lag: int


def _parts(config: Config, path: Path, series: Series, published: bool) -> _Parts:
    count, season = len(series.values), config.season or series.season
    start = count - max(1, round(config.test_share * count))
    validated = start if published else start - max(1, round(config.validation_share * start))
    lag = {"none": 0, "step": 1, "season": season}[config.difference]
    least = max(lag + config.window, season) + 2
    shortest = min(size for size in (start - validated, count - start) if size)
    if validated < least or (not config.overlap and shortest <= config.window):
        raise UserError(
            f"{path}: {count} values, {validated} of them to train on, are too few for task.window="
            f"{config.window}, task.difference={config.difference} and a season of {season}:"
            f" expected {least} to train on; a smaller task.window, or task.difference=step, takes"
            " fewer"
        )
    return _Parts(validated, start, count, season, lag)


def _splits(
    config: Config, values: Array, scale: Scale, parts: _Parts
) -> tuple[Split, Split, Split]:
    """Training, validation (empty where there is none) and test."""
    cut = _Cut(values, scale, config.window)
    skipped = 0 if config.overlap else config.window
    return (
        cut.split(parts.lag + config.window, parts.validated, every=True),
        cut.split(parts.validated + skipped, parts.start, every=not config.overlap),
        cut.split(parts.start + skipped, parts.total, every=not config.overlap),
    )


def _naive_error(values: Array, parts: _Parts) -> float:
    """Mean absolute error of the seasonal naive forecast over the training values."""
    learned = values[: parts.validated]
    return float(np.abs(learned[parts.season :] - learned[: -parts.season]).mean())


def _study(
    config: Config, series: Series, parts: _Parts, outputs: ValuePerStep, known: tuple[Split, ...]
) -> Study:
    tested = parts.total - parts.start
    leads = min(max(parts.season, 2), tested)
    origins = np.linspace(parts.start, parts.total - leads, config.origins).astype(int)
    return Study(
        series=series,
        start=parts.start,
        season=parts.season,
        horizon=config.horizon or tested,
        origins=tuple(np.unique(origins).tolist()),
        leads=leads,
        outputs=outputs,
        known=known,
        label=config.label or (series.name if config.path else PASSENGERS),
        interval=config.interval,
        baselines=config.baselines,
    )


@dataclass(frozen=True)
class _Cut:
    values: Array
    scale: Scale
    window: int

    def split(self, first: int, end: int, every: bool) -> Split:
        """Windows followed by the values from `first` to `end`; of the last step, or `every`."""
        standard, lag = self.scale.standard(self.values), self.scale.lag
        before = self.scale.powers(self.values)[:-lag] if lag else np.zeros_like(standard)
        targets = np.arange(first, end)
        steps = targets[:, None] - lag + np.arange(1 - self.window, 1)
        y = np.stack([standard[steps], before[steps]], axis=-1).astype(np.float32)
        if not every:
            y[:, :-1, 0] = np.nan
        return Split(standard[steps - 1][..., None].astype(np.float32), y, targets)


def _read(config: Config, root: Path) -> tuple[Path, Series]:
    if config.path:
        path = Path(config.path).expanduser().resolve()
        config.path = str(path)
        return path, files.read(path, config.column, config.time, "task.")
    path = root / FOLDER / FILE
    if not path.exists():
        path = fetch(URL, user_cache() / FOLDER, FILE)
    series = files.read(path, config.column, config.time, "task.")
    if len(series.values) != VALUES or series.values.sum() != TOTAL:
        raise UserError(
            f"{path}: expected {VALUES} months of passengers, {TOTAL} in all; for a series of your"
            " own: task.path=…"
        )
    return path, series


def _power(config: Config, path: Path, series: Series, parts: _Parts) -> float | None:
    if config.power == "none":
        return None
    bad = series.values <= 0
    if bad.any() and config.power == "auto":
        print(f"{path}: has values of 0 or below, task.power=none is taken", file=sys.stderr)
        config.power = "none"
        return None
    if bad.any():
        line, value = series.lines[bad.argmax()], series.values[bad.argmax()]
        raise UserError(
            f"{path}, line {line}: {series.name[:40]} is {value:g}, expected values above 0 with"
            f" task.power={config.power}; task.power=none takes any"
        )
    power = config.fixed_power()
    if power is None:
        power = likeliest_power(series.values[: parts.validated], parts.lag)
        config.power = f"{power:g}"
    return power
