from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_keras.training.batches import stream, updates_per_epoch

light = settings(max_examples=50, deadline=None)
counts = st.integers(1, 40)


def numbers(samples: int, batch_size: int, updates: int, **options: int | bool) -> np.ndarray:
    """The sample numbers of the first batches, (updates, batch_size)."""
    x = np.arange(samples)
    batches = list(islice(stream(x[:, None, None], -x, batch_size, **options), updates))
    for inputs, targets in batches:
        assert inputs.shape == (batch_size, 1, 1)
        np.testing.assert_array_equal(inputs[:, 0, 0], -targets)
    return np.array([inputs[:, 0, 0] for inputs, _ in batches])


@light
@given(counts, counts, st.integers(0, 2**32 - 1), st.booleans())
def test_every_pass_meets_each_sample_once(
    samples: int, batch_size: int, seed: int, shuffle: bool
) -> None:
    updates = 3 * updates_per_epoch(samples, batch_size)
    met = numbers(samples, batch_size, updates, seed=seed, shuffle=shuffle).ravel()
    whole_passes = met[: len(met) // samples * samples].reshape(-1, samples)
    assert len(whole_passes) >= 3
    for one_pass in whole_passes:
        np.testing.assert_array_equal(np.sort(one_pass), np.arange(samples))


@light
@given(counts, counts, st.integers(0, 20), st.booleans())
def test_resuming_gives_the_same_batches(
    samples: int, batch_size: int, update: int, shuffle: bool
) -> None:
    options = {"seed": 3, "shuffle": shuffle}
    without = numbers(samples, batch_size, update + 5, **options)
    resumed = numbers(samples, batch_size, 5, update=update, **options)
    np.testing.assert_array_equal(resumed, without[update:])


def test_without_shuffle_file_order_wraps() -> None:
    expected = [[0, 1, 2], [3, 4, 0], [1, 2, 3]]
    np.testing.assert_array_equal(numbers(5, 3, 3, seed=0, shuffle=False), expected)


def test_a_batch_larger_than_the_data() -> None:
    met = numbers(3, 7, 1, seed=0, shuffle=False)
    np.testing.assert_array_equal(met, [[0, 1, 2, 0, 1, 2, 0]])


def test_seeds_and_passes_differ() -> None:
    first, other = (numbers(50, 50, 2, seed=seed) for seed in (0, 1))
    assert (first[0] != other[0]).any()
    assert (first[0] != first[1]).any()


def test_order_is_numpys_permutation() -> None:
    met = numbers(10, 10, 2, seed=7)
    expected = [np.random.default_rng([7, p]).permutation(10) for p in range(2)]
    np.testing.assert_array_equal(met, expected)


@pytest.mark.parametrize(
    ("samples", "batch_size", "updates"), [(10, 5, 2), (11, 5, 3), (3, 64, 1), (7352, 1500, 5)]
)
def test_updates_per_epoch(samples: int, batch_size: int, updates: int) -> None:
    assert updates_per_epoch(samples, batch_size) == updates


@light
@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_batches_of_like_lengths_miss_nothing(samples: int, batch_size: int, seed: int) -> None:
    lengths = np.random.default_rng(seed).integers(0, 200, samples)
    x = (np.arange(201) < lengths[:, None]) * np.arange(1, samples + 1)[:, None]
    updates = updates_per_epoch(samples, batch_size)
    batches = list(islice(stream(x, x, batch_size, seed, lengths=lengths), 2 * updates))
    assert batches[0][0].shape == batches[updates][0].shape == (batch_size, 201)
    met = [row.max() for inputs, _ in batches for row in inputs]
    assert sorted(met[:samples]) == sorted(x.max(1))
    for number, (inputs, targets) in enumerate(batches):
        np.testing.assert_array_equal(inputs, targets)
        counts = (inputs > 0).sum(1)
        expected = [lengths[row.max() - 1] for row in inputs if row.any()]
        assert counts[counts > 0].tolist() == expected
        if number % updates:
            assert inputs.shape[1] in (8, 16, 32, 64, 128, 200)


@pytest.mark.parametrize("change", ["none", "augment", "teach", "lengths"])
def test_a_part_of_each_batch(change: str) -> None:
    x, y = np.arange(60).reshape(20, 3), np.arange(20)
    kinds = {
        "augment": {"augment": lambda x, rng: x + rng.integers(9, size=x.shape)},
        "teach": {"teach": lambda x, rng, share: x + share + rng.integers(9, size=x.shape)},
        "lengths": {"lengths": np.arange(20) % 3},
    }
    options = kinds.get(change, {})
    whole = stream(x, y, 6, 0, **options)
    part = stream(x, y, 6, 0, **options, part=slice(2, 4))
    for (x_whole, y_whole), (x_part, y_part), _ in zip(whole, part, range(5), strict=False):
        np.testing.assert_array_equal(x_part, x_whole[2:4])
        np.testing.assert_array_equal(y_part, y_whole[2:4])
