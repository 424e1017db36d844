from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy

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


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    batch=st.integers(1, 3),
    timesteps=st.integers(1, 5),
    features=st.integers(1, 3),
    units=st.integers(1, 3),
    use_bias=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_shape_as_the_reference(
    family: Any, batch: int, timesteps: int, features: int, units: int, use_bias: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    layer = family.drawn(rng, features, units, return_sequences=True, use_bias=use_bias)
    x = rng.normal(0, 2, (batch, timesteps, features)).astype("float32")
    outputs = convert_to_numpy(layer(x))
    assert outputs.shape == (batch, timesteps, units)
    expected = [family.truth(sequence, *layer.get_weights()) for sequence in x]
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_long_sequence_as_the_reference(family: Any, rng: np.random.Generator) -> None:
    layer = family.drawn(rng, 9, 16, return_sequences=True)
    x = rng.normal(size=(2, 128, 9)).astype("float32")
    outputs = convert_to_numpy(layer(x))
    expected = [family.truth(sequence, *layer.get_weights()) for sequence in x]
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_initial_state_as_the_reference(family: Any, rng: np.random.Generator) -> None:
    layer = family.drawn(rng, 2, 3, return_sequences=True)
    x = rng.normal(size=(1, 4, 2)).astype("float32")
    states = [rng.normal(size=(1, 3)).astype("float32") for _ in range(family.states)]
    outputs = convert_to_numpy(layer(x, initial_state=states))[0]
    start = {name: state[0] for name, state in zip("hc", states, strict=False)}
    expected = family.truth(x[0], *layer.get_weights(), **start)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


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


def test_initial_state_as_keras(family: Any, rng: np.random.Generator) -> None:
    arguments = {"return_sequences": True, "return_state": True}
    states = [rng.normal(size=(5, 3)).astype("float32") for _ in range(family.states)]
    own, theirs = family.layer(3, **arguments), family.keras_layer(3, **arguments)
    assert_as_keras(own, theirs, rng, initial_state=states)


@pytest.mark.parametrize("go_backwards", [False, True])
def test_masks_as_keras(family: Any, go_backwards: bool, rng: np.random.Generator) -> None:
    arguments = {"return_sequences": True, "return_state": True, "go_backwards": go_backwards}
    own, theirs = family.layer(3, **arguments), family.keras_layer(3, **arguments)
    assert_as_keras(own, theirs, rng, mask=keras.ops.convert_to_tensor(MASKS))


def test_padding_on_the_right_keeps_the_last_real_step(
    family: Any, rng: np.random.Generator
) -> None:
    layer = family.drawn(rng, 4, 3)
    x = rng.normal(size=(1, 6, 4)).astype("float32")
    mask = keras.ops.convert_to_tensor(MASKS[1:2])
    padded = convert_to_numpy(layer(x, mask=mask))
    np.testing.assert_allclose(padded, convert_to_numpy(layer(x[:, :3])), atol=1e-6)


@pytest.mark.parametrize("masked", [False, True])
def test_bidirectional_as_keras(family: Any, masked: bool, rng: np.random.Generator) -> None:
    own, theirs = (
        keras.layers.Bidirectional(make(3, return_sequences=True))
        for make in (family.layer, family.keras_layer)
    )
    call = {"mask": keras.ops.convert_to_tensor(MASKS)} if masked else {}
    assert_as_keras(own, theirs, rng, **call)


def test_stateful_goes_on_where_it_stopped(family: Any, rng: np.random.Generator) -> None:
    layer = family.layer(3, stateful=True)
    layer.build((2, 3, 4))
    randomise(layer, rng)
    x = rng.normal(size=(2, 6, 4)).astype("float32")
    expected = np.array([family.truth(sequence, *layer.get_weights()) for sequence in x])
    for _ in range(2):
        parts = [convert_to_numpy(layer(part)) for part in (x[:, :3], x[:, 3:])]
        np.testing.assert_allclose(parts, [expected[:, 2], expected[:, 5]], atol=1e-5)
        layer.reset_state()


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


def test_reduced_precision(family: Any, rng: np.random.Generator) -> None:
    layer = family.drawn(rng, 3, 3, return_sequences=True, dtype="mixed_bfloat16")
    x = rng.normal(size=(2, 4, 3)).astype("float32")
    outputs = layer(x)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    expected = [family.truth(sequence, *layer.get_weights()) for sequence in x]
    outputs = convert_to_numpy(keras.ops.cast(outputs, "float32"))
    np.testing.assert_allclose(outputs, expected, atol=0.05)


def test_config_round_trip(family: Any) -> None:
    layer = family.layer(
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


def test_saved_and_loaded(family: Any, rng: np.random.Generator, tmp_path: Path) -> None:
    inputs = keras.Input((None, 4))
    x = family.layer(3, return_sequences=True)(keras.layers.Masking()(inputs))
    model = keras.Model(inputs, keras.layers.Bidirectional(family.layer(2, use_bias=False))(x))
    randomise(model, rng)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    x = rng.normal(size=(2, 5, 4)).astype("float32")
    x[1, 3:] = 0
    np.testing.assert_array_equal(convert_to_numpy(loaded(x)), convert_to_numpy(model(x)))


@pytest.mark.parametrize("units", [0, -3, 1.5, "8"])
def test_units_must_be_positive(family: Any, units: Any) -> None:
    with pytest.raises(ValueError, match=f"units={units!r}: expected a positive integer"):
        family.layer(units)


def test_argument_that_is_unknown(family: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="return_sequence"):
        family.layer(3, return_sequence=True)


def test_kernel_path_says_what_runs(family: Any) -> None:
    layer, name = family.layer(2), keras.backend.backend()
    reset_after = family.arguments.get("reset_after", True)
    has_kernel = name == "jax" or (name == "torch" and reset_after)
    assert layer.kernel_path == (f"{name} kernel" if has_kernel else "keras loop")
