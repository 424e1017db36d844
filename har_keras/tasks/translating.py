"""A trained encoder-decoder at work on its own output: greedy and beam search.

Each step of the search is one step of the decoder, from the states it left: nothing is computed
twice.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from har_keras.data.pairs import END_ID, GO_ID
from har_keras.data.text import PADDING
from har_keras.errors import require

SENTENCES = 64  # searched for together
RESERVED = GO_ID + 1  # ids below are never said

Ids = NDArray[np.int32]


class Found(NamedTuple):
    """The best target of each source.

    ids: int32 (sources, steps), 0 after `<end>`. scores: float64 (sources,), Σ log p of the ids
    over (their number) ** penalty. attention: float32 (sources, steps, source steps), or None.
    """

    ids: Ids
    scores: NDArray[np.float64]
    attention: NDArray[np.float32] | None


def require_searchable(key: str, beam: int, length_penalty: float) -> None:
    """Raise `UserError` unless one can search so; `key` stands before the names."""
    require(0 < beam <= 100, f"{key}beam", beam, "1 to 100")
    allowed = "0 to 10"
    require(0 <= length_penalty <= 10, f"{key}length_penalty", length_penalty, allowed)


def search(model: Any, source: Ids, most: int, beam: int = 1, penalty: float = 1.0) -> Found:
    """The best targets of at most so many ids that a beam finds; a beam of 1 is greedy.

    Args:
        model: as `models.encoder_decoder` builds it.
        source: ids (sources, steps), padded.
        most: ids of a target.
        beam: hypotheses kept at each step. The greedy one counts too: what is found never has a
            lower score than it.
        penalty: exponent of the length; 0 prefers short targets.
    """
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    parts = []
    size = min(SENTENCES, 1 << max(len(source) - 1, 0).bit_length())
    for first in range(0, len(source), size):
        batch = source[first : first + size]
        full = np.concatenate([batch, np.repeat(batch[:1], size - len(batch), axis=0)])
        encoded = [np.asarray(array) for array in encoder.predict_on_batch(full)]
        best = _search(decoder, full, encoded, most, 1, penalty)
        if beam > 1:
            best = _better(best, _search(decoder, full, encoded, most, beam, penalty))
        parts.append(_rows(best, slice(len(batch))))
    ids, scores, seen = zip(*parts, strict=True)
    attention = None if seen[0] is None else np.concatenate(seen)
    return Found(np.concatenate(ids), np.concatenate(scores), attention)


def _search(
    decoder: Any, source: Ids, encoded: list[np.ndarray], most: int, beam: int, penalty: float
) -> Found:
    """One search for a batch; rows of arrays are the hypotheses of the first source, and so on.

    A hypothesis that has ended stays where it is, followed by padding.
    """
    sources, rows = len(source), len(source) * beam
    steps, context, *states = (np.repeat(array, beam, axis=0) for array in encoded)
    memory = [np.repeat(source, beam, axis=0), steps, context]
    ids = np.zeros((rows, most), np.int32)
    seen = np.zeros((rows, most, source.shape[1]), np.float32)
    last = np.full(rows, GO_ID, np.int32)
    totals = np.where(np.arange(rows) % beam == 0, 0.0, -np.inf)
    lengths = np.zeros(rows, int)
    weights: list[np.ndarray] = []
    for step in range(most):
        ended = np.isin(last, (END_ID, PADDING))
        if ended.all():
            break
        found = decoder.predict_on_batch([last[:, None], *memory, *states])
        logits, *found = (np.asarray(array) for array in found)
        states, weights = found[: len(states)], found[len(states) :]
        candidates, log = _likeliest(logits[:, 0], beam)
        candidates[ended], log[ended] = PADDING, -np.inf
        log[ended, 0] = 0.0
        lengths = lengths + ~ended
        new = totals[:, None] + log
        ranks = (new / lengths[:, None] ** penalty).reshape(sources, -1)
        chosen = np.argsort(-ranks, axis=1, kind="stable")[:, :beam]
        chosen = (chosen + np.arange(sources)[:, None] * ranks.shape[1]).ravel()
        parents = chosen // candidates.shape[1]
        totals, last = new.ravel()[chosen], candidates.ravel()[chosen]
        ids, seen, lengths = ids[parents], seen[parents], lengths[parents]
        states = [state[parents] for state in states]
        ids[:, step] = last
        if weights:
            seen[:, step] = weights[0][parents, 0]
    scores = totals / lengths**penalty
    best = Found(ids, scores, seen if weights else None)
    return _rows(best, slice(None, None, beam))


def _likeliest(
    logits: NDArray[np.floating], count: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The `count` likeliest ids of each row and their log-probabilities, none of the reserved."""
    logits = logits.astype(np.float64)
    highest = logits.max(-1, keepdims=True)
    total = highest + np.log(np.exp(logits - highest).sum(-1, keepdims=True))
    logits[:, :RESERVED] = -np.inf
    count = min(count, logits.shape[1])
    ids = np.argpartition(-logits, count - 1, axis=-1)[:, :count]
    return ids.astype(np.int32), np.take_along_axis(logits, ids, -1) - total


def _better(first: Found, second: Found) -> Found:
    """Of each source the one with the higher score."""
    better = second.scores > first.scores
    ids = np.where(better[:, None], second.ids, first.ids)
    scores = np.maximum(first.scores, second.scores)
    if first.attention is None or second.attention is None:
        return Found(ids, scores, None)
    return Found(ids, scores, np.where(better[:, None, None], second.attention, first.attention))


def _rows(found: Found, rows: slice) -> Found:
    ids, scores, attention = found
    return Found(ids[rows], scores[rows], None if attention is None else attention[rows])
