"""Input description: tokens, and what each word and each pair tells of the class by itself."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from har_keras.data.text import FIRST, MOST_PAIRED, pair_numbers
from har_keras.errors import require
from har_keras.tasks.tokens import Tokens


@dataclass(frozen=True)
class WithEvidence(Tokens):
    """As `Tokens`; the text's `layers.Evidence` is added to the head's logit.

    `words` float32 (ids,) and `pairs` float32 (pairs,) are log-count ratios; `known` int32 (pairs,)
    the pairs' numbers, sorted.
    """

    words: np.ndarray = field(kw_only=True, compare=False)
    known: np.ndarray = field(kw_only=True, compare=False)
    pairs: np.ndarray = field(kw_only=True, compare=False)

    @classmethod
    def of(cls, tokens: Tokens, x: NDArray[np.int32], y: NDArray[np.int64], least: int) -> Self:
        """Of training samples `x` (samples, timesteps), `y` 0 or 1; `least` hold each pair.

        Raises `UserError` where no pair is in so many, and for a vocabulary that is too large.
        """
        size = tokens.vocabulary.size
        allowed = f"null with more than {MOST_PAIRED} words ({size})"
        require(size <= MOST_PAIRED, "task.evidence", least, allowed)
        ids, words = ratios(x, y, 1)
        by_id = np.zeros(size, np.float32)
        by_id[ids] = words
        by_id[:FIRST] = 0
        both = (x[:, :-1] >= FIRST) & (x[:, 1:] >= FIRST)
        known, pairs = ratios(np.where(both, pair_numbers(x, size), 0), y, least)
        require(len(known) > 0, "task.evidence", least, "less (no pair of words is in so many)")
        return cls(**vars(tokens), words=by_id, known=known, pairs=pairs)

    def evidence(self, start: Any) -> Any:
        """The logit (batch, 1) of class 1, as words and pairs tell by themselves."""
        from har_keras.layers import Evidence

        layer = Evidence(len(self.words), len(self.known), name="evidence")
        found = layer(start)
        layer.know(self.words, self.known, self.pairs)
        return found


def ratios(
    x: NDArray[np.int32], y: NDArray[np.int64], least: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Numbers above 0 in `x` (samples, …) that `least` samples hold, sorted, and their ratios.

    The log of how much larger a share they are, each sample counted once, of what samples of class
    1 hold than of what those of class 0 hold; each count is taken one larger.
    """
    ordered = np.sort(x, axis=1)
    ordered[:, 1:][ordered[:, 1:] == ordered[:, :-1]] = 0
    counted = [np.unique(ordered[y == label], return_counts=True) for label in (0, 1)]
    numbers = np.union1d(*(found for found, _ in counted))
    counts = np.zeros((2, len(numbers)))
    for row, (found, times) in zip(counts, counted, strict=True):
        row[np.searchsorted(numbers, found)] = times
    kept = (counts.sum(0) >= least) & (numbers > 0)
    numbers, counts = numbers[kept], counts[:, kept] + 1
    shares = counts / counts.sum(1, keepdims=True)
    return numbers, np.log(shares[1] / shares[0]).astype(np.float32)
