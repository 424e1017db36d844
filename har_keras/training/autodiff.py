"""The calls on a backend that Keras has no name for: gradients to log, the global generator."""

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


def random_state() -> dict[str, np.ndarray]:
    """The state of the backend's global generators by name; Keras's dropout on torch draws there.

    JAX has none, and on TensorFlow Keras draws from none.
    """
    if keras.backend.backend() != "torch":
        return {}
    import torch

    states = [torch.get_rng_state(), *torch.cuda.get_rng_state_all()]
    return {f"random/{i}": state.numpy() for i, state in enumerate(states)}


def set_random_state(states: dict[str, np.ndarray]) -> None:
    """Give the global generators the state that `random_state` returned."""
    if not states:
        return
    import torch

    cpu, *gpus = (torch.from_numpy(states[f"random/{i}"]) for i in range(len(states)))
    torch.set_rng_state(cpu)
    if len(gpus) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(gpus)
