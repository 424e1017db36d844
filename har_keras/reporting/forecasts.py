"""Figures of forecasts; each function returns a `Figure`."""

from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from har_keras.reporting.figures import BLUE, GREEN, GREY, ORANGE, STYLE, VERMILION

MARKS = (("o", BLUE), ("s", ORANGE), ("^", GREEN), ("v", VERMILION))


def forecast(
    times: NDArray[Any],
    values: ArrayLike,
    ahead: NDArray[Any],
    band: tuple[ArrayLike, ArrayLike, ArrayLike],
    name: str,
    kind: str,
    share: str,
) -> Figure:
    """Draw a series, its forecast and the prediction interval.

    Args:
        times: (n,) dates or numbers, of the series.
        values: (n,), in the units that `name` tells.
        ahead: (m,) as `times`, of the forecast.
        band: point, lower and upper end of the interval, each (m,).
        name: label of the values.
        kind: of the forecast, such as "one step ahead".
        share: of the outcomes that the interval is to hold, such as "90%".
    """
    point, lower, upper = (np.asarray(part, np.float64) for part in band)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 4), layout="constrained")
        axes = figure.subplots()
        axes.fill_between(
            ahead, lower, upper, color=ORANGE, alpha=0.3, lw=0, label=f"{share} interval"
        )
        axes.plot(times, values, color=BLUE, label="series")
        axes.plot(ahead, point, color=VERMILION, linestyle="--", label=f"forecast, {kind}")
        axes.axvline(ahead[0], color=GREY, linestyle=":", linewidth=1.2, label="start of test part")
        axes.set(xlabel="time", ylabel=name if len(name) < 40 else name[:39] + "…")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def by_lead(errors: Mapping[str, ArrayLike], label: str, origins: int) -> Figure:
    """Draw the error of each method (steps,) over the steps ahead, a mean over `origins`."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.5, 4), layout="constrained")
        axes = figure.subplots()
        for (name, found), (marker, colour) in zip(errors.items(), MARKS, strict=False):
            found = np.asarray(found)
            marks: dict[str, Any] = {"marker": marker, "markevery": max(1, len(found) // 12)}
            axes.plot(np.arange(len(found)) + 1, found, color=colour, label=name, **marks)
        axes.set(xlabel=f"steps ahead (mean over {origins} origins)", ylabel=label)
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure
