"""The calls on a backend's automatic differentiation that Keras has no name for."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np


def gradient_of(model: Any, x: np.ndarray, y: np.ndarray) -> Callable[[], dict[str, np.ndarray]]:
    """A function that gives the compiled loss's gradient on one batch: {weight path: array}.

    The gradient is taken at the weights of the moment of the call, in inference mode.
    """
    compiled = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}[keras.backend.backend()]
    values = compiled(model, keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y))

    def gradients() -> dict[str, np.ndarray]:
        named = zip(model.trainable_variables, values(), strict=True)
        return {v.path: keras.ops.convert_to_numpy(g) for v, g in named if g is not None}

    return gradients


def _jax(model: Any, x: Any, y: Any) -> Callable[[], list[Any]]:
    import jax

    @jax.jit
    @jax.grad
    def gradient(weights: list[Any], frozen: list[Any]) -> Any:
        outputs, _ = model.stateless_call(weights, frozen, x, training=False)
        return model.loss(y, outputs)

    return lambda: gradient(
        [variable.value for variable in model.trainable_variables],
        [variable.value for variable in model.non_trainable_variables],
    )


def _tensorflow(model: Any, x: Any, y: Any) -> Callable[[], list[Any]]:
    import tensorflow as tf

    def of_replica() -> list[Any]:
        with tf.GradientTape() as tape:
            loss = model.loss(y, model(x, training=False))
        return tape.gradient(loss, [variable.value for variable in model.trainable_variables])

    @tf.function
    def gradient() -> list[Any]:
        strategy = tf.distribute.get_strategy()
        return strategy.reduce("MEAN", strategy.run(of_replica), axis=None)

    return gradient


def _torch(model: Any, x: Any, y: Any) -> Callable[[], list[Any]]:
    import torch

    def gradient() -> list[Any]:
        weights = [variable.value for variable in model.trainable_variables]
        loss = model.loss(y, model(x, training=False))
        return list(torch.autograd.grad(loss, weights, allow_unused=True))

    return gradient
