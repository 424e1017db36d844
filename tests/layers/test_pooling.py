import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from har_keras import layers

STEPS = np.random.default_rng(0).normal(size=(4, 6, 3)).astype("float32")
POST = np.arange(6) < np.array([6, 4, 2, 3])[:, None]
PLAIN = {
    layers.LastStep: lambda x: x[-1],
    layers.SumOverTime: lambda x: x.sum(0),
    layers.MeanOverTime: lambda x: x.mean(0),
    layers.MaxOverTime: lambda x: x.max(0),
}
KINDS = [*PLAIN, layers.Attention]


def pooled(kind, steps: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    keras.utils.set_random_seed(0)
    layer = kind()
    mask = None if mask is None else keras.ops.convert_to_tensor(mask)
    return convert_to_numpy(layer(keras.ops.convert_to_tensor(steps), mask=mask))


@pytest.mark.parametrize("mask", [POST, POST[:, ::-1]], ids=["post", "pre"])
@pytest.mark.parametrize("kind", KINDS)
def test_padding_counts_for_nothing(kind, mask: np.ndarray) -> None:
    found = pooled(kind, STEPS, mask)
    for row, real, vector in zip(STEPS, mask, found, strict=True):
        np.testing.assert_allclose(vector, pooled(kind, row[real][None], None)[0], atol=1e-6)


@pytest.mark.parametrize(("kind", "plain"), PLAIN.items())
def test_without_mask(kind, plain) -> None:
    expected = np.stack([plain(row) for row in STEPS])
    np.testing.assert_allclose(pooled(kind, STEPS, None), expected, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_alone_is_finite(kind) -> None:
    found = pooled(kind, STEPS, np.zeros((4, 6), bool))
    assert np.isfinite(found).all()
    if kind is not layers.LastStep:
        assert not found.any()


def test_attention_by_hand() -> None:
    layer = layers.Attention()
    layer.build((None, 6, 3))
    rng = np.random.default_rng(1)
    kernel, bias, context = (rng.normal(size=w.shape) for w in layer.get_weights())
    layer.set_weights([kernel, bias, context])
    scores = np.tanh(STEPS @ kernel + bias) @ context
    weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(convert_to_numpy(layer(STEPS)), (weights * STEPS).sum(1), atol=1e-5)


def test_a_mask_passes_a_shortening_layer() -> None:
    start = keras.Input((7,), dtype="int32")
    steps = keras.layers.Embedding(5, 2, mask_zero=True)(start)
    short = keras.layers.MaxPooling1D(2)(layers.Unmasked()(steps))
    counted = layers.SumOverTime()(layers.MaskedAs()([keras.ops.ones_like(short), steps]))
    ids = np.array([[1, 2, 3, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 1], [0] * 7], "int32")
    found = convert_to_numpy(keras.Model(start, counted)(ids))
    assert found[:, 0].tolist() == [2, 1, 0]
