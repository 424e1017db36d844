"""A long sequence of ids as chunks of parallel streams, whose state is carried on. NumPy only."""

import numpy as np
from numpy.typing import NDArray

from har_keras.data.text import PADDING

Ids = NDArray[np.int32]
UNCOUNTED = -1  # the label of a step that does not count
WARM_UP = 500  # steps


def cut(ids: Ids, streams: int, timesteps: int, warm_up: int = 0) -> tuple[Ids, Ids]:
    """Ids (n + 1,) as inputs and the ids that follow them, both int32 (chunks·streams, timesteps).

    The ids are laid side by side as equally long streams: rows 0 to `streams` - 1 are the first
    chunk of each, the next `streams` rows go on from there. Every one of the n ids that follow
    another counts once; all other labels are -1: padding at the end, and the first steps of all
    streams but the first, which begin up to `warm_up` steps before their own and so have a state.
    """
    targets = len(ids) - 1
    warm_up = min(warm_up, targets // streams)
    own = -(-(targets - warm_up) // streams)
    chunks = -(-(own + warm_up) // timesteps)
    own = chunks * timesteps - warm_up
    steps = np.arange(chunks * timesteps)
    places = np.arange(streams)[:, None] * own + steps
    x = _at(ids, places, places < targets, PADDING)
    counts = (places < targets) & ((steps >= warm_up) | (places == steps))
    y = _at(ids, places + 1, counts, UNCOUNTED)
    return _in_order(x, timesteps), _in_order(y, timesteps)


def unbroken(y: NDArray[np.generic], streams: int) -> NDArray[np.generic]:
    """What `cut` laid side by side (rows, timesteps, …) as one sequence (steps, …) again."""
    chunks, timesteps = len(y) // streams, y.shape[1]
    by_stream = y.reshape(chunks, streams, timesteps, *y.shape[2:]).swapaxes(0, 1)
    return by_stream.reshape(-1, *y.shape[2:])


def _at(ids: Ids, places: NDArray[np.int64], there: NDArray[np.bool_], other: int) -> Ids:
    return np.where(there, ids[np.minimum(places, len(ids) - 1)], other).astype(np.int32)


def _in_order(rows: Ids, timesteps: int) -> Ids:
    chunks = rows.reshape(len(rows), -1, timesteps).swapaxes(0, 1)
    return np.ascontiguousarray(chunks.reshape(-1, timesteps))
