"""The endless stream of training batches, a function of seed and step: equal on every backend."""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from har_keras.data.padded import Samples
    from har_keras.tasks.description import Inputs, Outputs


def updates_per_epoch(samples: int, batch_size: int) -> int:
    """Batches in which every sample is met at least once."""
    return -(-samples // batch_size)


SHORTEST = 8  # steps; batches have so many, or twice, four times … as many: each is compiled
POOL = 32  # batches whose samples are sorted by length together
EVALUATION_BATCH = 720  # samples; divisible by any usual number of devices
LARGEST = 1 << 22  # numbers that go into the model, or come out, with a batch that is evaluated

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]
Batches = Iterator[tuple[np.ndarray, np.ndarray]]
Teach = Callable[[np.ndarray, np.random.Generator, float], np.ndarray]


def evaluation_batch(inputs: "Inputs", outputs: "Outputs") -> int:
    """Samples that are evaluated together: fewer, in eights, where each or its output is large."""
    if inputs.streams:
        return inputs.streams
    shapes = inputs.shape, outputs.shape
    numbers = max(math.prod(size or inputs.timesteps for size in shape) for shape in shapes)
    return max(8, min(EVALUATION_BATCH, LARGEST // numbers) // 8 * 8)


def stream(
    x: "Samples",
    y: np.ndarray,
    batch_size: int,
    seed: int,
    shuffle: bool = True,
    update: int = 0,
    augment: Augment | None = None,
    lengths: np.ndarray | None = None,
    teach: Teach | None = None,
    updates: int = 1,
    part: slice = slice(None),
) -> Batches:
    """Yield `(x, y)` of `batch_size` samples for ever, from update number `update` on.

    The samples are passed one pass after the other, in a new order each pass (in file order unless
    `shuffle`); a batch that reaches the end of a pass wraps into the next, so all batches are full.
    `augment` changes each batch of `x` with a generator of its own, `teach` too, and is told what
    share of all `updates` is done. With `lengths` (samples,), all
    below the timesteps of `x`, a batch has samples of like lengths and no more steps than they
    need; all steps at the begin of an epoch, to tell Keras that their number varies. Of each batch
    `part` is given, and no more is read unless the batch is changed.
    """
    changed = augment is not None or teach is not None
    samples = len(x)
    while True:
        places = np.arange(update * batch_size, (update + 1) * batch_size)
        passes = np.unique(places // samples)
        orders = {p: _order(samples, seed, p) if shuffle else np.arange(samples) for p in passes}
        if shuffle and lengths is not None:
            orders = {p: _alike(orders[p], lengths, batch_size) for p in passes}
        chosen = np.concatenate(
            [orders[p][places[places // samples == p] % samples] for p in passes]
        )
        read = chosen if changed else chosen[part]
        batch, truth = x[read], y[read]
        if lengths is not None and update % updates_per_epoch(samples, batch_size):
            power = np.ceil(np.log2(max(1, lengths[chosen].max() / SHORTEST)))
            steps = min(SHORTEST << int(power), x.shape[1] - 1)
            truth = truth[:, :steps] if truth.shape[1:2] == x.shape[1:2] else truth
            batch = batch[:, :steps]
        if augment is not None:
            batch = augment(batch, np.random.default_rng([seed, update, 1]))
        if teach is not None:
            rng = np.random.default_rng([seed, update, 2])
            batch = teach(batch, rng, min(1.0, update / updates))
        yield (batch[part], truth[part]) if changed else (batch, truth)
        update += 1


def _order(samples: int, seed: int, pass_number: int) -> np.ndarray:
    return np.random.default_rng([seed, int(pass_number)]).permutation(samples)


def _alike(order: np.ndarray, lengths: np.ndarray, batch_size: int) -> np.ndarray:
    """`order` with its samples sorted by length within pools, then in batches of random order."""
    found = []
    for pool in np.split(order, range(POOL * batch_size, len(order), POOL * batch_size)):
        ascending = np.argsort(lengths[pool], kind="stable")
        alike = np.split(ascending, range(batch_size, len(pool), batch_size))
        found += [pool[places] for places in sorted(alike, key=lambda places: places[0])]
    return np.concatenate(found)
