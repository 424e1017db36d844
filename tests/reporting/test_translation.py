import numpy as np
import pytest

from har_keras.data.text import sentence
from har_keras.reporting import translation

TRUTH = [["le", "chat", "mange", "une", "souris", "."], ["j'", "ai", "froid", "."]]


def test_scores() -> None:
    found = translation.scores(TRUTH, TRUTH, sentence)
    assert found == pytest.approx({"bleu": 100, "chrf": 100, "exact_match": 1})
    half = translation.scores(TRUTH, [TRUTH[0], ["non"]], sentence)
    assert half["exact_match"] == 0.5
    assert 0 < half["bleu"] < 100
    assert translation.scores(TRUTH, [[], []], sentence)["bleu"] == 0


def test_by_length() -> None:
    found = translation.by_length(TRUTH, [TRUTH[0], ["non"]], [12, 3])
    assert found["over_10_words"] == (pytest.approx(100), 1)
    assert found["to_5_words"][0] < 50
    assert "6_to_10_words" not in found
    axes = translation.lengths_figure(found).axes[0]
    assert axes.get_ylabel() == "BLEU (0–100)"
    assert len(axes.patches) == 2


def test_attention_map() -> None:
    weights = np.full((4, 6), 1 / 6)
    figure = translation.attention(weights, TRUTH[0], TRUTH[1])
    axes = figure.axes[0]
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    assert [label.get_text() for label in axes.get_yticklabels()] == TRUTH[1]
    translation.attention(np.zeros((0, 6)), TRUTH[0], [])
    with pytest.raises(ValueError, match="expected weights"):
        translation.attention(weights, TRUTH[1], TRUTH[0])
