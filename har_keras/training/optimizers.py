"""Optimizers and learning-rate schedules: the schemas of `conf/optimizer/` and what they build."""

from dataclasses import dataclass, fields
from math import inf
from typing import Any

from har_keras.errors import require, require_choice

SCHEDULES = ("constant", "cosine", "exponential", "plateau")


@dataclass
class Optimizer:
    """What all optimizers share.

    `schedule` changes the learning rate over the whole training: `cosine` and `exponential` fall
    to `final_learning_rate` at the last update, `plateau` halves whenever `training.monitor` has
    not improved for half of `training.patience`. `warmup` is the share of updates in which the
    rate first rises linearly from 0 before it falls along the cosine. `clip_norm` bounds the norm
    of all gradients together.
    """

    name: str = ""
    learning_rate: float = 0.001
    schedule: str = "constant"
    final_learning_rate: float = 1e-5
    warmup: float = 0.0
    clip_norm: float | None = None

    def __post_init__(self) -> None:
        """Check each value by itself."""
        key = "optimizer."
        rate = self.learning_rate
        require(0 < rate < inf, f"{key}learning_rate", rate, "above 0, and finite")
        if hasattr(self, "epsilon"):
            require(self.epsilon > 0, f"{key}epsilon", self.epsilon, "above 0")
        require_choice(f"{key}schedule", self.schedule, SCHEDULES)
        final = self.final_learning_rate
        require(
            0 < final <= self.learning_rate or self.schedule not in ("cosine", "exponential"),
            f"{key}final_learning_rate",
            final,
            f"above 0 and at most learning_rate={self.learning_rate}",
        )
        require(0 <= self.warmup < 1, f"{key}warmup", self.warmup, "0 to below 1")
        require(
            self.warmup == 0 or self.schedule == "cosine",
            f"{key}warmup",
            self.warmup,
            f"0 with schedule={self.schedule} (only cosine warms up)",
        )
        if self.clip_norm is not None:
            require(self.clip_norm > 0, f"{key}clip_norm", self.clip_norm, "above 0, or null")
        for name in {f.name for f in fields(self)} & _RATES:
            value = getattr(self, name)
            require(0 <= value < 1, f"{key}{name}", value, "0 to below 1")


_RATES = {"beta_1", "beta_2", "rho", "momentum"}


@dataclass
class Adam(Optimizer):
    """Kingma & Ba 2015."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7


@dataclass
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

    weight_decay: float = 0.004

    def __post_init__(self) -> None:
        """Check each value by itself."""
        super().__post_init__()
        require(self.weight_decay >= 0, "optimizer.weight_decay", self.weight_decay, "0 or more")


@dataclass
class RMSprop(Optimizer):
    """Hinton 2012."""

    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7


@dataclass
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if not 0."""

    momentum: float = 0.0
    nesterov: bool = False


SCHEMAS = (Adam, AdamW, RMSprop, SGD)


def build(optimizer: Optimizer, updates: int) -> Any:
    """The Keras optimizer of the dataclass's name, its schedule spread over `updates` steps."""
    import keras

    shared = {f.name for f in fields(Optimizer)}
    own = {f.name: getattr(optimizer, f.name) for f in fields(optimizer) if f.name not in shared}
    built = getattr(keras.optimizers, type(optimizer).__name__)(
        learning_rate=_schedule(optimizer, updates), global_clipnorm=optimizer.clip_norm, **own
    )
    if keras.backend.backend() == "tensorflow":
        _sum_repeated_rows(built)
    return built


def _sum_repeated_rows(optimizer: Any) -> None:
    """Make gradients of embeddings dense before they are used.

    TensorFlow gives them row by row, and Keras squares each mention of a row by itself: clipping
    and Adam would see a token met twice in a batch as two tokens.
    """
    import tensorflow as tf

    apply = optimizer.apply

    def dense(gradient: Any) -> Any:
        by_row = isinstance(gradient, tf.IndexedSlices)
        return tf.convert_to_tensor(gradient) if by_row else gradient

    def apply_dense(gradients: list[Any], variables: Any = None) -> Any:
        return apply([dense(gradient) for gradient in gradients], variables)

    optimizer.apply = apply_dense


def _schedule(optimizer: Optimizer, updates: int) -> Any:
    from keras.optimizers import schedules

    rate, final = optimizer.learning_rate, optimizer.final_learning_rate
    warmup = round(optimizer.warmup * updates)
    falling = max(1, updates - warmup)
    if optimizer.schedule == "cosine":
        return schedules.CosineDecay(
            0.0 if warmup else rate,
            falling,
            alpha=final / rate,
            warmup_target=rate if warmup else None,
            warmup_steps=warmup,
        )
    if optimizer.schedule == "exponential":
        return schedules.ExponentialDecay(rate, falling, final / rate)
    return rate
