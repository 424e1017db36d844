"""The scale on which a model sees a series, and the way back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import boxcox, inv_boxcox

POWERS = np.linspace(0, 1, 11)  # what `likeliest_power` chooses from
ROUNDING = 1e-9  # of the largest value: steps that vary less do not vary

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """`(w(y[t]) - w(y[t - lag]) - mean) / deviation`, without the middle term where `lag` is 0.

    `w` is the power transformation of Box and Cox (1964), `w(y) = (y**power - 1) / power`, the
    logarithm for 0, and `y` itself where `power` is None.
    """

    power: float | None = None
    lag: int = 0
    mean: float = 0.0
    deviation: float = 1.0

    @classmethod
    def learn(cls, values: Array, power: float | None, lag: int) -> "Scale":
        """The scale on which `values` (n,) have mean 0, and deviation 1 where they vary."""
        powers = cls(power, lag).powers(values)
        steps = cls(power, lag).differences(powers)
        varies = steps.std() > ROUNDING * np.abs(powers).max()
        return cls(power, lag, float(steps.mean()), float(steps.std()) if varies else 1.0)

    def powers(self, values: Array) -> Array:
        """`w` of values of any shape."""
        return values if self.power is None else np.asarray(boxcox(values, self.power))

    def differences(self, powers: Array) -> Array:
        """`powers` (…, n) less those `lag` steps before: (…, n - lag)."""
        return powers[..., self.lag :] - powers[..., : -self.lag] if self.lag else powers

    def standard(self, values: Array) -> Array:
        """Values (…, n) as the model sees them, (…, n - lag)."""
        return (self.differences(self.powers(values)) - self.mean) / self.deviation

    def power_of(self, standard: Array, before: Array) -> Array:
        """`w` of what the model says; `before` is `w` of the values `lag` steps before, or 0."""
        return standard * self.deviation + self.mean + before

    def values(self, powers: Array) -> Array:
        """The inverse of `w`; the least value there is, 0, for what lies below its image."""
        if self.power is None:
            return powers
        if self.power == 0:
            return np.exp(powers)
        return np.asarray(inv_boxcox(np.maximum(powers, -1 / self.power), self.power))


def likeliest_power(values: Array, lag: int) -> float:
    """The Box-Cox power, 0 to 1, under which `values` (n,), all above 0, are likeliest.

    By the profile likelihood of the linear counterpart of what is learned: an autoregression of
    first order, with a constant, of the differences over `lag` steps (Box and Cox 1964).
    """
    return float(max(POWERS, key=lambda power: _likelihood(values, float(power), lag)))


def _likelihood(values: Array, power: float, lag: int) -> float:
    scale = Scale(power, lag)
    steps = scale.differences(scale.powers(values))
    design = np.stack([np.ones(len(steps) - 1), steps[:-1]], axis=1)
    found = np.linalg.lstsq(design, steps[1:], rcond=None)[0]
    variance = np.mean((steps[1:] - design @ found) ** 2)
    jacobian = (power - 1) * np.log(values[lag + 1 :]).sum()
    return float(-len(design) / 2 * np.log(variance + np.finfo(float).tiny) + jacobian)
