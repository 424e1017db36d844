"""What raw sensor samples go through before a model: a part of the model, kept in `run.json`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from har_keras.data import recordings
from har_keras.data.signals import NOISE_CUTOFF
from har_keras.errors import UserError, require, require_choice

RAW = tuple(f"{sensor}_{axis}" for sensor in ("acc", "gyro") for axis in "xyz")
FILTERS = ("inertial", "none")


@dataclass(frozen=True)
class Preprocessing:
    """How windows are made of raw samples (`windower.py` does it).

    columns: the raw channels, in order. rate: samples a second (Hz) in a window. window, step: its
    length and the distance between two starts, in samples. filter: `none` passes the channels on;
    `inertial` takes acc_x … gyro_z (total acceleration in g, rad/s) and gives the nine signals of
    `data.recordings.SIGNALS`: noise filtered, gravity taken out.
    """

    columns: tuple[str, ...] = RAW
    rate: float = recordings.RATE
    window: int = recordings.WINDOW
    step: int = recordings.WINDOW // 2
    filter: str = "inertial"

    def __post_init__(self) -> None:
        """Check the values; raise `UserError`."""
        columns = self.columns
        named = isinstance(columns, list | tuple) and all(isinstance(c, str) for c in columns)
        require(named and len(columns) > 0, "columns", columns, "names of raw channels")
        require(len(set(columns)) == len(columns), "columns", columns, "different names")
        object.__setattr__(self, "columns", tuple(columns))
        require(_is_number(self.rate), "rate", self.rate, "above 0 Hz, and finite")
        require(_is_count(self.window), "window", self.window, "at least 1 sample")
        step_fits = _is_count(self.step) and self.step <= self.window
        require(step_fits, "step", self.step, f"1 to the window's {self.window} samples")
        require_choice("filter", self.filter, FILTERS)
        if self.filter == "inertial":
            found = ", ".join(self.columns)
            require(
                self.columns == RAW, "filter", "inertial", f"columns {', '.join(RAW)}, {found=}"
            )
            enough = self.rate > 2 * NOISE_CUTOFF
            require(enough, "rate", self.rate, f"above {2 * NOISE_CUTOFF:g} Hz (filter=inertial)")

    @property
    def features(self) -> int:
        """How many signals a window has."""
        return len(recordings.SIGNALS) if self.filter == "inertial" else len(self.columns)

    @property
    def seconds(self) -> float:
        """How long a window is."""
        return self.window / self.rate


def from_record(record: Mapping[str, Any], path: Path) -> Preprocessing:
    """The preprocessing that `run.json` (at `path`) tells; raise `UserError` for an edited one."""
    found = record.get("preprocessing")
    if found is None:
        raise UserError(
            f"{path}: expected the key preprocessing; train again with this version, on a task that"
            " reads sensors (har, recordings)"
        )
    try:
        return Preprocessing(**found)
    except TypeError as error:
        reason = str(error).replace("Preprocessing.__init__() got an ", "")
        raise UserError(f"{path}: preprocessing: {reason}") from error
    except UserError as error:
        raise UserError(f"{path}: preprocessing: {error}") from error


def _is_number(value: object) -> bool:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and 0 < value < float("inf")  # type: ignore[operator]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31
