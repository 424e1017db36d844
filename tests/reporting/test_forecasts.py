import numpy as np
import pytest

from har_keras.reporting import figures, forecasts

DATES = np.datetime64("1949-01", "M") + np.arange(24)


@pytest.mark.parametrize("times", [DATES.astype("datetime64[s]"), np.arange(24.0)])
def test_forecast(times: np.ndarray) -> None:
    point = np.arange(6.0)
    band = point, point - 1, point + 1
    figure = forecasts.forecast(
        times, np.arange(24.0), times[-6:], band, "passengers (thousands)", "free-running", "90%"
    )
    (axes,) = figure.axes
    assert axes.get_ylabel() == "passengers (thousands)"
    assert axes.get_xlabel() == "time"
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["90% interval", "series", "forecast, free-running", "start of test part"]
    assert figures.png(figure).startswith(b"\x89PNG")


def test_a_long_name_is_cut() -> None:
    flat = np.zeros(3)
    figure = forecasts.forecast(flat, flat, flat, (flat, flat, flat), "x" * 99, "one step", "90%")
    assert figure.axes[0].get_ylabel() == "x" * 39 + "…"


def test_by_lead() -> None:
    found = {"model": np.arange(12.0), "ETS": np.ones(12)}
    figure = forecasts.by_lead(found, "mean absolute error (%)", 7)
    (axes,) = figure.axes
    assert axes.get_xlabel() == "steps ahead (mean over 7 origins)"
    assert axes.get_ylabel() == "mean absolute error (%)"
    assert [line.get_label() for line in axes.lines] == ["model", "ETS"]
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), np.arange(12) + 1)
    assert figures.png(figure).startswith(b"\x89PNG")
