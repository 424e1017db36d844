"""Whether numbers can be in the units that a model was trained with, and what they look like."""

import numpy as np
from numpy.typing import NDArray

from har_keras.errors import UserError

MOST_ROTATION = 12.0  # rad/s, in 99 of 100 values
MOST_TIMES = 50  # a raw rate more often than this the model's is taken for a wrong unit of time
G = 9.80665  # m/s²
TIMES = {"milliseconds": "1e3", "microseconds": "1e6", "nanoseconds": "1e9"}


def check(x: NDArray[np.float32]) -> None:
    """Raise `UserError` unless inertial windows (m, window, 9) can be in g and rad/s."""
    rotation, total = x[..., 3:6], x[..., 6:9]
    force = float(np.median(np.linalg.norm(total, axis=-1)))
    if not 0.5 <= force <= 2:
        turning = float(np.median(np.linalg.norm(rotation, axis=-1)))
        if force < 0.5 and (0.8 <= turning <= 1.25 or 0.8 <= turning / G <= 1.25):
            advice = "gyro_* looks like it: the two sensors seem to be swapped"
        elif force < 0.5:
            advice = (
                "gravity seems to have been taken out (linear acceleration), or these are a"
                " gyroscope's values; record total acceleration"
            )
        elif 0.5 <= force / G <= 2:
            advice = "looks like m/s², divide by 9.80665"
        elif 0.5 <= force / 1000 <= 2:
            advice = "looks like mg, divide by 1000"
        else:
            advice = "divide by the sensor's count for 1 g"
        raise UserError(
            f"acc_x, acc_y, acc_z: expected total acceleration in g, about 1 in length, found"
            f" {force:.3g}: {advice}"
        )
    fastest = float(np.percentile(np.abs(rotation), 99))
    if fastest > MOST_ROTATION:
        raise UserError(
            f"gyro_x, gyro_y, gyro_z: expected rad/s, found up to {fastest:.3g}: looks like degrees"
            " per second, multiply by pi/180"
        )


def check_seconds(interval: float, rate: float, lowest: float) -> None:
    """Raise `UserError` where sample times `interval` apart are surely not in seconds.

    rate: of the model, in Hz; lowest: that it can do with.
    """
    for unit, factor in TIMES.items():
        if interval > 1 and lowest <= float(factor) / interval <= MOST_TIMES * rate:
            raise UserError(
                f"time: expected seconds, found steps of {interval:g}: looks like {unit}, divide by"
                f" {factor}"
            )
