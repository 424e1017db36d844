"""Forecasts of a series without a network: seasonal naive, and exponential smoothing (ETS)."""

import sys
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MOST_STATES = 24  # a longer season's states are set by rule, not fitted


class Forecasts(NamedTuple):
    """What one method says of `values[start:]`, in the units of the series.

    `one_step` (n - start,), each from the true values before it. `free` (horizon,), all from the
    values before `start`. `rolling` (origins, leads), each row from the values before an origin.
    """

    one_step: Array
    free: Array
    rolling: Array


def seasonal_naive(
    values: Array, start: int, season: int, horizon: int, origins: Sequence[int], leads: int
) -> Forecasts:
    """The value a season before, the last known one."""
    rolling = [_repeated(values[:origin], season, leads) for origin in origins]
    free = _repeated(values[:start], season, horizon)
    return Forecasts(values[start - season : -season], free, np.stack(rolling))


def ets(
    values: Array, start: int, season: int, horizon: int, origins: Sequence[int], leads: int
) -> Forecasts | None:
    """ETS(M,A,M), with additive error and season where values are not all above 0.

    Fitted on `values[:start]` alone; later values move its states, not its parameters. None, with a
    line on standard error, where statsmodels cannot fit it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted = _model(values[:start], season, start).fit(disp=False, maxiter=500)
            smoothed = _model(values, season, start).smooth(fitted.params)
            rolling = [
                _model(values[:origin], season, start).smooth(fitted.params).forecast(leads)
                for origin in origins
            ]
            free = np.asarray(fitted.forecast(horizon))
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            print(f"no ETS baseline: {error}", file=sys.stderr)
            return None
    return Forecasts(np.asarray(smoothed.fittedvalues)[start:], free, np.stack(rolling))


def _model(values: Array, season: int, start: int) -> Any:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    kind = "mul" if (values > 0).all() else "add"
    seasonal = season if 1 < season <= start // 2 - 2 else None
    return ETSModel(
        values,
        error=kind,
        trend="add",
        seasonal=kind if seasonal else None,
        seasonal_periods=seasonal,
        initialization_method="estimated" if season <= MOST_STATES else "heuristic",
    )


def _repeated(known: Array, season: int, steps: int) -> Array:
    return known[len(known) - season + np.arange(steps) % season]
