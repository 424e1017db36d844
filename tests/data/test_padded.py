import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from har_keras.data.padded import Padded

TIMESTEPS, FEATURES = 5, 3


def padded(lengths: list[int], seed: int) -> tuple[Padded, np.ndarray]:
    """Sequences spread over two parts, each with its features in an order of its own; the array."""
    rng = np.random.default_rng(seed)
    dense = np.full((len(lengths), TIMESTEPS, FEATURES), np.nan, np.float32)
    parts: dict[int, list[np.ndarray]] = {0: [], 7: []}
    part, start, orders = [], [], []
    for row, steps in zip(dense, lengths, strict=True):
        row[:steps] = rng.normal(size=(steps, FEATURES))
        part.append(int(rng.choice([0, 7])))
        start.append(sum(len(numbers) for numbers in parts[part[-1]]))
        orders.append(rng.permutation(FEATURES))
        lying = np.empty((steps, FEATURES), np.float32)
        lying[:, orders[-1]] = row[:steps]
        parts[part[-1]].append(lying.ravel())
    flat = {n: np.concatenate([np.zeros(0, np.float32), *found]) for n, found in parts.items()}
    places = (np.array(values, np.int64) for values in (part, start, lengths))
    return Padded(flat, *places, np.array(orders, np.int64), TIMESTEPS), dense


@given(st.lists(st.integers(1, TIMESTEPS), min_size=1, max_size=8), st.data())
def test_rows_are_those_of_the_array(lengths: list[int], data: st.DataObject) -> None:
    x, dense = padded(lengths, data.draw(st.integers(0, 99)))
    assert (len(x), x.shape) == (len(dense), dense.shape)
    places = st.integers(-len(x), len(x) - 1)
    mask = st.lists(st.booleans(), min_size=len(x), max_size=len(x)).map(np.array)
    lists = st.lists(places, min_size=1, max_size=9)
    index = data.draw(st.one_of(places, lists, st.slices(len(x)), mask))
    np.testing.assert_array_equal(x[index], dense[index])
    if not isinstance(index, int):
        np.testing.assert_array_equal(x.only(index)[:], dense[index])


def test_there_is_an_end() -> None:
    x, dense = padded([2, 5, 1], seed=0)
    np.testing.assert_array_equal(np.stack(list(x)), dense)
    with pytest.raises(IndexError):
        x[3]
