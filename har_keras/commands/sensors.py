"""What `predict` and `stream` share: the run at work, and the lines they print."""

from collections.abc import Iterator

from har_keras import backend
from har_keras.config import Config, from_run
from har_keras.data.windower import Windower
from har_keras.inference import Description, LoadedRun, Predictions

OF_THE_RUN = ("backend", "hardware.")
HEADER = ("start", "end", "prediction", "probability")


def configured(description: Description, overrides: list[str]) -> Config:
    """The run's config with what was typed on top; `KERAS_BACKEND` counts as typed."""
    chosen = f"backend={backend.default(description.backend)}"
    return from_run(description.folder, [chosen, *overrides])


def opened(config: Config, description: Description) -> LoadedRun:
    """Start Keras and load the model."""
    backend.start(config.backend, config.hardware, config.seed)
    return LoadedRun(description)


def times(found: Predictions) -> Iterator[tuple[str, str]]:
    """Start and end of each window in seconds, with two decimals or as many as are needed."""
    yield from zip(map(_seconds, found.start), map(_seconds, found.end), strict=True)


def rows(found: Predictions) -> Iterator[tuple[str, ...]]:
    """The line of each window, below `HEADER`."""
    sure = found.probabilities.max(-1)
    for time, label, probability in zip(times(found), found.labels, sure, strict=True):
        yield (*time, label, f"{probability:.4f}")


def gaps(windower: Windower) -> str:
    """One line about gaps, or an empty string."""
    if windower.first_gap is None:
        return ""
    at, length = windower.first_gap
    count = "1 gap" if windower.gaps == 1 else f"{windower.gaps} gaps, the first"
    return f"{count} of {length:.4g} s after {_seconds(at)} s: no window spans one"


def steady(rate: float) -> str:
    """One line about a file without times."""
    return f"no column time: taken as sampled at {rate:g} Hz (rate=… says otherwise)"


def _seconds(value: float) -> str:
    whole, _, decimals = f"{value:.6f}".partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"
