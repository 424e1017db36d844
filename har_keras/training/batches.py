"""The endless stream of training batches, a function of seed and step: equal on every backend."""

from collections.abc import Callable, Iterator

import numpy as np


def updates_per_epoch(samples: int, batch_size: int) -> int:
    """Batches in which every sample is met at least once."""
    return -(-samples // batch_size)


EVALUATION_BATCH = 720  # samples; divisible by any usual number of devices

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def stream(
    x: np.ndarray,
    y: np.ndarray,
    batch_size: int,
    seed: int,
    shuffle: bool = True,
    update: int = 0,
    augment: Augment | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield `(x, y)` of `batch_size` samples for ever, from update number `update` on.

    The samples are passed one pass after the other, in a new order each pass (in file order unless
    `shuffle`); a batch that reaches the end of a pass wraps into the next, so all batches are full.
    `augment` changes each batch of `x` with a generator of its own.
    """
    samples = len(x)
    while True:
        places = np.arange(update * batch_size, (update + 1) * batch_size)
        passes = np.unique(places // samples)
        orders = {p: _order(samples, seed, p) if shuffle else np.arange(samples) for p in passes}
        chosen = np.concatenate(
            [orders[p][places[places // samples == p] % samples] for p in passes]
        )
        batch = x[chosen]
        if augment is not None:
            batch = augment(batch, np.random.default_rng([seed, update, 1]))
        yield batch, y[chosen]
        update += 1


def _order(samples: int, seed: int, pass_number: int) -> np.ndarray:
    return np.random.default_rng([seed, int(pass_number)]).permutation(samples)
