import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_keras.data.streams import cut, unbroken

light = settings(max_examples=200, deadline=None)
few = st.integers(1, 9)


@light
@given(st.integers(2, 400), few, few, st.integers(0, 60))
def test_every_id_counts_once_and_streams_go_on(
    size: int, streams: int, timesteps: int, warm_up: int
) -> None:
    ids = np.arange(1, size + 1)
    x, y = cut(ids, streams, timesteps, warm_up)
    assert x.shape == y.shape
    assert x.shape[1] == timesteps
    assert len(x) % streams == 0
    assert sorted(y[y >= 0]) == list(range(2, size + 1))
    assert (y == x + 1)[y >= 0].all()
    rows = unbroken(x, streams).reshape(streams, -1)
    assert (np.diff(rows)[(rows[:, 1:] > 0)] == 1).all()
    counted = unbroken(y, streams)
    assert (np.diff(counted[counted >= 0]) == 1).all()
    assert (y >= 0).reshape(-1, streams * timesteps).any(1).all()  # no batch without any


@pytest.mark.parametrize("streams", [2, 5])
def test_streams_warm_up_on_what_stands_before_them(streams: int) -> None:
    x, y = cut(np.arange(1, 1002), streams, 10, warm_up=70)
    rows, counted = (unbroken(a, streams).reshape(streams, -1) for a in (x, y))
    assert (counted[0] >= 0).all()
    assert (counted[1:, :70] == -1).all()
    assert (counted[1:-1, 70:] >= 0).all()
    assert (rows[1:, 70] == rows[:-1, -1] + 1).all()


def test_a_short_text() -> None:
    x, y = cut(np.array([4, 5, 6]), 2, 3)
    assert x.tolist() == [[4, 5, 0], [0, 0, 0]] or y.max() == 6
    assert sorted(y[y >= 0]) == [5, 6]
