from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax

from har_keras.data.pairs import END_ID, GO_ID
from har_keras.data.text import PADDING
from har_keras.errors import UserError
from har_keras.models import encoder_decoder
from har_keras.tasks import dates
from har_keras.tasks.translating import RESERVED, Found, require_searchable, search

MOST = 9


def model_of(attention: str = "additive", cell: str = "lstm") -> tuple[Any, np.ndarray]:
    """A model with random weights, under which some targets end early, and sources."""
    config = dates.Config(train_pairs=50, validation_pairs=5, test_pairs=70)
    data = dates.load(config, Path(), 0, published=False)
    settings = encoder_decoder.Config(units=6, embedding=4, attention=attention, cell=cell)
    model = encoder_decoder.build(settings, data.inputs, data.outputs)
    rng = np.random.default_rng(0)
    weights = [rng.normal(0, 1.0, w.shape) for w in model.get_weights()]
    weights[-1][END_ID] += 1.5
    model.set_weights(weights)
    return model, data.test.x[..., 0]


@pytest.fixture(scope="module")
def made() -> tuple[Any, np.ndarray]:
    return model_of()


def decoded(model: Any, source: np.ndarray, given: np.ndarray) -> list[np.ndarray]:
    """Logits, states and attention of the decoder over the whole target."""
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    return decoder.predict_on_batch([given, source, *encoder.predict_on_batch(source)])


def whole(model: Any, source: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Log-probabilities (sources, steps, ids) by running the decoder over the whole target."""
    given = np.hstack([np.full((len(ids), 1), GO_ID, np.int32), ids[:, :-1]])
    return log_softmax(decoded(model, source, given)[0].astype("float64"), axis=-1)


def scored(model: Any, source: np.ndarray, ids: np.ndarray, penalty: float) -> np.ndarray:
    of_ids = np.take_along_axis(whole(model, source, ids), ids[..., None], -1)[..., 0]
    return np.where(ids > 0, of_ids, 0).sum(1) / (ids > 0).sum(1) ** penalty


@pytest.mark.parametrize(("attention", "cell"), [("additive", "lstm"), ("none", "gru")])
def test_a_beam_of_one_is_greedy(attention: str, cell: str) -> None:
    """The same as running the whole model again for every token, and taking the likeliest."""
    model, source = model_of(attention, cell)
    found = search(model, source, MOST)
    expected = np.zeros((len(source), MOST), np.int32)
    ended = np.zeros(len(source), bool)
    for step in range(MOST):
        best = whole(model, source, expected)[:, step, RESERVED:].argmax(-1) + RESERVED
        expected[:, step] = np.where(ended, PADDING, best)
        ended |= best == END_ID
    assert ended.any()
    np.testing.assert_array_equal(found.ids, expected)
    np.testing.assert_allclose(found.scores, scored(model, source, expected, 1.0), atol=1e-4)
    assert (found.attention is None) == (attention == "none")


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_beam_is_never_worse_than_greedy(made, penalty: float) -> None:
    model, source = made
    greedy, beam = (search(model, source, MOST, width, penalty) for width in (1, 5))
    assert (beam.scores >= greedy.scores).all()
    assert (beam.scores > greedy.scores).any()
    np.testing.assert_allclose(beam.scores, scored(model, source, beam.ids, penalty), atol=1e-4)


def test_a_wide_beam_finds_the_best_of_all(made) -> None:
    """Of all targets of two ids, where no hypothesis is dropped."""
    model, source = made
    size = model.output_shape[-1]
    found = search(model, source[:3], 2, beam=size + 3, penalty=0.0)
    said = range(RESERVED, size)
    targets = np.array([(a, PADDING if a == END_ID else b) for a in said for b in said], np.int32)
    for row in range(3):
        scores = scored(model, np.repeat(source[row : row + 1], len(targets), 0), targets, 0.0)
        np.testing.assert_allclose(found.scores[row], scores.max(), atol=1e-4)


def test_attention_is_that_of_what_was_found(made) -> None:
    model, source = made
    found = search(model, source, MOST, beam=3)
    given = np.hstack([np.full((len(source), 1), GO_ID, np.int32), found.ids[:, :-1]])
    expected = decoded(model, source, given)[-1]
    said = found.ids > 0
    np.testing.assert_allclose(found.attention[said], expected[said], atol=1e-4)
    np.testing.assert_allclose(found.attention[said].sum(-1), 1, atol=1e-4)
    assert not found.attention[said][:, -1][(source == 0)[np.nonzero(said)[0], -1]].any()


def test_one_source_alone(made) -> None:
    model, source = made
    found, alone = search(model, source, MOST, 2), search(model, source[5:6], MOST, 2)
    np.testing.assert_array_equal(alone.ids[0], found.ids[5])
    assert isinstance(alone, Found)


@pytest.mark.parametrize(
    ("beam", "penalty", "message"),
    [
        (0, 1.0, "task.beam=0: expected 1 to 100"),
        (1, -1.0, "task.length_penalty=-1.0: expected 0 to 10"),
        (1, float("nan"), "task.length_penalty=nan"),
    ],
)
def test_values_out_of_range(beam: int, penalty: float, message: str) -> None:
    with pytest.raises(UserError, match=message):
        require_searchable("task.", beam, penalty)
