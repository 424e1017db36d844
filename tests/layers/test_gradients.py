import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

import har_keras

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
