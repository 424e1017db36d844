from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from har_keras import config, layers, pipeline
from har_keras.layers import probe, reference
from har_keras.tasks import TaskData
from har_keras.tasks.classification import ClassPerSequence
from har_keras.tasks.signals import Signals
from har_keras.training.autodiff import gradient_of, hidden_gradient_of

STEPS = {
    "SimpleRNN": reference.simple_rnn_step,
    "LSTM": reference.lstm_step,
    "GRU": reference.gru_step,
}
MASK = np.array([[1, 1, 0, 1, 1], [0, 0, 1, 1, 0]], bool)


def weighted_sum(factors: Any, outputs: Any) -> Any:
    return keras.ops.sum(factors * outputs)


def masked(x: np.ndarray) -> np.ndarray:
    return (x * MASK[..., None]).astype("float32")


def randomise(model: Any, rng: np.random.Generator) -> None:
    model.set_weights([rng.normal(0, 0.7, w.shape) for w in model.get_weights()])


def last_hidden_state(
    step: Callable[..., Any], x: np.ndarray, mask: np.ndarray, added: np.ndarray, *weights: Any
) -> np.ndarray:
    """One sequence by the reference, with `added` (timesteps, units) added to its hidden states."""
    states = [np.zeros(added.shape[1])] * (2 if step is reference.lstm_step else 1)
    for x_t, is_real, added_t in zip(x, mask, added, strict=True):
        if is_real:
            new = step(x_t, *states, *weights)
            states = list(new) if isinstance(new, tuple) else [new]
        states[0] = states[0] + added_t
    return states[0]


@pytest.mark.parametrize("source", [layers, keras.layers], ids=["own", "keras"])
@pytest.mark.parametrize("name", STEPS)
def test_finite_differences_of_the_reference(
    name: str, source: Any, rng: np.random.Generator
) -> None:
    inputs, backwards = keras.Input((5, 2)), source is layers
    layer = getattr(source, name)(3, go_backwards=backwards)
    model = keras.Model(inputs, layer(keras.layers.Masking()(inputs)))
    randomise(model, rng)
    model.compile(loss=weighted_sum)
    x, factors = masked(rng.normal(size=(2, 5, 2))), rng.normal(size=(2, 3))
    (gradient,) = hidden_gradient_of(model, x, factors.astype("float32"))().values()
    assert gradient.shape == (2, 5, 3)
    direction = -1 if backwards else 1
    weights = [w.astype("float64") for w in model.get_weights()]
    for row, t, unit in np.ndindex(gradient.shape):
        sequence = x[row, ::direction].astype("float64"), MASK[row, ::direction]
        losses = []
        for size in (1e-5, -1e-5):
            added = np.zeros((5, 3))
            added[t, unit] = size
            found = last_hidden_state(STEPS[name], *sequence, added, *weights)
            losses.append(found @ factors[row])
        difference = (losses[0] - losses[1]) / 2e-5
        assert gradient[row, t, unit] == pytest.approx(difference, abs=2e-5)


def test_a_stack_in_both_directions(rng: np.random.Generator) -> None:
    """A simple RNN's bias gets what its hidden states get, times tanh'."""
    stack = [
        keras.layers.Bidirectional(layers.SimpleRNN(3, return_sequences=True), merge_mode=mode)
        for mode in ("concat", "sum")
    ]
    inputs = keras.Input((5, 2))
    model = keras.Model(inputs, stack[1](stack[0](keras.layers.Masking()(inputs))))
    randomise(model, rng)
    model.compile(loss=weighted_sum)
    x, factors = masked(rng.normal(size=(2, 5, 2))), rng.normal(size=(2, 5, 3)).astype("float32")
    hidden, weights = (of(model, x, factors)() for of in (hidden_gradient_of, gradient_of))
    assert len(hidden) == 4
    mask = keras.ops.convert_to_tensor(MASK)
    for both in stack:
        for layer in (both.forward_layer, both.backward_layer):
            h = convert_to_numpy(layer(x, mask=mask))
            is_real = MASK[:, ::-1] if layer.go_backwards else MASK
            expected = (hidden[layer.name] * (1 - h**2))[is_real].sum(0)
            np.testing.assert_allclose(weights[layer.cell.bias.path], expected, atol=1e-4)
        x = convert_to_numpy(both(x, mask=mask))


@pytest.mark.parametrize(
    ("overrides", "timesteps"),
    [
        (["model=conv_lstm", "model.filters=2"], [2]),
        (["model=layer_norm_gru"], [8]),
        (["model=stacked_lstm", "model.layers=keras"], [8, 8]),
    ],
    ids=lambda value: value[0],
)
def test_models_stay_as_they_are(
    overrides: list[str], timesteps: list[int], rng: np.random.Generator
) -> None:
    settings = config.from_overrides([*overrides, "model.units=3"])
    outputs = ClassPerSequence(tuple("abc"), groups="subject")
    data = TaskData(*[None] * 3, Signals(8, 2), outputs, "made up", "")  # type: ignore[arg-type]
    model = pipeline.build(settings, data)
    model.compile(loss=outputs.loss())
    x, y = rng.normal(size=(4, 8, 2)).astype("float32"), rng.integers(0, 3, 4)
    before, known = convert_to_numpy(model(x)), probe.recurrent_layers(model)
    with probe.probed(known, probe.zeros(model, known, x)):
        np.testing.assert_allclose(convert_to_numpy(model(x)), before, atol=1e-5)
    gradients = hidden_gradient_of(model, x, y)()
    assert [g.shape for g in gradients.values()] == [(4, t, 3) for t in timesteps]
    assert all(np.abs(g).max() > 0 for g in gradients.values())
    np.testing.assert_array_equal(convert_to_numpy(model(x)), before)
