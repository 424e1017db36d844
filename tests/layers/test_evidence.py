import keras
import numpy as np
import pytest

from har_keras.layers import Evidence


def test_evidence_is_the_sum_over_words_and_known_pairs() -> None:
    layer = Evidence(6, 2)
    ids = np.array([[0, 2, 3, 1, 4, 4], [5, 2, 3, 2, 3, 0]], np.int32)
    assert not keras.ops.convert_to_numpy(layer(ids)).any()  # nothing is learned yet
    ratios = np.array([0, 0, 1, -2, 3, 4], "float32")
    layer.know(ratios, np.array([2 * 6 + 3, 4 * 6 + 4], "int32"), np.array([0.5, -7], "float32"))
    layer.word_weights.assign([9, 9, 1, 1, 1, 0.5])
    layer.pair_weights.assign([1, 2])
    found = keras.ops.convert_to_numpy(layer(ids))
    # of words 1 - 2 + 3 + 3, of pairs 0.5 - 14; then 2 + 1 - 2 + 1 - 2, and 0.5 + 0.5
    np.testing.assert_allclose(found, [[3 * -8.5], [3 * 1.0]])


def test_it_learns_how_much_words_and_pairs_count() -> None:
    layer = Evidence(5, 1)
    model = keras.Sequential([keras.Input((4,), dtype="int32"), layer])
    words = np.array([0, 0, 1, -1, 2], "float32")
    layer.know(words, np.array([3 * 5 + 4], "int32"), np.array([1.0], "float32"))
    model.compile(keras.optimizers.SGD(1.0), "mse")
    x, y = np.array([[0, 2, 3, 4], [0, 0, 2, 2]], "int32"), np.array([[1.0], [0.0]])
    model.fit(x, y, epochs=1, verbose=0)  # by ∂/∂v of (3 Σ r v - y)² at v = 0, the mean of two
    of = keras.ops.convert_to_numpy
    np.testing.assert_allclose(of(layer.word_weights), [0, 0, 3, -3, 6])
    np.testing.assert_allclose(of(layer.pair_weights), [3])
    np.testing.assert_array_equal(of(layer.word_ratios), words)


@pytest.mark.parametrize(("ids", "pairs"), [(46_341, 10), (2, 10), (10, 0)])
def test_sizes_that_cannot_be(ids: int, pairs: int) -> None:
    with pytest.raises(ValueError, match="expected 3 to 46340"):
        Evidence(ids, pairs)
