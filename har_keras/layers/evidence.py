"""What each word, and each pair of neighbours, tells of a text by itself."""

from typing import Any

import keras
from keras import ops
from numpy.typing import NDArray

from har_keras.data.text import FIRST, MOST_PAIRED, pair_numbers


@keras.saving.register_keras_serializable("har_keras")
class Evidence(keras.layers.Layer):
    """Ids (batch, timesteps) to the logit of one class of two that they sum to, (batch, 1).

    3 Σ_t r(w_t)·v(w_t) + r(w_t-1, w_t)·v(w_t-1, w_t): r, given by `know`, is the log of how much
    more often a word or a pair stands in that class than in the other; v, learned from 0, how much
    that counts. After NBSVM, which takes each word and pair of a text once (Wang & Manning 2012,
    https://aclanthology.org/P12-2018). Padding, unknown words and other pairs count nothing. By the
    factor 3 it learns ahead of an encoder beside it, which then finds what words alone do not tell.
    """

    def __init__(self, ids: int, pairs: int, **kwargs: Any) -> None:
        """`ids` words, `pairs` pairs; raise `ValueError` for more ids than int32 can pair."""
        super().__init__(**kwargs)
        if not FIRST < ids <= MOST_PAIRED or pairs < 1:
            allowed = f"3 to {MOST_PAIRED}, and 1 or more"
            raise ValueError(f"ids={ids}, pairs={pairs}: expected {allowed}")
        self.ids, self.pairs = ids, pairs
        self.word_weights_initializer = self.pair_weights_initializer = keras.initializers.Zeros()

    def build(self, input_shape: Any) -> None:
        """Make r and v of words and pairs, and the sorted numbers of the pairs."""

        def weight(name: str, size: int, **given: Any) -> Any:
            return self.add_weight(shape=(size,), initializer="zeros", name=name, **given)

        self.known = weight("known", self.pairs, dtype="int32", trainable=False)
        self.word_ratios = weight("word_ratios", self.ids, trainable=False)
        self.pair_ratios = weight("pair_ratios", self.pairs, trainable=False)
        self.word_weights = weight("word_weights", self.ids)
        self.pair_weights = weight("pair_weights", self.pairs)

    def know(self, words: NDArray[Any], known: NDArray[Any], pairs: NDArray[Any]) -> None:
        """Take r of `words` (ids,) and of the pairs, (pairs,), of the sorted numbers `known`."""
        self.word_ratios.assign(words)
        self.known.assign(known)
        self.pair_ratios.assign(pairs)

    def call(self, words: Any) -> Any:
        """Weigh and sum up."""
        numbers = pair_numbers(words, self.ids)
        places = ops.searchsorted(self.known, ops.reshape(numbers, (-1,)))
        places = ops.reshape(ops.minimum(places, self.pairs - 1), ops.shape(numbers))
        is_known = ops.cast(ops.take(self.known, places) == numbers, self.compute_dtype)
        of_words = ops.take(self.word_ratios * self.word_weights, words)
        of_pairs = ops.take(self.pair_ratios * self.pair_weights, places) * is_known
        return 3 * (ops.sum(of_words, -1, keepdims=True) + ops.sum(of_pairs, -1, keepdims=True))

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, int]:
        """(batch, 1)."""
        return input_shape[0], 1

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"ids": self.ids, "pairs": self.pairs}
