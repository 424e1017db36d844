"""Input description: a window of one series, on the scale that the model learns on."""

from dataclasses import asdict, dataclass
from typing import Any

from har_keras.data.scale import Scale
from har_keras.tasks.description import Inputs


@dataclass(frozen=True)
class Window(Inputs):
    """The last `timesteps` values of a series, through `scale`.

    `column` and `time` are the columns of the file that was learned from, `every` its step;
    `season` counts steps. `interval` is the share of outcomes that a prediction interval is to
    hold.
    """

    timesteps: int
    scale: Scale
    column: str
    time: str | None
    every: str | None
    season: int
    interval: float

    @property
    def shape(self) -> tuple[int, ...]:
        """(timesteps, 1)."""
        return self.timesteps, 1

    def open(self) -> tuple[Any, Any]:
        """The `keras.Input` (batch, timesteps, 1), where an encoder starts from."""
        import keras

        start = keras.Input(self.shape, name="series")
        return start, start

    def describe(self) -> dict[str, Any]:
        """All that makes windows of a file, and values of what the model says."""
        return {"kind": "series"} | asdict(self)
