import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import har_keras
from har_keras.training.autodiff import gradient_of

AGAINST_FINITE_DIFFERENCES = """
import keras, numpy as np
keras.config.set_floatx("float64")
from har_keras import layers
from har_keras.layers import reference
from har_keras.training.autodiff import gradient_of

rng = np.random.default_rng(0)

def check(layer, truth):
    inputs = keras.Input((4, 2))
    model = keras.Model(inputs, layer(inputs))
    model.set_weights([rng.normal(0, 0.7, w.shape) for w in model.get_weights()])
    x, factors = rng.normal(size=(1, 4, 2)), rng.normal(size=(1, 4, 3))
    model.compile(loss=lambda factors, outputs: keras.ops.sum(factors * outputs))
    gradients = list(gradient_of(model, x, factors)().values())
    weights, names = model.get_weights(), [w.name for w in model.weights]
    assert len(gradients) == len(weights)
    # On JAX and torch Keras's own operations round float64 to float32.
    tolerance = 1e-8 if "kernel" in layer.kernel_path else 1e-5
    for weight, gradient in zip(weights, gradients):
        assert gradient.dtype == "float64"
        for place in np.ndindex(weight.shape):
            losses, value = [], weight[place]
            for step in (1e-6, -1e-6):
                weight[place] = value + step
                values = dict(zip(names, weights))
                losses.append(np.sum(factors[0] * truth(x[0], **values)))
            weight[place] = value
            difference = (losses[0] - losses[1]) / 2e-6
            assert abs(gradient[place] - difference) < tolerance, (layer, place, difference)

def reset_before(*args, **kwargs):
    return reference.gru(*args, reset_after=False, **kwargs)

check(layers.SimpleRNN(3, return_sequences=True), reference.simple_rnn)
check(layers.LSTM(3, return_sequences=True), reference.lstm)
check(layers.GRU(3, return_sequences=True), reference.gru)
check(layers.GRU(3, return_sequences=True, reset_after=False), reset_before)
check(layers.GravesLSTM(3, return_sequences=True), reference.graves_lstm)
check(layers.LayerNormLSTM(3, return_sequences=True), reference.layer_norm_lstm)
check(layers.LayerNormGRU(3, return_sequences=True), reference.layer_norm_gru)
check(layers.LSTM(3, return_sequences=True, use_bias=False), reference.lstm)
check(layers.GRU(3, return_sequences=True, use_bias=False), reference.gru)
"""


MASKS = np.array([[0, 0, 1, 1, 1], [1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], dtype=bool)


class Probe(keras.Model):
    """A masked layer whose inputs and initial states are weights, so that they have gradients."""

    def __init__(self, layer: Any, batch: int, timesteps: int, features: int, states: int) -> None:
        super().__init__()
        self.layer = layer
        self.sequences = self.add_weight(shape=(batch, timesteps, features), name="sequences")
        shape = batch, layer.cell.units
        self.start = [self.add_weight(shape=shape, name=f"start_{i}") for i in range(states)]

    def call(self, shift: Any, training: bool = False) -> Any:
        mask = keras.ops.convert_to_tensor(MASKS)
        start = [*self.start]
        outputs, *states = self.layer(self.sequences + shift, initial_state=start, mask=mask)
        flat = keras.ops.reshape(outputs, (outputs.shape[0], -1))
        return keras.ops.concatenate([flat, *states], axis=-1)


def weighted_sum(factors: Any, outputs: Any) -> Any:
    return keras.ops.sum(factors * outputs)


@pytest.mark.parametrize("units", [1, 2])  # JAX sums the weights' gradient up or not
def test_kernel_as_the_generic_loop(
    family: Any, units: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = {"return_sequences": True, "return_state": True, "go_backwards": True}
    layer = family.drawn(rng, 3, units, **arguments)
    probe = Probe(layer, 4, 5, 3, family.states)
    shift = np.zeros((4, 5, 3), "float32")
    probe(shift)
    probe.set_weights([rng.normal(0, 0.5, w.shape) for w in probe.get_weights()])
    probe.compile(loss=weighted_sum)
    factors = rng.normal(size=(4, (5 + family.states) * units)).astype("float32")
    of_kernel = gradient_of(probe, shift, factors)()
    monkeypatch.setattr(type(layer), "inner_loop", keras.layers.RNN.inner_loop)
    of_loop = gradient_of(probe, shift, factors)()
    assert len(of_kernel) == len(layer.weights) + 1 + family.states
    assert of_kernel.keys() == of_loop.keys()
    for path, gradient in of_kernel.items():
        assert np.abs(gradient).max() > 0.01
        np.testing.assert_allclose(gradient, of_loop[path], atol=1e-4, err_msg=path)


def test_float64_against_finite_differences_of_the_reference() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AGAINST_FINITE_DIFFERENCES],
        cwd=Path(har_keras.__file__).parent.parent,
        env=os.environ | {"JAX_ENABLE_X64": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_stateful_layers_train(family: Any, rng: np.random.Generator) -> None:
    inputs = keras.Input(batch_shape=(2, 3, 4))
    layer = family.layer(3, stateful=True)
    model = keras.Model(inputs, layer(inputs))
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    before = model.get_weights()
    model.compile(loss="mse", optimizer="sgd")
    x, y = (rng.normal(size=shape).astype("float32") for shape in [(2, 3, 4), (2, 3)])
    model.train_on_batch(x, y)
    model.train_on_batch(x, y)
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before, model.get_weights(), strict=True))
