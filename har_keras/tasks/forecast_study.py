"""What a forecast is worth: errors one step ahead, on its own output, and from several origins."""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from har_keras.data.series import Series
from har_keras.reporting.metrics import forecasting
from har_keras.tasks import Findings, Split, peers
from har_keras.tasks.forecasting import ValuePerStep
from har_keras.tasks.free_running import Band, Forecaster
from har_keras.tasks.peers import Forecasts

ERRORS = "errors.json"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Study:
    """Forecasts of the test part of `series`, which begins at index `start`.

    `horizon` steps on the model's own output; `leads` steps from each of `origins`. `known` are the
    samples before the test part, in the order of time: their errors make the prediction intervals.
    `label` names the values, with their unit.
    """

    series: Series
    start: int
    season: int
    horizon: int
    origins: tuple[int, ...]
    leads: int
    outputs: ValuePerStep
    known: tuple[Split, ...]
    label: str
    interval: float
    baselines: bool

    def __call__(self, model: Any) -> Findings:
        """Metrics, figures and tables of a trained `keras.Model`."""
        forecaster = self.forecaster(model)
        one_step = forecaster.one_step(self.series.values, self.start)
        free = forecaster.band(self.series.values[: self.start], self.horizon)
        window = forecaster.least
        histories = np.stack([self.series.values[o - window : o] for o in self.origins])
        rolling = forecaster.free(histories, self.leads)
        found = self.scores(Forecasts(one_step.point, free.point, rolling))
        known = slice(None, min(self.horizon, len(self.truth)))
        truth = self.truth[known]
        inside = (free.lower[known] <= truth) & (truth <= free.upper[known])
        found["free_running_coverage"] = float(inside.mean())
        methods = {"model": rolling} | {n: f.rolling for n, f in self.peers.items()}
        return Findings(
            {"test": found},
            self._figures(one_step, free, methods),
            self._files(forecaster, one_step, free, methods),
        )

    def forecaster(self, model: Any) -> Forecaster:
        """The model with its errors before the test part."""
        scale, window = self.outputs.scale, self.outputs.timesteps
        bare = Forecaster(model.predict_on_batch, scale, window, np.zeros(1))
        x = np.concatenate([split.x for split in self.known])
        last = np.concatenate([split.y[:, -1, 0] for split in self.known])
        errors = last - bare.scaled(x[..., 0].astype(np.float64))
        return replace(bare, errors=errors, interval=self.interval, block=self.season)

    @property
    def truth(self) -> Array:
        """The values of the test part."""
        return self.series.values[self.start :]

    @cached_property
    def peers(self) -> dict[str, Forecasts]:
        """What the methods without a network say, by name; fitted once."""
        if not self.baselines:
            return {}
        what = self.series.values, self.start, self.season, self.horizon, self.origins, self.leads
        found = {"seasonal naive": peers.seasonal_naive(*what), "ETS": peers.ets(*what)}
        return {name: forecasts for name, forecasts in found.items() if forecasts is not None}

    def peer_scores(self) -> dict[str, dict[str, float]]:
        """The figures of each of `peers`."""
        return {name: self.scores(forecasts) for name, forecasts in self.peers.items()}

    def scores(self, found: Forecasts) -> dict[str, float]:
        """Errors one step ahead, free-running (`free_running_`) and over origins (`backtest_`)."""
        known = min(self.horizon, len(self.truth))
        parts = {
            "": (self.truth, found.one_step),
            "free_running_": (self.truth[:known], found.free[:known]),
            "backtest_": (self._rolling_truth.ravel(), found.rolling.ravel()),
        }
        naive_error = self.outputs.naive_error
        return {
            prefix + name: value
            for prefix, (truth, forecast) in parts.items()
            for name, value in forecasting(truth, forecast, naive_error).items()
        }

    @cached_property
    def _rolling_truth(self) -> Array:
        return np.stack([self.series.values[o : o + self.leads] for o in self.origins])

    def _figures(self, one_step: Band, free: Band, methods: dict[str, Array]) -> dict[str, Any]:
        from har_keras.reporting import forecasts

        shown = max(0, self.start - 2 * max(len(self.truth), self.season))
        past = self.series.axis(shown, len(self.series.values)), self.series.values[shown:]
        share = f"{self.interval:.0%}"
        tested = self.series.axis(self.start, len(self.series.values))
        ahead = self.series.axis(self.start, self.start + self.horizon)
        errors = {name: np.abs(found - self._rolling_truth) for name, found in methods.items()}
        if (self._rolling_truth != 0).all():
            errors = {n: 100 * e / np.abs(self._rolling_truth) for n, e in errors.items()}
            unit = "mean absolute error (% of the value)"
        else:
            unit = f"mean absolute error ({self.label})"
        name = self.label
        return {
            "one_step": forecasts.forecast(*past, tested, one_step, name, "one step ahead", share),
            "free_running": forecasts.forecast(*past, ahead, free, name, "free-running", share),
            "backtests": forecasts.by_lead(
                {n: e.mean(0) for n, e in errors.items()}, unit, len(self.origins)
            ),
        }

    def _files(
        self, forecaster: Forecaster, one_step: Band, free: Band, methods: dict[str, Array]
    ) -> dict[str, str]:
        record = {"block": forecaster.block, "errors": forecaster.errors.tolist()}
        return {
            "forecasts.csv": _text(self._forecast_rows(one_step, free)),
            "backtests.csv": _text(self._backtest_rows(methods)),
            ERRORS: json.dumps(record, indent=2) + "\n",
        }

    def _forecast_rows(self, one_step: Band, free: Band) -> Iterable[list[Any]]:
        kinds = ("one_step", "free_running")
        names = (f"{kind}{end}" for kind in kinds for end in ("", "_lower", "_upper"))
        yield ["time", "truth", *names]
        steps = max(len(self.truth), self.horizon)
        times = self.series.labels(self.start, self.start + steps)
        columns = [_cells(column, steps) for column in (self.truth, *one_step, *free)]
        yield from ([*row] for row in zip(times, *columns, strict=True))

    def _backtest_rows(self, methods: dict[str, Array]) -> Iterable[list[Any]]:
        yield ["origin", "lead", "time", "truth", *methods]
        for row, origin in enumerate(self.origins):
            times = self.series.labels(origin - 1, origin + self.leads)
            for lead in range(self.leads):
                found = (f"{forecasts[row, lead]:.7g}" for forecasts in methods.values())
                truth = f"{self._rolling_truth[row, lead]:.7g}"
                yield [times[0], lead + 1, times[lead + 1], truth, *found]


def _cells(column: Array, count: int) -> list[str]:
    return [f"{value:.7g}" for value in column] + [""] * (count - len(column))


def _text(rows: Iterable[list[Any]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()
