import os
import time
from pathlib import Path

import numpy as np
import pytest

from har_keras.data import imdb as archive
from har_keras.data.text import FIRST
from har_keras.errors import UserError
from har_keras.tasks import TaskData, imdb

PUBLISHED = {"vocabulary": "keras", "timesteps": 500, "size": 10_000, "validation_share": 0.2}


def load(root: Path, seed: int = 0, published: bool = False, **values) -> TaskData:
    config = imdb.Config(**{"timesteps": 12, "size": 30, "validation_share": 0.25, **values})
    return imdb.load(config, root, seed, published)


def test_no_film_and_no_text_stands_in_two_splits(reviews_root: Path) -> None:
    data = load(reviews_root)
    films = [set(split.groups.tolist()) for split in data.splits.values()]
    assert sum(map(len, films)) == len(set.union(*films))
    sizes = {name: len(split.x) for name, split in data.splits.items()}
    assert sum(sizes.values()) == 159  # one text was in the test set too
    assert sizes["validation"] in (16, 19)
    assert load(reviews_root, seed=1).validation.groups.tolist() != data.validation.groups.tolist()


def test_the_published_split_is_of_reviews(reviews_root: Path) -> None:
    data = load(reviews_root, published=True)
    assert {name: len(split.x) for name, split in data.splits.items()} == {
        "train": 60,
        "validation": 20,
        "test": 80,
    }
    assert set(data.train.groups) & set(data.validation.groups)


def test_the_vocabulary_is_that_of_training_reviews(reviews_root: Path) -> None:
    data = load(reviews_root, size=8)
    assert data.inputs.vocabulary.size == 8
    assert (data.train.x < 8).all()
    assert data.inputs.vocabulary.words[0] == "br"
    rare = load(reviews_root, size=1000).inputs.vocabulary.size
    assert rare == load(reviews_root, size=rare).inputs.vocabulary.size < 40


def test_the_vocabulary_of_keras(reviews_root: Path) -> None:
    data = load(reviews_root, vocabulary="keras", size=9, timesteps=40)
    words = data.inputs.vocabulary.words
    assert words == ("<start>", "<unused>", "br", "the", "film", "it's", "a")
    assert data.inputs.vocabulary.ids["br"] == 4  # as in Keras
    assert (data.train.x == FIRST).sum() == len(data.train.x)


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("keep", ["first", "last"])
def test_rows_are_what_predict_makes_of_the_texts(
    reviews_root: Path, padding: str, keep: str
) -> None:
    data = load(reviews_root, padding=padding, keep=keep)
    reviews = archive.read(archive.find(reviews_root))
    texts = [t for t, tested in zip(reviews.decoded(), reviews.is_test, strict=True) if tested]
    expected = data.inputs.encode([data.inputs.tokens(text) for text in texts])
    np.testing.assert_array_equal(data.test.x, expected)


def test_baselines_stand_on_the_same_split(reviews_root: Path) -> None:
    figures = load(reviews_root).baselines()
    assert figures["TF-IDF + logistic regression"]["accuracy"] > 0.9
    assert load(reviews_root, baselines=False).baselines is None


def test_one_logit_for_two_classes(reviews_root: Path) -> None:
    outputs = load(reviews_root).outputs
    assert outputs.shape == (1,)
    logits, truth = np.array([[-2.0], [0.5], [3.0]], "float32"), np.array([0, 1, 0])
    found = outputs.probabilities(logits)
    np.testing.assert_allclose(found[:, 1], 1 / (1 + np.exp(-logits[:, 0])), rtol=1e-6)
    np.testing.assert_allclose(found.sum(1), 1)
    metrics = outputs.metrics(truth, logits)
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["positive_recall"] == 1
    import keras

    tensors = keras.ops.convert_to_tensor(truth), keras.ops.convert_to_tensor(logits)
    loss = keras.ops.convert_to_numpy(outputs.loss()(*tensors))
    assert metrics["loss"] == pytest.approx(float(loss), rel=1e-5)
    (accuracy,) = outputs.compiled_metrics()
    accuracy.update_state(*tensors)
    assert float(accuracy.result()) == pytest.approx(2 / 3)
    assert list(outputs.told(truth, logits))[2] == ("negative", "positive (0.95)")
    rows = list(outputs.prediction_rows(truth, logits))
    assert rows[0] == ["index", "truth", "prediction", "negative", "positive"]
    assert rows[1][:3] == [0, "negative", "negative"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cleaning": "filterd"}, "did you mean 'filtered'"),
        ({"tokeniser": "bytes"}, r"task\.tokeniser=bytes"),
        ({"keep": "middle"}, r"task\.keep=middle: expected one of first, last"),
        ({"padding": "left"}, r"task\.padding=left"),
        ({"vocabulary": "all"}, r"task\.vocabulary=all: expected one of train, keras"),
        ({"timesteps": 0}, r"task\.timesteps=0: expected at least 1"),
        ({"embedding": -1}, r"task\.embedding=-1"),
        ({"size": 4}, r"task\.size=4: expected at least 5"),
        ({"validation_share": 1}, r"task\.validation_share=1"),
    ],
)
def test_values_out_of_range(values, message: str) -> None:
    with pytest.raises(UserError, match=message):
        imdb.Config(**values)


def test_too_few_reviews(reviews_root: Path) -> None:
    with pytest.raises(UserError, match=r"too few reviews, .* for validation"):
        load(reviews_root, validation_share=0.01)


@pytest.mark.real_data
def test_the_published_models_have_the_published_size() -> None:
    from har_keras.models import recurrent

    data = load(Path(os.environ["HAR_KERAS_DATA"]), published=True, embedding=32, **PUBLISHED)
    assert {name: len(split.x) for name, split in data.splits.items()} == {
        "train": 20_000,
        "validation": 5_000,
        "test": 25_000,
    }
    for cell, parameters in {"simple_rnn": 322_113, "lstm": 328_353, "gru": 326_369}.items():
        model = recurrent.build(recurrent.Config(cell=cell, units=32), data.inputs, data.outputs)
        assert model.count_params() == parameters


@pytest.mark.real_data
def test_no_film_of_the_real_reviews_stands_in_two_splits() -> None:
    root = Path(os.environ["HAR_KERAS_DATA"])
    load(root)
    began = time.process_time()
    data = load(root, timesteps=400, size=20_000)
    assert time.process_time() - began < 2
    films = [set(split.groups.tolist()) for split in data.splits.values()]
    assert sum(map(len, films)) == len(set.union(*films))
    assert len(data.train.x) + len(data.validation.x) > 24_800
