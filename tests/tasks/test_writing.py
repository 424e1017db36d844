from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_keras.data.text import Vocabulary
from har_keras.errors import UserError
from har_keras.tasks.writing import continued, draw, encoded, likeliest, require_drawable

light = settings(max_examples=100, deadline=None)
LOGITS = np.array([9.0, 9.0, *np.log([0.5, 0.3, 0.15, 0.05])], np.float32)


def shares(**options: float) -> np.ndarray:
    numbers = np.linspace(0, 1, 2000, endpoint=False)
    found = [draw(LOGITS, number, **options) for number in numbers]
    return np.bincount(found, minlength=6) / len(numbers)


def test_probabilities() -> None:
    np.testing.assert_allclose(shares(), [0, 0, 0.5, 0.3, 0.15, 0.05], atol=1e-3)


def test_temperature() -> None:
    expected = np.array([0.5, 0.3, 0.15, 0.05]) ** 2
    np.testing.assert_allclose(shares(temperature=0.5)[2:], expected / expected.sum(), atol=1e-3)
    assert shares(temperature=1e-6)[2] == 1
    np.testing.assert_allclose(shares(temperature=1e6)[2:], 0.25, atol=1e-3)


@pytest.mark.parametrize(("top_p", "kept"), [(0.01, 1), (0.5, 1), (0.51, 2), (0.8, 2), (0.81, 3)])
def test_nucleus(top_p: float, kept: int) -> None:
    expected = np.array([0.5, 0.3, 0.15, 0.05])[:kept]
    np.testing.assert_allclose(
        shares(top_p=top_p)[2 : 2 + kept], expected / expected.sum(), atol=1e-3
    )


@light
@given(
    st.lists(st.floats(-80, 80, width=32), min_size=3, max_size=40),
    st.floats(0, 1, exclude_max=True),
    st.floats(0.01, 10),
    st.floats(0.01, 1),
)
def test_what_is_drawn_can_be(logits, number: float, temperature: float, top_p: float) -> None:
    found = draw(np.array(logits, np.float32), number, temperature, top_p)
    assert 2 <= found < len(logits)
    surest = draw(np.array(logits, np.float32), 0, 1e-3, 1e-9)
    assert logits[surest] == pytest.approx(logits[likeliest(np.array(logits))])


def test_one_seed_one_text() -> None:
    def step(index: int) -> np.ndarray:
        return np.cos(np.arange(7) * index)

    def text(seed: int) -> list[int]:
        return list(islice(continued(step, [3, 4], np.random.default_rng(seed), 1, 1), 50))

    assert text(1) == text(1)
    assert text(1) != text(2)


def test_unknown_characters_are_named() -> None:
    vocabulary = Vocabulary(("a", "b"))
    assert encoded("aba", vocabulary, "prefix") == [2, 3, 2]
    with pytest.raises(UserError, match="prefix='abé ü': holds 'é ü', expected characters"):
        encoded("abé ü", vocabulary, "prefix")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0.0, 1.0), "temperature=0.0: expected above 0"),
        ((-1.0, 1.0), "temperature=-1.0"),
        ((float("nan"), 1.0), "temperature=nan"),
        ((float("inf"), 1.0), "and finite"),
        ((1.0, 0.0), "top_p=0.0: expected above 0 and at most 1"),
        ((1.0, 1.1), "top_p=1.1"),
    ],
)
def test_out_of_range(values: tuple[float, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        require_drawable("", *values)
