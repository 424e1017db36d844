from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from har_keras import config
from har_keras.data.text import Vocabulary
from har_keras.errors import UserError
from har_keras.models import conv_lstm, recurrent
from har_keras.tasks.classification import ClassPerSequence
from har_keras.tasks.description import Inputs
from har_keras.tasks.pairs import Pairs
from har_keras.tasks.signals import Signals
from har_keras.tasks.tokens import Tokens
from har_keras.training import initial_weights

MODELS, OPTIMIZERS = config.choices("model"), config.choices("optimizer")
ENCODERS = [name for name in MODELS if name != "encoder_decoder"]  # what takes any task
STATISTICS = {"mean": tuple(np.linspace(-1, 1, 9)), "variance": tuple(np.linspace(0.5, 2, 9))}
HAR = Signals(128, 9, **STATISTICS)
SHORT = Signals(8, 9, **STATISTICS)
BITS = Tokens(8, Vocabulary(("0", "1")), 2)
PAIRS = Pairs(BITS.vocabulary, BITS.vocabulary, 8, "none", "words")
ACTIVITIES = ClassPerSequence(tuple("abcdef"), groups="subject")


def preset(name: str, *overrides: str) -> Any:
    return config.from_overrides([f"model={name}", *overrides]).model


def build(model: Any, inputs: Inputs = SHORT) -> Any:
    return import_module(f"har_keras.models.{model.family}").build(model, inputs, ACTIVITIES)


def windows(timesteps: int, batch: int = 2) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(batch, timesteps, 9)).astype("float32")


def randomise(model: Any) -> None:
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(-0.4, 0.6, w.shape) for w in model.get_weights()])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
def test_files_load_together(model: str, optimizer: str) -> None:
    loaded = config.from_overrides([f"model={model}", f"optimizer={optimizer}"])
    assert (loaded.model.name, loaded.optimizer.name) == (model, optimizer)


@pytest.mark.parametrize("name", ENCODERS)
def test_presets_give_logits_for_har(name: str) -> None:
    model = build(preset(name, "model.units=4"), HAR)
    assert model.name == name
    assert model.input_shape == (None, 128, 9)
    logits = convert_to_numpy(model(windows(128)))
    assert logits.shape == (2, 6)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()


@pytest.fixture(scope="module", params=ENCODERS)
def small(request: pytest.FixtureRequest) -> Any:
    model = build(preset(request.param, "model.units=3"))
    randomise(model)
    return model


@pytest.fixture(scope="module")
def logits(small: Any) -> np.ndarray:
    return convert_to_numpy(small(windows(8)))


def test_saved_and_loaded(small: Any, logits: np.ndarray, tmp_path: Path) -> None:
    small.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(convert_to_numpy(loaded(windows(8))), logits)


OF_OUR_OWN = ("graves_lstm", "layer_norm_gru")


def test_own_layers_as_those_of_keras(small: Any, logits: np.ndarray) -> None:
    if small.name in OF_OUR_OWN:
        with pytest.raises(UserError, match="expected own with"):
            preset(small.name, "model.layers=keras")
        return
    theirs = build(preset(small.name, "model.units=3", "model.layers=keras"))
    shapes = [w.shape for w in theirs.trainable_variables]
    assert [w.shape for w in small.trainable_variables] == shapes
    theirs.set_weights(small.get_weights())
    np.testing.assert_allclose(convert_to_numpy(theirs(windows(8))), logits, atol=1e-5)


def test_own_layers_are_the_default(small: Any) -> None:
    modules = {type(layer).__module__ for layer in small._flatten_layers()}
    assert "har_keras.layers.sequence" in modules


def test_the_input_is_standardised_inside() -> None:
    model = build(preset("lstm", "model.units=3"))
    plain = build(preset("lstm", "model.units=3"), Signals(8, 9))
    randomise(model)
    plain.set_weights(model.get_weights())
    x = windows(8)
    by_hand = (x - np.array(HAR.mean)) / np.sqrt(HAR.variance)
    np.testing.assert_allclose(
        convert_to_numpy(model(x)), convert_to_numpy(plain(by_hand.astype("float32"))), atol=1e-5
    )


@pytest.mark.parametrize("pooling", ["last", "sum", "mean", "max"])
def test_poolings(pooling: str) -> None:
    x = windows(5)
    reduce = {"last": lambda x: x[:, -1], "sum": lambda x: x.sum(1), "mean": lambda x: x.mean(1)}
    expected = reduce.get(pooling, lambda x: x.max(1))
    steps = keras.Input((5, 9))
    settings = {"cell": "gru", "units": 3, "bidirectional": pooling != "last"}
    pooled = keras.Model(
        steps, recurrent.encode(recurrent.Config(pooling=pooling, **settings), steps)
    )
    [layer] = [layer for layer in pooled.layers if layer.name == "gru_1"]
    randomise(pooled)
    outputs = convert_to_numpy(pooled(x))
    if pooling == "last":
        layer.return_sequences = True
    np.testing.assert_allclose(outputs, expected(convert_to_numpy(layer(x))), atol=1e-5)


def test_last_of_a_bidirectional_layer_is_each_directions_own_last() -> None:
    steps = keras.Input((5, 9))
    settings = recurrent.Config(units=3, bidirectional=True, pooling="last")
    model = keras.Model(steps, recurrent.encode(settings, steps))
    randomise(model)
    x = windows(5)
    forward, backward = model.layers[-1].forward_layer, model.layers[-1].backward_layer
    expected = np.concatenate([convert_to_numpy(forward(x)), convert_to_numpy(backward(x))], -1)
    np.testing.assert_allclose(convert_to_numpy(model(x)), expected, atol=1e-6)


def test_residual_adds_the_input_of_each_layer() -> None:
    settings = {"cell": "simple_rnn", "units": 4, "depth": 3, "pooling": "mean"}
    steps = keras.Input((5, 9))
    plain, residual = (
        keras.Model(steps, recurrent.encode(recurrent.Config(residual=r, **settings), steps))
        for r in (False, True)
    )
    randomise(plain)
    residual.set_weights(plain.get_weights())
    first, second, third = (layer for layer in plain.layers if "simple_rnn" in layer.name)
    y = convert_to_numpy(first(windows(5)))
    for layer in (second, third):
        y = y + convert_to_numpy(layer(y))
    np.testing.assert_allclose(convert_to_numpy(residual(windows(5))), y.mean(1), atol=1e-5)


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("pooling", recurrent.POOLINGS)
def test_residual_with_any_pooling(depth: int, pooling: str) -> None:
    settings = recurrent.Config(
        units=4, depth=depth, projection=4, residual=True, pooling=pooling, dropout=0.1
    )
    assert build(settings).output_shape == (None, 6)


def test_the_stack_of_a_preset() -> None:
    model = build(preset("stacked_lstm"), HAR)
    names = [layer.name for layer in model.layers]
    assert [name for name in names if not name.startswith(("dropout", "pooling"))] == [
        "signals",
        "standardise",
        "projection",
        "lstm_1",
        "lstm_2",
        "head",
    ]
    assert model.count_params() == (9 * 32 + 32) + 2 * 8320 + (32 * 6 + 6)


def test_convolutions_halve_the_steps() -> None:
    model = build(preset("conv_lstm", "model.units=3", "model.filters=5"), HAR)
    [lstm] = [layer for layer in model.layers if layer.name == "lstm_1"]
    assert tuple(lstm.input.shape) == (None, 32, 5)


@pytest.mark.parametrize(
    ("family", "values", "message"),
    [
        (recurrent, {"cell": "lstmm"}, "did you mean 'lstm'"),
        (recurrent, {"pooling": "first"}, "model.pooling=first"),
        (recurrent, {"layers": "torch"}, "expected one of own, keras"),
        (recurrent, {"depth": 0}, "model.depth=0: expected at least 1"),
        (recurrent, {"units": 0}, "model.units=0"),
        (recurrent, {"dropout": 1}, "model.dropout=1"),
        (recurrent, {"projection": 0}, "model.projection=0"),
        (recurrent, {"residual": True}, "nothing to skip"),
        (conv_lstm, {"filters": 0}, "model.filters=0"),
        (conv_lstm, {"pooling": "first"}, "model.pooling=first"),
    ],
)
def test_values_out_of_range(family: Any, values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        family.Config(**values)


def test_more_convolutions_than_the_steps_allow() -> None:
    with pytest.raises(UserError, match="at most 3 for 8 timesteps"):
        build(conv_lstm.Config(convolutions=4))


@pytest.mark.parametrize("name", config.choices("hardware"))
def test_hardware_loads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("har_keras.backend.installed", lambda _: True)
    assert config.from_overrides([f"hardware={name}", "backend=jax"]).hardware.name == name


@pytest.mark.parametrize("name", config.choices("experiment"))
def test_experiment_loads_builds_and_draws(name: str) -> None:
    experiment = config.from_overrides([f"experiment={name}"])
    assert experiment.experiment == name
    patterns = experiment.training.initial_weights
    of_tokens = any(pattern.startswith("embedding/") for pattern in patterns)
    inputs = BITS if of_tokens else SHORT
    model = build(
        experiment.model, PAIRS if experiment.model.family == "encoder_decoder" else inputs
    )
    initial_weights.draw(model, 0, patterns)
