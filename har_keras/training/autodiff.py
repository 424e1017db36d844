"""The calls on a backend's automatic differentiation that Keras has no name for."""

from typing import Any

import keras
import numpy as np


def gradients(model: Any, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Gradient of the compiled loss on one batch, in inference mode: {weight path: array}."""
    compute = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}[keras.backend.backend()]
    values = compute(model, keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y))
    return {
        variable.path: keras.ops.convert_to_numpy(value)
        for variable, value in zip(model.trainable_variables, values, strict=True)
        if value is not None
    }


def _jax(model: Any, x: Any, y: Any) -> list[Any]:
    import jax

    frozen = [variable.value for variable in model.non_trainable_variables]

    def loss(weights: list[Any]) -> Any:
        outputs, _ = model.stateless_call(weights, frozen, x, training=False)
        return model.loss(y, outputs)

    return jax.grad(loss)([variable.value for variable in model.trainable_variables])


def _tensorflow(model: Any, x: Any, y: Any) -> list[Any]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = model.loss(y, model(x, training=False))
    return tape.gradient(loss, [variable.value for variable in model.trainable_variables])


def _torch(model: Any, x: Any, y: Any) -> list[Any]:
    import torch

    weights = [variable.value for variable in model.trainable_variables]
    return list(torch.autograd.grad(model.loss(y, model(x, training=False)), weights, allow_unused=True))
