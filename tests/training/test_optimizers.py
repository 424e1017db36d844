from typing import Any

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from har_keras.errors import UserError
from har_keras.training.optimizers import SCHEMAS, SGD, Adam, AdamW, Optimizer, RMSprop, build


def rates(optimizer: Optimizer, updates: int, *at: int) -> list[float]:
    schedule = build(optimizer, updates).get_config()["learning_rate"]
    schedule = keras.saving.deserialize_keras_object(schedule)
    return [float(convert_to_numpy(schedule(update))) for update in at]


@pytest.mark.parametrize(
    ("optimizer", "values"),
    [
        (Adam(beta_1=0.8, beta_2=0.98, epsilon=1e-6), {"beta_1": 0.8, "beta_2": 0.98}),
        (AdamW(weight_decay=0.01, beta_1=0.7), {"weight_decay": 0.01, "beta_1": 0.7}),
        (RMSprop(rho=0.8, momentum=0.3, epsilon=1e-5), {"rho": 0.8, "momentum": 0.3}),
        (SGD(momentum=0.9, nesterov=True), {"momentum": 0.9, "nesterov": True}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_builds_the_keras_optimizer_of_its_name(
    optimizer: Optimizer, values: dict[str, Any]
) -> None:
    optimizer.learning_rate = 0.02
    built = build(optimizer, 10)
    assert isinstance(built, getattr(keras.optimizers, type(optimizer).__name__))
    config = built.get_config()
    if hasattr(optimizer, "epsilon"):
        values = values | {"epsilon": optimizer.epsilon}
    assert {name: config[name] for name in values} == pytest.approx(values)
    assert float(convert_to_numpy(built.learning_rate)) == pytest.approx(0.02)
    assert config["global_clipnorm"] is None


@pytest.mark.parametrize("schema", SCHEMAS)
def test_defaults_are_those_of_keras(schema: type[Optimizer]) -> None:
    ours = build(schema(), 10).get_config()
    theirs = getattr(keras.optimizers, schema.__name__)(learning_rate=0.001).get_config()
    assert {k: v for k, v in ours.items() if k != "name"} == pytest.approx(
        {k: v for k, v in theirs.items() if k != "name"}
    )


def test_cosine_falls_to_the_final_rate() -> None:
    optimizer = Adam(learning_rate=0.1, schedule="cosine", final_learning_rate=0.01)
    start, middle, end, after = rates(optimizer, 100, 0, 50, 100, 200)
    assert [start, middle, end, after] == pytest.approx([0.1, 0.055, 0.01, 0.01], rel=1e-4)


def test_cosine_warms_up_first() -> None:
    optimizer = Adam(learning_rate=0.1, schedule="cosine", final_learning_rate=0.001, warmup=0.2)
    start, rising, top, falling, end = rates(optimizer, 100, 0, 10, 20, 60, 100)
    assert [start, rising, top] == pytest.approx([0, 0.05, 0.1], rel=1e-4)
    assert [falling, end] == pytest.approx([(0.1 + 0.001) / 2, 0.001], rel=1e-4)


def test_exponential_falls_by_equal_factors() -> None:
    optimizer = SGD(learning_rate=1.0, schedule="exponential", final_learning_rate=0.01)
    assert rates(optimizer, 100, 0, 50, 100) == pytest.approx([1.0, 0.1, 0.01], rel=1e-4)


@pytest.mark.parametrize("schedule", ["constant", "plateau"])
def test_a_rate_that_callbacks_may_change(schedule: str) -> None:
    built = build(RMSprop(learning_rate=0.02, schedule=schedule), 10)
    built.learning_rate = 0.01
    assert float(convert_to_numpy(built.learning_rate)) == pytest.approx(0.01)


def test_one_update_is_enough_for_a_schedule() -> None:
    optimizer = Adam(learning_rate=0.1, schedule="cosine", warmup=0.9)
    assert rates(optimizer, 1, 0) == pytest.approx([0.0])


def test_clip_norm_bounds_all_gradients_together() -> None:
    optimizer = build(SGD(learning_rate=1.0, clip_norm=1.0), 10)
    weights = [keras.Variable([0.0, 0.0]), keras.Variable([0.0])]
    optimizer.build(weights)
    gradients = [keras.ops.convert_to_tensor(g) for g in ([3.0, 0.0], [4.0])]
    optimizer.apply(gradients, weights)
    moved = np.concatenate([convert_to_numpy(w) for w in weights])
    np.testing.assert_allclose(moved, [-0.6, 0, -0.8], atol=1e-6)


def test_a_token_met_twice_has_one_gradient() -> None:
    embedding = keras.layers.Embedding(3, 2, embeddings_initializer="ones")
    model = keras.Sequential([embedding, keras.layers.GlobalAveragePooling1D()])
    model.build((None, 2))
    model.compile(build(Adam(), 1), loss=lambda true, made: keras.ops.sum(made, axis=-1))
    model.train_on_batch(np.array([[1, 1]]), np.zeros((1, 2)))
    [velocity] = [v for v in model.optimizer.variables if v.path.endswith("velocity")]
    expected = np.zeros((3, 2))
    expected[1] = 0.001  # (1 - beta_2) times the square of 1/2 + 1/2
    np.testing.assert_allclose(convert_to_numpy(velocity), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("schema", "values", "message"),
    [
        (Adam, {"learning_rate": 0}, "optimizer.learning_rate=0: expected above 0"),
        (Adam, {"schedule": "cosin"}, "did you mean 'cosine'"),
        (Adam, {"schedule": "cosine", "final_learning_rate": 1}, "final_learning_rate=1"),
        (Adam, {"warmup": 0.1}, "only cosine warms up"),
        (Adam, {"schedule": "cosine", "warmup": 1}, "optimizer.warmup=1"),
        (Adam, {"clip_norm": 0}, "optimizer.clip_norm=0"),
        (Adam, {"beta_1": 1}, "optimizer.beta_1=1"),
        (AdamW, {"weight_decay": -1}, "optimizer.weight_decay=-1"),
        (RMSprop, {"rho": -0.1}, "optimizer.rho=-0.1"),
        (SGD, {"momentum": 1.5}, "optimizer.momentum=1.5"),
    ],
)
def test_values_out_of_range(schema: type[Optimizer], values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        schema(**values)
