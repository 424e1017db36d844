from pathlib import Path

import keras
import numpy as np
import pytest

from har_keras.errors import UserError
from har_keras.models import conv_lstm, ensemble, recurrent
from har_keras.tasks import TaskData, imdb
from har_keras.tasks.evidence import ratios


def load(root: Path, **values) -> TaskData:
    config = imdb.Config(timesteps=16, size=40, validation_share=0.25, embedding=4, **values)
    return imdb.load(config, root, 0, published=False)


def test_ratios() -> None:
    ids = np.array([[2, 2, 3, 0], [3, 2, 1, 1], [4, 3, 0, 0]], np.int32)
    numbers, found = ratios(ids, np.array([1, 1, 0]), 1)
    # Of class 1 two samples hold 2, two hold 3, one holds 1; of class 0 one holds 3 and one 4.
    np.testing.assert_array_equal(numbers, [1, 2, 3, 4])
    shares = np.array([[1, 1, 2, 2], [2, 3, 3, 1]]) / [[6], [9]]
    np.testing.assert_allclose(found, np.log(shares[1] / shares[0]), rtol=1e-6)
    np.testing.assert_array_equal(ratios(ids, np.array([1, 1, 0]), 2)[0], [2, 3])
    np.testing.assert_array_equal(ids[0], [2, 2, 3, 0])


def test_evidence_is_of_training_reviews(reviews_root: Path) -> None:
    inputs = load(reviews_root, evidence=1).inputs
    ids = inputs.vocabulary.ids
    assert inputs.words[ids["superb"]] > 1
    assert inputs.words[ids["boring"]] < -1
    assert (inputs.words[:2] == 0).all()
    first, second = np.divmod(inputs.known, inputs.vocabulary.size)
    assert first.min() >= 2
    assert second.min() >= 2
    assert (np.diff(inputs.known) > 0).all()
    assert len(load(reviews_root, evidence=3).inputs.known) < len(inputs.known)


@pytest.mark.parametrize("family", [recurrent, conv_lstm])
def test_evidence_is_added_to_the_logit(reviews_root: Path, family) -> None:
    data = load(reviews_root, evidence=1)
    model = family.build(family.Config(units=3), data.inputs, data.outputs)
    of = keras.ops.convert_to_numpy
    head = of(keras.Model(model.input, model.get_layer("head").output)(data.test.x))
    np.testing.assert_array_equal(of(model(data.test.x)), head)
    model.get_layer("evidence").word_weights.assign(np.ones(len(data.inputs.words)))
    evidence = 3 * data.inputs.words[data.test.x].sum(1, keepdims=True)
    np.testing.assert_allclose(of(model(data.test.x)), head + evidence, rtol=1e-4)


def test_an_ensemble_says_that_it_cannot(reviews_root: Path) -> None:
    data = load(reviews_root, evidence=1, masked=False)
    with pytest.raises(UserError, match="expected another model"):
        ensemble.build(ensemble.Config(), data.inputs, data.outputs)


def test_predict_reads_it_as_tokens(reviews_root: Path) -> None:
    described = load(reviews_root).inputs.describe()
    assert load(reviews_root, evidence=1).inputs.describe() == described


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"evidence": 0}, r"task\.evidence=0: expected at least 1, or null"),
        ({"word_dropout": 1}, r"task\.word_dropout=1: expected 0 to below 1"),
    ],
)
def test_values_out_of_range(values, message: str) -> None:
    with pytest.raises(UserError, match=message):
        imdb.Config(**values)


def test_evidence_that_no_pair_has(reviews_root: Path) -> None:
    with pytest.raises(UserError, match=r"task\.evidence=9999: expected less"):
        load(reviews_root, evidence=9999)
