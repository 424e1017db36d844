"""Recurrent layers opened to differentiation: something is added to their hidden states.

With a probe ε_t of zeros added to h_t, ∂loss/∂ε_t is ∂loss/∂h_t by every way from step t to the
loss: the output of the step and the next step. Where a mask leaves a step out, h_t is the state
that is held. Steps stand in the order in which the layer takes them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
from keras import ops


def recurrent_layers(model: Any) -> list[Any]:
    """The recurrent layers in `model`, ours and Keras's, within wrappers too."""
    layers = model._flatten_layers()
    return [x for x in layers if isinstance(x, keras.layers.RNN) and hasattr(x.cell, "units")]


def zeros(model: Any, layers: Sequence[Any], inputs: Any) -> list[Any]:
    """A probe (batch, timesteps, units) of zeros for each layer, as `model` meets it on `x`."""
    found = {}

    def loop(layer: Any, sequences: Any, *arguments: Any, **kwargs: Any) -> Any:
        shape = *sequences.shape[:2], layer.cell.units
        found[layer] = ops.zeros(shape, layer.cell.compute_dtype)
        return type(layer).inner_loop(layer, sequences, *arguments, **kwargs)

    with _loops({layer: partial(loop, layer) for layer in layers}), keras.StatelessScope():
        model(inputs, training=False)
    return [found[layer] for layer in layers]


@contextmanager
def probed(layers: Sequence[Any], probes: Sequence[Any]) -> Iterator[None]:
    """Have each layer run step by step, with its probe added to its hidden states."""
    both = zip(layers, probes, strict=True)
    with _loops({layer: partial(_probed_loop, layer, probe) for layer, probe in both}):
        yield


@contextmanager
def _loops(loops: dict[Any, Any]) -> Iterator[None]:
    for layer, loop in loops.items():
        layer.inner_loop = loop
    try:
        yield
    finally:
        for layer in loops:
            del layer.inner_loop


def _probed_loop(
    layer: Any, probe: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False
) -> tuple[Any, Any, list[Any]]:
    """What `inner_loop` gives, (last output, outputs, final states), without dropout."""
    steps = ops.cast(sequences, layer.cell.compute_dtype)
    mask = ops.ones(steps.shape[:2], "bool") if mask is None else ops.cast(mask, "bool")
    if layer.go_backwards:
        steps, mask = ops.flip(steps, axis=1), ops.flip(mask, axis=1)

    def step(states: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
        x, real, added = now
        new = layer.cell(x, states)[1]
        h, *others = (ops.where(real[:, None], *both) for both in zip(new, states, strict=True))
        states = [h + added, *others]
        return states, states

    time_major = [ops.swapaxes(array, 0, 1) for array in (steps, mask, probe)]
    states, history = ops.scan(step, list(initial_state), time_major)
    outputs = ops.swapaxes(history[0], 0, 1)
    if layer.zero_output_for_mask:
        outputs = ops.where(mask[..., None], outputs, 0)
    return outputs[:, -1], outputs, states
