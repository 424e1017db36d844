import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_keras.reporting.metrics import classification


def test_values_computed_by_hand() -> None:
    # classes 0, 0, 1, 2; predicted 0, 1, 1, 1; class 3 never occurs
    probabilities = [
        [0.7, 0.1, 0.1, 0.1],
        [0.2, 0.5, 0.2, 0.1],
        [0.1, 0.8, 0.1, 0.0],
        [0.1, 0.6, 0.25, 0.05],
    ]
    scores = classification([0, 0, 1, 2], probabilities)
    f1 = np.array([2 / 3, 1 / 2, 0])  # precision 1, 1/3, 0; recall 1/2, 1, 0
    assert scores == pytest.approx(
        {
            "accuracy": 2 / 4,
            "macro_f1": f1.mean(),
            "weighted_precision": (2 * 1 + 1 * 1 / 3 + 0) / 4,
            "weighted_recall": (2 * 1 / 2 + 1 + 0) / 4,
            "weighted_f1": (2 * f1[0] + f1[1] + f1[2]) / 4,
            "loss": -np.log([0.7, 0.2, 0.8, 0.25]).mean(),
        }
    )
    assert {type(value) for value in scores.values()} == {float}


@settings(max_examples=30)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_certain_and_right_is_perfect(truth: list[int]) -> None:
    scores = classification(truth, np.eye(5, dtype="float32")[truth])
    assert scores.pop("loss") == 0
    assert scores == dict.fromkeys(scores, 1.0)


def test_certain_and_wrong_has_a_finite_loss() -> None:
    assert classification([0], [[0.0, 1.0]])["loss"] == pytest.approx(-np.log(1e-7))


def test_a_diverged_model_has_an_undefined_loss() -> None:
    assert np.isnan(classification([0, 1], np.full((2, 2), np.nan))["loss"])


@pytest.mark.parametrize(
    ("truth", "shape", "message"),
    [
        ([0, 1], (3, 2), "samples, classes"),
        ([[0]], (1, 2), "samples, classes"),
        ([], (0, 2), "at least one sample"),
        ([2], (1, 2), r"0\.\.1, got 2\.\.2"),
        ([-1], (1, 2), "got -1"),
    ],
)
def test_misfits_are_named(truth: list[int], shape: tuple[int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classification(np.array(truth, int), np.ones(shape))
