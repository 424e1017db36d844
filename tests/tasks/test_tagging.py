import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_keras.reporting import tagging
from har_keras.tasks.tagging import PADDING, ClassPerStep

TAGS = ("O", "B-a", "I-a", "B-b", "I-b")
OUTPUTS = ClassPerStep(6, ("one", "two"), (TAGS, TAGS))


def drawn(seed: int, samples: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Truth and logits, sentences of 0 to 6 steps."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(TAGS), (samples, 6, 2))
    truth[np.arange(6) >= rng.integers(0, 7, samples)[:, None]] = PADDING
    return truth, rng.normal(size=(samples, 6, 2, len(TAGS)))


@given(st.integers(0, 999))
@settings(max_examples=20, deadline=None)
def test_decoding_finds_the_best_whole_spans(seed: int) -> None:
    truth, logits = drawn(seed, 1)
    steps = (truth[0, :, 0] >= 0).sum()
    scores = logits[0, :steps, 0]
    allowed = [
        path
        for path in itertools.product(range(5), repeat=int(steps))
        if all(
            not TAGS[tag].startswith("I-") or TAGS[before][1:] in (f"-{TAGS[tag][2:]}",)
            for before, tag in zip((0, *path), path, strict=False)
        )
    ]
    best = max(allowed, key=lambda path: scores[range(steps), list(path)].sum())
    decoded = OUTPUTS.decode(logits, truth[..., 0] >= 0)[0, :, 0]
    assert decoded[:steps].tolist() == list(best)
    assert (decoded[steps:] == PADDING).all()


def test_exact_spans_by_hand() -> None:
    truth = [[["B-a", "I-a", "O", "B-b"], ["O", "B-a", "O", "O"]]]
    found = [[["B-a", "I-a", "O", "B-b"], ["O", "B-a", "I-a", "O"]]]
    scores = tagging.spans(truth, found)
    assert scores["precision"] == scores["recall"] == pytest.approx(2 / 3)
    assert scores["f1_a"] == pytest.approx(0.5)
    assert scores["f1_b"] == 1
    assert tagging.spans([[["O"]]], [[["O"]]])["f1"] == 0


def test_published_scores_count_padding() -> None:
    truth = np.array([[2, 2, 2, PADDING], [2, 0, PADDING, PADDING]])
    scores = tagging.padded(truth, np.full((2, 4), 2))
    assert scores["padded_precision"] == 1
    assert scores["padded_recall"] == pytest.approx((3 / 4 + 1 / 4) / 2)
    assert scores["padded_f1_above_0.6"] == 0.5


@pytest.mark.parametrize("seed", range(5))
def test_the_followed_f1_is_that_of_seqeval(seed: int) -> None:
    truth, logits = drawn(seed)
    (metric,) = OUTPUTS.compiled_metrics()
    metric.update_state(truth[:2], logits[:2])
    metric.update_state(truth[2:], logits[2:])
    found = np.where(truth < 0, truth, logits.argmax(-1))
    named = [list(OUTPUTS.named(labels)) for labels in (truth, found)]
    assert float(metric.result()) == pytest.approx(tagging.spans(*named)["f1"], abs=1e-6)


def test_the_loss_leaves_padding_out() -> None:
    truth, logits = drawn(0)
    loss = float(OUTPUTS.loss()(truth, logits.astype("float32")))
    assert loss == pytest.approx(tagging.loss(truth, logits), rel=1e-5)
    logits[truth[..., 0] < 0] = 99
    assert float(OUTPUTS.loss()(truth, logits.astype("float32"))) == pytest.approx(loss, rel=1e-5)


def test_rows_and_spans_of_predictions() -> None:
    tags = [[("B-a", "I-a", "O"), ("O", "O", "B-b")]]
    truth = OUTPUTS.encode(tags, 6)
    assert truth.shape == (1, 6, 2)
    logits = 20.0 * (np.arange(5) == np.maximum(truth, 0)[..., None])
    header, *rows = OUTPUTS.prediction_rows(truth, logits)
    assert header[:3] == ["index", "step", "truth_one"]
    assert rows[1] == [0, 1, "I-a", "I-a", "1.000000", "O", "O", "1.000000"]
    assert len(rows) == 3
    assert list(OUTPUTS.told(truth, logits)) == [("a 1–2, b 3", "a 1–2, b 3")]
    assert OUTPUTS.metrics(truth, logits)["f1"] == 1
    assert set(OUTPUTS.figures(truth, logits, truth, "")) == {"confusion_one", "confusion_two"}
