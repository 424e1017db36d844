"""Initial weights drawn with NumPy, so that one seed gives the same weights on every backend."""

import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from har_keras.errors import UserError

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]

_NUMBER = r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*"


def parse(key: str, text: str) -> Draw:
    """`uniform(low, high)` or `normal(mean, deviation)` as a function of generator and shape."""
    match = re.fullmatch(rf"(uniform|normal)\({_NUMBER},{_NUMBER}\)", text.strip())
    if not match or float(match[3]) < (float(match[2]) if match[1] == "uniform" else 0):
        raise UserError(f"{key}={text}: expected uniform(low, high) or normal(mean, deviation)")
    name, first, second = match[1], float(match[2]), float(match[3])
    return lambda rng, shape: getattr(rng, name)(first, second, shape)


def draw(model: Any, seed: int, patterns: Mapping[str, str]) -> None:
    """Redraw all random initial weights of a built `keras.Model`, in place.

    A weight whose path below the model (`head/kernel`) matches one of `patterns` (`head/*`) is
    drawn from that distribution, biases too; every other one as its layer's initializer says.
    Raises `UserError` for a pattern that matches no weight.
    """
    rng = np.random.default_rng(seed)
    draws = {pattern: parse(pattern, text) for pattern, text in patterns.items()}
    unused = set(draws)
    for layer in model._flatten_layers(include_self=False):
        for variable, initializer in _weights(layer):
            pattern = next((p for p in draws if fnmatchcase(variable.path, p)), None)
            if pattern:
                unused.discard(pattern)
                variable.assign(draws[pattern](rng, variable.shape))
            elif (kind := type(initializer).__name__) in _KERAS:
                variable.assign(_KERAS[kind](initializer, rng, variable.shape))
            elif kind not in _CONSTANT:
                raise NotImplementedError(f"{variable.path}: no NumPy form of {initializer}")
    if unused:
        paths = ", ".join(variable.path for variable in model.trainable_variables)
        raise UserError(
            f"training.initial_weights.{min(unused)}: matches no weight, expected one of {paths}"
        )


def _weights(layer: Any) -> Iterator[tuple[Any, Any]]:
    """A layer's own trainable weights with their initializers (`recurrent_initializer` …)."""
    for variable in layer._trainable_variables:
        name = variable.name.removesuffix("_kernel")
        yield variable, getattr(layer, f"{name}_initializer", None)


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    receptive_field = float(np.prod(shape[:-2]))
    return shape[-2] * receptive_field, shape[-1] * receptive_field


def _glorot_uniform(_: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    limit = np.sqrt(6 / sum(_fans(shape)))
    return rng.uniform(-limit, limit, shape)


def _he_normal(_: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(0, np.sqrt(2 / _fans(shape)[0]), shape)


def _orthogonal(initializer: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return initializer.gain * (q if rows >= columns else q.T).reshape(shape)


def _random_uniform(
    initializer: Any, rng: np.random.Generator, shape: tuple[int, ...]
) -> np.ndarray:
    return rng.uniform(initializer.minval, initializer.maxval, shape)


def _chrono(initializer: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return initializer.draw(rng, shape)


_KERAS = {
    "Chrono": _chrono,
    "GlorotUniform": _glorot_uniform,
    "HeNormal": _he_normal,
    "Orthogonal": _orthogonal,
    "OrthogonalInitializer": _orthogonal,
    "RandomUniform": _random_uniform,
}
_CONSTANT = {"Zeros", "Ones", "Constant", "Identity"}
