"""Output description: the next value of a series, at every step of a window."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from har_keras.data.scale import Scale
from har_keras.tasks.description import Outputs


@dataclass(frozen=True)
class ValuePerStep(Outputs):
    """The value that follows each of `timesteps` steps.

    `y` is (samples, timesteps, 2): the value on `scale`, not-a-number where it does not count for
    the loss, and what `scale` needs to make a value of it again. Metrics are of the last step, in
    the series' own units. `naive_error` is the mean absolute error of the seasonal naive forecast
    over the training values.
    """

    timesteps: int
    scale: Scale
    naive_error: float
    per_step: ClassVar[bool] = True
    causal: ClassVar[bool] = True
    spread: ClassVar[float] = 1.0
    labels: ClassVar[Mapping[str, str]] = {"loss": "mean squared error (scaled values²)"}

    @property
    def shape(self) -> tuple[int, ...]:
        """(timesteps, 1)."""
        return self.timesteps, 1

    def describe(self) -> dict[str, Any]:
        """`kind` and what the scaled error is measured by."""
        return {"kind": "values", "naive_error": self.naive_error}

    def head(self, encoded: Any) -> Any:
        """Scaled values (batch, timesteps, 1), at least in float32."""
        import keras

        dtype = "float32" if keras.config.dtype_policy().name.startswith("mixed") else None
        return keras.layers.Dense(1, name="head", dtype=dtype)(encoded)

    def loss(self) -> Any:
        """Mean squared error of each sample's steps that count."""
        return squared_error

    def compiled_metrics(self) -> list[Any]:
        """Nothing but the loss: errors in the series' units are measured at the end."""
        return []

    def metrics(self, truth: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        """`mae`, `rmse`, `mape` and `mase` one step ahead."""
        from har_keras.reporting.metrics import forecasting

        return forecasting(*self._last(truth, outputs), self.naive_error)

    def prediction_rows(self, truth: np.ndarray, outputs: np.ndarray) -> Iterator[list[Any]]:
        """Header and rows of `predictions.csv`: one step ahead."""
        yield ["index", "truth", "prediction"]
        for i, (true, forecast) in enumerate(zip(*self._last(truth, outputs), strict=True)):
            yield [i, f"{true:.7g}", f"{forecast:.7g}"]

    def told(self, truth: np.ndarray, outputs: np.ndarray) -> Iterator[tuple[str, str]]:
        """Value and forecast, with its error in per cent of the value."""
        for true, forecast in zip(*self._last(truth, outputs), strict=True):
            off = f" ({forecast / true - 1:+.1%})" if true else ""
            yield f"{true:.5g}", f"{forecast:.5g}{off}"

    def _last(self, truth: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        before = truth[:, -1, 1].astype("float64")
        scaled = truth[:, -1, 0].astype("float64"), outputs[:, -1, 0].astype("float64")
        true, forecast = (self.scale.values(self.scale.power_of(x, before)) for x in scaled)
        return true, forecast


def squared_error(truth: Any, outputs: Any) -> Any:
    """A number from (batch, timesteps, 2) and (batch, timesteps, 1), see `ValuePerStep`."""
    from keras import ops

    target = truth[..., 0]
    counts = ops.logical_not(ops.isnan(target))
    errors = ops.where(counts, outputs[..., 0] - ops.where(counts, target, 0.0), 0.0)
    return ops.mean(ops.sum(ops.square(errors), -1) / ops.sum(ops.cast(counts, errors.dtype), -1))
