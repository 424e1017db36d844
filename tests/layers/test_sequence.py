from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy

from har_keras import layers
from har_keras.errors import UserError
from har_keras.layers import kernels, reference

MASKS = np.array(
    [
        [0, 0, 1, 1, 1, 1],
        [1, 1, 1, 0, 0, 0],
        [1, 0, 1, 1, 0, 1],
        [0, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 1],
    ],
    dtype=bool,
)


def randomise(layer: Any, rng: np.random.Generator) -> None:
    layer.set_weights([rng.normal(0, 0.5, w.shape).astype("float32") for w in layer.get_weights()])


def numpy(outputs: Any) -> list[np.ndarray]:
    return [
        convert_to_numpy(a) for a in (outputs if isinstance(outputs, list | tuple) else [outputs])
    ]


def assert_as_keras(own: Any, theirs: Any, rng: np.random.Generator, **call: Any) -> None:
    """The same weights and inputs (5, 6, 4) give the same outputs and states."""
    x = rng.normal(size=(5, 6, 4)).astype("float32")
    own.build(x.shape)
    theirs.build(x.shape)
    randomise(own, rng)
    theirs.set_weights(own.get_weights())
    ours, expected = numpy(own(x, **call)), numpy(theirs(x, **call))
    assert [a.shape for a in ours] == [a.shape for a in expected]
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    shape=st.sampled_from([(1, 1, 1, 1), (3, 5, 2, 3)]),
    use_bias=st.booleans(),
    scale=st.sampled_from([0.01, 1, 10]),
    seed=st.integers(0, 999),
)
def test_any_values_as_the_reference(
    family: Any, shape: tuple[int, ...], use_bias: bool, scale: float, seed: int
) -> None:
    batch, timesteps, features, units = shape
    rng = np.random.default_rng(seed)
    layer = family.drawn(rng, features, units, return_sequences=True, use_bias=use_bias)
    x = rng.normal(0, scale, (batch, timesteps, features)).astype("float32")
    outputs = convert_to_numpy(layer(x))
    assert outputs.shape == (batch, timesteps, units)
    np.testing.assert_allclose(outputs, family.expected(layer, x), atol=1e-5)


def test_long_sequence_as_the_reference(any_family: Any, rng: np.random.Generator) -> None:
    layer = any_family.drawn(rng, 9, 16, return_sequences=True)
    x = rng.normal(size=(2, 64, 9)).astype("float32")
    outputs = convert_to_numpy(layer(x))
    np.testing.assert_allclose(outputs, any_family.expected(layer, x), atol=1e-5)


def test_steps_as_the_reference(any_family: Any, rng: np.random.Generator) -> None:
    layer = any_family.drawn(rng, 2, 3)
    x = rng.normal(size=(2, 4, 2)).astype("float32")
    start = [rng.normal(size=3).astype("float32") for _ in range(any_family.states)]
    states = [keras.ops.convert_to_tensor(np.stack([state] * 2)) for state in start]
    outputs = []
    for t in range(4):
        output, states = layer.step(x[:, t], states)
        outputs.append(convert_to_numpy(output))
    assert len(states) == any_family.states
    start = dict(zip("hc", start, strict=False))
    expected = any_family.expected(layer, x, **start)
    np.testing.assert_allclose(np.stack(outputs, axis=1), expected, atol=1e-5)


def test_a_step_builds_the_layer(any_family: Any) -> None:
    layer = any_family.layer(3, stateful=True)
    output, states = layer.step(np.ones((2, 4), "float32"), layer.get_initial_state(2))
    assert output.shape == (2, 3)
    assert [state.shape for state in states] == [(2, 3)] * any_family.states


def test_an_empty_batch(any_family: Any) -> None:
    layer = any_family.layer(3, return_sequences=True)
    assert layer(np.zeros((0, 5, 4), "float32")).shape == (0, 5, 3)
    mask = keras.ops.convert_to_tensor(np.zeros((0, 5), bool))
    assert layer(np.zeros((0, 5, 4), "float32"), mask=mask).shape == (0, 5, 3)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"return_sequences": True, "return_state": True},
        {"return_sequences": True, "return_state": True, "go_backwards": True},
        {"return_state": True, "use_bias": False},
    ],
    ids=["last", "sequences", "backwards", "no_bias"],
)
def test_as_keras(family: Any, arguments: dict[str, bool], rng: np.random.Generator) -> None:
    assert_as_keras(family.layer(3, **arguments), family.keras_layer(3, **arguments), rng)


@pytest.fixture(scope="module", params=[False, True], ids=["forwards", "backwards"])
def masked_pair(request: pytest.FixtureRequest, family: Any) -> Any:
    """Ours and Keras's layer with a mask and initial states, in one model."""
    arguments = {"go_backwards": request.param, "zero_output_for_mask": request.param}
    arguments |= {"return_sequences": True, "return_state": True}
    x, mask = keras.Input((6, 4)), keras.Input((6,), dtype="bool")
    start = [keras.Input((3,)) for _ in range(family.states)]
    pair = family.layer(3, **arguments), family.keras_layer(3, **arguments)
    outputs = [layer(x, mask=mask, initial_state=start) for layer in pair]
    return keras.Model([x, mask, *start], outputs)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    mask=st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=5, max_size=5)
    | st.just(MASKS.tolist()),
    seed=st.integers(0, 999),
)
def test_any_mask_as_keras(family: Any, masked_pair: Any, mask: Any, seed: int) -> None:
    rng, model = np.random.default_rng(seed), masked_pair
    weights = [rng.normal(0, 0.5, w.shape) for w in model.get_weights()[: len(model.weights) // 2]]
    model.set_weights(weights * 2)
    x = rng.normal(size=(5, 6, 4)).astype("float32")
    start = [rng.normal(size=(5, 3)).astype("float32") for _ in range(family.states)]
    for ours, expected in zip(*model.predict_on_batch([x, np.array(mask), *start]), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [
        {"activation": "relu", "use_bias": False, "unroll": True},
        {"dropout": 0.4, "seed": 1},
        {"dropout": 0.2, "recurrent_dropout": 0.4, "seed": 1, "unroll": True},
    ],
    ids=["activation", "dropout", "recurrent_dropout"],
)
def test_options_as_keras(family: Any, arguments: dict[str, Any], rng: np.random.Generator) -> None:
    if family.truth is not reference.simple_rnn and "activation" in arguments:
        arguments = arguments | {"recurrent_activation": "hard_sigmoid"}
    own, theirs = family.layer(3, **arguments), family.keras_layer(3, **arguments)
    assert_as_keras(own, theirs, rng, training=True)
    config = theirs.get_config()
    again = family.own.from_config(config).get_config()
    assert {name: again.get(name) for name in config} == config
    names = config.keys() - {"use_cudnn"}
    family.keras.from_config({k: v for k, v in own.get_config().items() if k in names})
    for name in config.keys() - {"name", "dtype", "seed", "activity_regularizer"}:
        if hasattr(theirs, name) and not callable(value := getattr(theirs, name)):
            assert getattr(own, name) == value


def test_regularizers_and_constraints(any_family: Any) -> None:
    layer = any_family.layer(
        3,
        bias_initializer="ones",
        bias_regularizer=keras.regularizers.L2(1.0),
        bias_constraint="non_neg",
        activity_regularizer="l2",
    )
    layer(np.zeros((2, 2, 4), "float32"))
    assert len(layer.losses) == 2
    assert type(layer.cell.bias.constraint).__name__ == "NonNeg"
    again = type(layer).from_config(layer.get_config())
    assert type(again.activity_regularizer).__name__ == "L2"


def test_padding_on_the_right_keeps_the_last_real_step(
    family: Any, rng: np.random.Generator
) -> None:
    layer = family.drawn(rng, 4, 3)
    x = rng.normal(size=(1, 6, 4)).astype("float32")
    mask = keras.ops.convert_to_tensor(MASKS[1:2])
    padded = convert_to_numpy(layer(x, mask=mask))
    np.testing.assert_allclose(padded, convert_to_numpy(layer(x[:, :3])), atol=1e-6)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_bidirectional_as_keras(
    name: str, families: dict[str, Any], rng: np.random.Generator
) -> None:
    """Both directions with all merge modes, with a mask and without."""
    family = families[name]
    x, mask = keras.Input((6, 4)), keras.Input((6,), dtype="bool")
    models = []
    for make in (family.layer, family.keras_layer):
        both = [
            keras.layers.Bidirectional(make(3, return_sequences=True), merge_mode=mode)
            for mode in ("sum", "mul", "ave", "concat", None)
        ]
        models.append(
            keras.Model([x, mask], [both[0](x), *(layer(x, mask=mask) for layer in both)])
        )
    randomise(models[0], rng)
    models[1].set_weights(models[0].get_weights())
    inputs = [rng.normal(size=(5, 6, 4)).astype("float32"), MASKS]
    ours, expected = (keras.tree.flatten(model.predict_on_batch(inputs)) for model in models)
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_stateful_goes_on_where_it_stopped(family: Any, rng: np.random.Generator) -> None:
    layer = family.layer(3, stateful=True)
    layer.build((2, 3, 4))
    randomise(layer, rng)
    x = rng.normal(size=(2, 6, 4)).astype("float32")
    expected = family.expected(layer, x)
    for _ in range(2):
        parts = [convert_to_numpy(layer(part)) for part in (x[:, :3], x[:, 3:])]
        np.testing.assert_allclose(parts, [expected[:, 2], expected[:, 5]], atol=1e-5)
        layer.reset_state()


@pytest.mark.parametrize("name", ["simple_rnn", "lstm", "gru"])
def test_state_goes_through_fit_evaluate_and_predict(
    name: str, families: dict[str, Any], rng: np.random.Generator, tmp_path: Path
) -> None:
    family = families[name]

    def model_of(batch: int) -> Any:
        inputs = keras.Input(batch_shape=(batch, 3, 4))
        layer = family.layer(3, stateful=True, name="layer")
        model = keras.Model(inputs, layer(inputs))
        model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
        return model

    model, streams = model_of(2), rng.normal(size=(2, 6, 4)).astype("float32")
    randomise(model, rng)
    layer = model.get_layer("layer")
    chunks = np.concatenate([streams[:, :3], streams[:, 3:]])
    expected = family.expected(layer, np.concatenate([streams] * 3, axis=1))
    targets = np.zeros((4, 3), "float32")
    model.fit(chunks, targets, batch_size=2, epochs=1, shuffle=False, verbose=0)
    np.testing.assert_allclose(convert_to_numpy(layer.states[0]), expected[:, 5], atol=1e-5)
    model.evaluate(chunks, targets, batch_size=2, verbose=0)
    np.testing.assert_allclose(convert_to_numpy(layer.states[0]), expected[:, 11], atol=1e-5)
    outputs = model.predict(chunks, batch_size=2, verbose=0)
    np.testing.assert_allclose(outputs[2:], expected[:, 17], atol=1e-5)
    layer.reset_state()
    again = model.predict(chunks, batch_size=2, verbose=0)
    np.testing.assert_allclose(again[2:], expected[:, 5], atol=1e-5)
    model.save_weights(tmp_path / "of.weights.h5")
    other = model_of(5)
    other.load_weights(tmp_path / "of.weights.h5")
    for a, b in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_are_those_of_keras(family: Any) -> None:
    own, theirs = family.layer(32), family.keras_layer(32)
    for layer in (own, theirs):
        layer.build((None, 5, 32))
    described = [[(w.name, w.shape, w.trainable) for w in x.weights] for x in (own, theirs)]
    assert described[0] == [d for d in described[1] if d[0] != "seed_generator_state"]
    assert own.count_params() == sum(w.size for w in theirs.get_weights())


@pytest.mark.parametrize(("name", "count"), [("simple_rnn", 2080), ("lstm", 8320), ("gru", 6336)])
def test_weight_counts(name: str, count: int, families: dict[str, Any]) -> None:
    layer = families[name].layer(32)
    layer.build((None, 5, 32))
    assert layer.count_params() == count


def test_reduced_precision(any_family: Any, rng: np.random.Generator) -> None:
    layer = any_family.drawn(rng, 3, 3, return_sequences=True, dtype="mixed_bfloat16")
    x = rng.normal(size=(2, 4, 3)).astype("float32")
    outputs = layer(x)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    expected = any_family.expected(layer, x)
    outputs = convert_to_numpy(keras.ops.cast(outputs, "float32"))
    np.testing.assert_allclose(outputs, expected, atol=0.05)


def test_config_round_trip(any_family: Any) -> None:
    layer = any_family.layer(
        3,
        return_sequences=True,
        return_state=True,
        go_backwards=True,
        use_bias=False,
        kernel_initializer=keras.initializers.RandomUniform(-0.5, 0.5, seed=1),
        recurrent_initializer="glorot_normal",
        bias_initializer="ones",
        name="named",
        dtype="mixed_bfloat16",
        trainable=False,
    )
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.cell.get_config() == layer.cell.get_config()
    assert (again.name, again.trainable, again.cell.trainable) == ("named", False, False)
    assert again.cell.compute_dtype == "bfloat16"


def test_saved_and_loaded(rng: np.random.Generator, tmp_path: Path) -> None:
    inputs = keras.Input((None, 4))
    x = keras.layers.Masking()(inputs)
    every = [layers.SimpleRNN, layers.LSTM, layers.GRU]
    every += [layers.GravesLSTM, layers.LayerNormLSTM, layers.LayerNormGRU]
    outputs = [make(2, use_bias=False)(x) for make in every]
    outputs.append(keras.layers.Bidirectional(layers.GRU(2, reset_after=False))(x))
    model = keras.Model(inputs, outputs)
    randomise(model, rng)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    x = rng.normal(size=(2, 5, 4)).astype("float32")
    x[1, 3:] = 0
    outputs, shorter = model.predict_on_batch(x), loaded.predict_on_batch(x[:, :3])
    for a, b in zip(outputs, shorter, strict=True):
        np.testing.assert_allclose(a[1], b[1], atol=1e-6)


@pytest.mark.parametrize(
    ("argument", "wrong", "expected"),
    [
        ("units", 0, "a positive integer"),
        ("units", 1.5, "a positive integer"),
        ("units", "8", "a positive integer"),
        ("dropout", 1, "a number from 0 to below 1"),
        ("recurrent_dropout", -0.1, "a number from 0 to below 1"),
        ("dropout", "0.5", "a number from 0 to below 1"),
    ],
)
def test_wrong_values(any_family: Any, argument: str, wrong: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=f"{argument}={wrong!r}: expected {expected}"):
        any_family.own(**{"units": 3} | {argument: wrong})


def test_wrong_values_of_gated_layers() -> None:
    with pytest.raises(ValueError, match="implementation=3: expected 0, 1 or 2"):
        layers.LSTM(3, implementation=3)
    with pytest.raises(ValueError, match="use_cudnn='yes': expected 'auto', True or False"):
        layers.GRU(3, use_cudnn="yes")
    with pytest.raises(ValueError, match="reset_after=False: a layer-normalised GRU"):
        layers.LayerNormGRU(3, reset_after=False)
    with pytest.raises(ValueError, match="use_cudnn=True, but there is no fast kernel"):
        layers.LSTM(3, activation="relu", use_cudnn=True).build((None, 2, 4))


def test_argument_that_is_unknown(any_family: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="return_sequence"):
        any_family.layer(3, return_sequence=True)


def test_kernel_path_says_what_runs(family: Any) -> None:
    layer, name = family.layer(2), keras.backend.backend()
    reset_after = family.arguments.get("reset_after", True)
    has_kernel = name == "jax" or reset_after
    assert layer.kernel_path == (f"{name} kernel" if has_kernel else "keras loop")
    for slow in ({"activation": "relu"}, {"recurrent_dropout": 0.1}, {"unroll": True}):
        assert family.layer(2, **slow).kernel_path == "keras loop"
    assert layers.LSTM(2, use_cudnn=False).kernel_path == "keras loop"
    assert layers.GravesLSTM(2).kernel_path == "keras loop"


def test_kernel_choice(
    family: Any, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = family.drawn(rng, 4, 3, return_sequences=True)
    x = rng.normal(size=(2, 5, 4)).astype("float32")
    expected, has_kernel = family.expected(layer, x), layer.kernel_path != "keras loop"
    monkeypatch.setattr(kernels, "choice", "reference")
    assert layer.kernel_path == "keras loop"
    np.testing.assert_allclose(convert_to_numpy(layer(x)), expected, atol=1e-5)
    monkeypatch.setattr(kernels, "choice", "fast")
    if has_kernel:
        fast = family.layer(3)
        fast.build(x.shape)
        assert fast.kernel_path == layer.kernel_path != "keras loop"
    with pytest.raises(UserError, match=r"hardware.kernel=fast: slow \(\w+\) has no fast kernel"):
        family.layer(3, activation="relu", name="slow").build(x.shape)


def test_the_reference_path_outranks_use_cudnn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "choice", "reference")
    layer = layers.LSTM(3, use_cudnn=True)
    layer.build((None, 2, 4))
    assert layer.kernel_path == "keras loop"
