"""The calls on a backend that Keras has no name for: gradients to log, the global generator."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from har_keras.layers import probe


def gradient_of(model: Any, x: np.ndarray, y: np.ndarray) -> Callable[[], dict[str, np.ndarray]]:
    """A function that gives the compiled loss's gradient on one batch: {weight path: array}.

    The gradient is taken at the weights of the moment of the call, in inference mode.
    """
    values = _gradient(model, x, y, [], [])

    def gradients() -> dict[str, np.ndarray]:
        return _arrays([variable.path for variable in model.trainable_variables], values())

    return gradients


def hidden_gradient_of(
    model: Any, x: np.ndarray, y: np.ndarray
) -> Callable[[], dict[str, np.ndarray]]:
    """As `gradient_of`, for the hidden states: {recurrent layer: (batch, timesteps, units)}.

    See `layers.probe` for what ∂loss/∂h_t is where a mask leaves steps out.
    """
    layers = probe.recurrent_layers(model)
    values = _gradient(model, x, y, layers, probe.zeros(model, layers, x))
    return lambda: _arrays([layer.name for layer in layers], values())


def _gradient(
    model: Any, x: np.ndarray, y: np.ndarray, layers: list[Any], probes: list[Any]
) -> Callable[[], list[Any]]:
    """The gradient by the probes of the layers if there are any, else by the weights."""
    compiled = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}[keras.backend.backend()]
    batch = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y)
    return compiled(model, *batch, layers, probes)


def _arrays(names: list[str], gradients: list[Any]) -> dict[str, np.ndarray]:
    named = zip(names, gradients, strict=True)
    return {name: keras.ops.convert_to_numpy(g) for name, g in named if g is not None}


def _jax(
    model: Any, x: Any, y: Any, layers: list[Any], probes: list[Any]
) -> Callable[[], list[Any]]:
    import jax

    def loss(weights: list[Any], probes: list[Any], frozen: list[Any]) -> Any:
        with probe.probed(layers, probes):
            outputs, _ = model.stateless_call(weights, frozen, x, training=False)
        return model.loss(y, outputs)

    gradient = jax.jit(jax.grad(loss, argnums=1 if probes else 0))
    return lambda: gradient(
        [variable.value for variable in model.trainable_variables],
        probes,
        [variable.value for variable in model.non_trainable_variables],
    )


def _tensorflow(
    model: Any, x: Any, y: Any, layers: list[Any], probes: list[Any]
) -> Callable[[], list[Any]]:
    import tensorflow as tf

    def of_replica() -> list[Any]:
        with tf.GradientTape() as tape, probe.probed(layers, probes), keras.StatelessScope():
            tape.watch(probes)
            loss = model.loss(y, model(x, training=False))
        wanted = probes or [variable.value for variable in model.trainable_variables]
        return tape.gradient(loss, wanted)

    @tf.function
    def gradient() -> list[Any]:
        strategy = tf.distribute.get_strategy()
        return strategy.reduce("MEAN", strategy.run(of_replica), axis=None)

    return gradient


def _torch(
    model: Any, x: Any, y: Any, layers: list[Any], probes: list[Any]
) -> Callable[[], list[Any]]:
    import torch

    def gradient() -> list[Any]:
        with probe.probed(layers, [p.requires_grad_() for p in probes]), keras.StatelessScope():
            loss = model.loss(y, model(x, training=False))
        wanted = probes or [variable.value for variable in model.trainable_variables]
        return list(torch.autograd.grad(loss, wanted, allow_unused=True))

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
