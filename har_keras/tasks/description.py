"""What every description of a task's input and output says; models and pipeline ask no more."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from har_keras.data.preprocessing import Preprocessing


class Embedded(NamedTuple):
    """`vectors` float32 (words, width), a row for each of `words`; `layer` they come from."""

    layer: str
    words: list[str]
    vectors: np.ndarray


class Inputs(ABC):
    """What a model takes: one array of `shape`, without the batch axis, of `timesteps` first.

    `preprocessing` makes windows of raw sensor samples, None where there are no sensors. `streams`:
    how many samples a batch has, where each goes on in the next batch, at the state it left;
    `restart`: after how many updates of training they start anew, None where an epoch does only.
    """

    timesteps: int
    preprocessing: Preprocessing | None = None
    streams: int | None = None
    restart: int | None = None

    @property
    @abstractmethod
    def shape(self) -> tuple[int | None, ...]:
        """(timesteps, …), None for timesteps where the model takes any number of them."""

    @abstractmethod
    def open(self) -> tuple[Any, Any]:
        """The `keras.Input` and the tensor (batch, timesteps, features) an encoder starts from.

        Steps that are padding are told by the tensor's Keras mask.
        """

    def evidence(self, start: Any) -> Any | None:
        """Logits of the `keras.Input` alone, to be added to those of the head, or None."""
        return None

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Plain values for `run.json`; `kind` (`signals`, `tokens`, `series`) says who reads it."""

    def lengths(self, x: np.ndarray) -> np.ndarray | None:
        """How many steps of each sample count, where its model takes any number of them."""
        return None

    def show(self, x: np.ndarray) -> str:
        """One sample (`shape`) as a person reads it, or an empty string."""
        return ""

    def embedded(self, model: Any) -> Embedded | None:
        """The word vectors of a model, where it has such."""
        return None


class Outputs(ABC):
    """What a model gives for a sequence, or for each of its steps (`per_step`).

    `causal`: whether a step's output must not see later steps. `spread`: how much of the variance
    among the members of an ensemble its loss takes up, so that each learns by itself.
    `classes`: their names, where there are classes. `monitors`: what `training.monitor` may be, and
    whether it is better `min` or `max`. `labels`: metric followed in training → label of its axis
    with unit, None for those of a classification.
    """

    per_step: ClassVar[bool] = False
    causal: ClassVar[bool] = False
    spread: ClassVar[float] = 0.0
    monitors: ClassVar[Mapping[str, str]] = {"val_loss": "min"}
    labels: ClassVar[Mapping[str, str] | None] = None
    classes: tuple[str, ...] = ()

    @property
    @abstractmethod
    def shape(self) -> tuple[int | None, ...]:
        """Shape of the model's output without the batch axis."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Plain values for `run.json`; `kind` (`class`, `tags`, `values`) says who reads it."""

    @abstractmethod
    def head(self, encoded: Any) -> Any:
        """The output from (batch, width), with `per_step` from (batch, timesteps, width)."""

    @abstractmethod
    def loss(self) -> Any:
        """The Keras loss."""

    @abstractmethod
    def compiled_metrics(self) -> list[Any]:
        """What is followed during training."""

    def kept(self, truth: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """What is kept of the model's outputs; all that is told below is told of this."""
        return outputs

    @abstractmethod
    def metrics(self, truth: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        """The figures of `metrics.json` for one split."""

    @abstractmethod
    def prediction_rows(self, truth: np.ndarray, outputs: np.ndarray) -> Iterator[list[Any]]:
        """Header and rows of `predictions.csv`."""

    def figures(
        self, truth: np.ndarray, outputs: np.ndarray, groups: np.ndarray, note: str
    ) -> Mapping[str, Any]:
        """Figures of the test set by file name."""
        return {}

    def precision_recall(
        self, truth: np.ndarray, outputs: np.ndarray
    ) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
        """By class: whether a sample is of it (bool), and its probability, both (samples,)."""
        return {}

    def predicted(self, outputs: np.ndarray) -> np.ndarray:
        """What outputs say: for classes their probabilities, else the outputs themselves."""
        return outputs

    def told(self, truth: np.ndarray, outputs: np.ndarray) -> Iterator[tuple[str, str]]:
        """Truth and prediction of each sample as a person reads them; nothing where too long."""
        yield from ()
