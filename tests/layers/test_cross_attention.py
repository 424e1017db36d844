import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy
from scipy.special import softmax

from har_keras.layers import CrossAttention, OwnWords
from har_keras.layers.cross_attention import KINDS


def attended(kind: str, queries: np.ndarray, steps: np.ndarray, real: np.ndarray):
    """The layer with random weights: (context, weights, its weights by name)."""
    layer = CrossAttention(kind)
    layer.build([queries.shape, steps.shape, real.shape])
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    found = [convert_to_numpy(array) for array in layer([queries, steps, real])]
    return *found, {w.name: convert_to_numpy(w) for w in layer.weights}


def truth(queries, steps, real, steps_kernel, kernel=None, score_kernel=None, bias=None):
    """One sequence, pair by pair."""
    weights = np.zeros((len(queries), len(steps)))
    for t, q in enumerate(queries):
        scores = np.full(len(steps), -np.inf)
        for j in np.flatnonzero(real):
            key = steps[j] @ steps_kernel
            additive = kernel is not None
            asked = np.tanh(q @ kernel + key + bias) @ score_kernel[:, 0] if additive else q @ key
            scores[j] = asked
        weights[t] = softmax(scores)
    return weights @ steps, weights


@pytest.mark.parametrize("kind", KINDS)
def test_as_the_reference(kind: str) -> None:
    rng = np.random.default_rng(1)
    queries = rng.normal(size=(2, 3, 4)).astype("float32")
    steps = rng.normal(size=(2, 5, 6)).astype("float32")
    real = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
    context, weights, named = attended(kind, queries, steps, real)
    for row in range(2):
        expected = truth(queries[row], steps[row], real[row], **named)
        np.testing.assert_allclose(context[row], expected[0], atol=1e-5)
        np.testing.assert_allclose(weights[row], expected[1], atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(KINDS), st.integers(1, 5), st.floats(-1e3, 1e3, width=32))
def test_padding_counts_for_nothing(kind: str, length: int, odd: float) -> None:
    rng = np.random.default_rng(2)
    queries = rng.normal(size=(1, 2, 3)).astype("float32")
    steps = rng.normal(size=(1, 5, 3)).astype("float32")
    real = np.arange(5)[None] < length
    expected = attended(kind, queries, steps, real)
    other = np.where(real[..., None], steps, np.float32(odd))
    found = attended(kind, queries, other, real)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
    assert (found[1][:, :, length:] == 0).all()
    np.testing.assert_allclose(found[1].sum(-1), 1, atol=1e-5)


def test_saved_and_loaded(tmp_path) -> None:
    inputs = [keras.Input((2, 4)), keras.Input((5, 6)), keras.Input((5,), dtype="bool")]
    model = keras.Model(inputs, CrossAttention("multiplicative")(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.layers[-1].kind == "multiplicative"
    assert [tuple(shape) for shape in loaded.output_shape] == [(None, 2, 6), (None, 2, 5)]
    with pytest.raises(ValueError, match="expected one of additive"):
        CrossAttention("dot")


def test_own_words() -> None:
    ids = np.array([[2, -5, 6, -7], [2, 5, 6, 7]], "int32")
    logits = np.zeros((2, 4, 9), "float32")
    logits[:, range(4), [3, 4, 8, 1]] = 1
    found = convert_to_numpy(OwnWords()([ids, logits]))
    assert found.tolist() == [[2, 3, 6, 8], [2, 5, 6, 7]]
