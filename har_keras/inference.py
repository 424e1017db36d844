"""A finished run at work: from raw recordings to labels.

    run = har_keras.load_run("outputs/har/…")
    found = run.predict(recording, rate=50.0)   # (timesteps, raw channels)

The run folder is only read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from har_keras import backend
from har_keras.data.preprocessing import Preprocessing, from_record
from har_keras.data.windower import cut
from har_keras.errors import UserError
from har_keras.run_folder import read_finished

BATCHES = (256, 16, 1)  # windows; few sizes, as JAX compiles the model for each


class Predictions(NamedTuple):
    """One row a window.

    start, end: float64 (m,), seconds; `end` is where the sample after the window's last would be.
    labels: str (m,). probabilities: float64 (m, classes), in the order of the run's `classes`.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    labels: NDArray[np.str_]
    probabilities: NDArray[np.float64]


@dataclass(frozen=True)
class Description:
    """What `run.json` says about sensors in and classes out."""

    folder: Path
    backend: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing


def describe(folder: Path) -> Description:
    """Read a finished run's description; raise `UserError` for any other folder."""
    record, _ = read_finished(folder)
    path = folder / "run.json"
    preprocessing = from_record(record, path)
    classes: Any = record.get("classes")
    named = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
    if not named or len(set(classes)) < max(1, len(classes)):
        raise UserError(f"{path}: expected the key classes, a list of names, found {classes!r:.80}")
    return Description(folder, record["backend"], tuple(classes), preprocessing)


class LoadedRun:
    """The model of a finished run with what stands before and behind it.

    preprocessing: what raw samples go through. classes: names, in the order of the probabilities.
    """

    def __init__(self, description: Description) -> None:
        """Load the model on the running backend; raise `UserError` for one that does not fit."""
        from har_keras.pipeline import open_model

        self.folder = description.folder
        self.classes = description.classes
        self.preprocessing = description.preprocessing
        window = self.preprocessing.window, self.preprocessing.features
        self._model: Any = open_model(self.folder / "model.keras", window, (len(self.classes),))

    def predict(
        self, recording: ArrayLike, rate: float = 50.0, time: ArrayLike | None = None
    ) -> Predictions:
        """Label every window of a recording.

        Args:
            recording: (timesteps, raw channels), the channels of `preprocessing.columns`.
            rate: samples a second (Hz), where `time` is not given.
            time: (timesteps,) seconds, strictly increasing.

        Raises:
            UserError: the recording is too short, too slow, in other units, or holds values that
                are not finite.
        """
        samples = _numbers("recording", recording)
        times = None if time is None else _numbers("time", time)
        if times is not None and times.shape != samples.shape[:1]:
            raise UserError(f"expected one time a sample, found {times.shape} and {samples.shape}")
        found, _ = cut(self.preprocessing, times, samples, rate if times is None else None)
        return self.label(found.start, found.x)

    def label(self, start: NDArray[np.float64], x: NDArray[np.float32]) -> Predictions:
        """Label windows (m, window, features) that start at `start` (m,), in seconds."""
        probabilities = self.probabilities(x)
        labels = np.array(self.classes)[probabilities.argmax(-1)]
        return Predictions(start, start + self.preprocessing.seconds, labels, probabilities)

    def probabilities(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Class probabilities (m, classes) of windows (m, window, features)."""
        from scipy.special import softmax

        parts = [np.zeros((0, len(self.classes)))]
        while len(x):
            size = min((size for size in BATCHES if size >= len(x)), default=BATCHES[0])
            batch, x = x[:size], x[size:]
            filling = np.repeat(batch[:1], size - len(batch), axis=0)
            logits = self._model.predict_on_batch(np.concatenate([batch, filling]))
            parts.append(np.asarray(logits, np.float64)[: len(batch)])
        return softmax(np.concatenate(parts), axis=-1)


def load_run(path: str | Path) -> LoadedRun:
    """Load a finished run.

    Keras as it runs in this process is used. Where it is not imported yet, its backend is that of
    `KERAS_BACKEND`, else the run's, else the first installed.

    Raises:
        UserError: no finished run, or one whose model does not fit.
    """
    description = describe(Path(path).expanduser())
    backend.join(description.backend)
    return LoadedRun(description)


def _numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(f"{name}: expected an array of numbers, but {error}") from error
