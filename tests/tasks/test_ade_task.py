import os
from pathlib import Path

import numpy as np
import pytest

from har_keras import pipeline
from har_keras.config import from_overrides
from har_keras.data.text import UNKNOWN
from har_keras.errors import UserError
from har_keras.tasks.ade import Config, load
from har_keras.tasks.words import PARTS, drop, from_record, shape

DRUGS = ["aspirin", "lithium", "penicillin", "ibuprofen"]
EFFECTS = ["rash", "fever", "acute renal failure", "nausea"]


@pytest.fixture
def conll(tmp_path: Path) -> Path:
    """Sixty sentences of twenty documents."""
    rng = np.random.default_rng(0)
    lines = []
    for number in range(60):
        if number % 3 == 0:
            lines += ["-DOCSTART- O", ""]
        effect = rng.choice(EFFECTS).split()
        lines += [f"Case{number} O", f"{rng.choice(DRUGS)} B-drug", "causes O"]
        lines += [f"{word} {'I' if i else 'B'}-effect" for i, word in enumerate(effect)]
        lines += [". O", ""]
    path = tmp_path / "notes.conll"
    path.write_text("\n".join(lines))
    return path


def read(conll: Path, seed: int = 0, published: bool = False, **values):
    return load(Config(path=str(conll), **values), conll.parent, seed, published)


def test_documents_are_not_shared(conll: Path) -> None:
    data = read(conll)
    parts = [set(split.groups) for split in data.splits.values()]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 20
    assert sum(len(split.x) for split in data.splits.values()) == 60
    assert data.train.x.shape[1:] == (8, 1 + len(PARTS))
    assert data.train.y.shape[1:] == (8, 1)
    other = read(conll, seed=1)
    assert set(other.test.groups) == set(data.test.groups)
    assert set(other.validation.groups) != set(data.validation.groups)
    assert other.sha256 == data.sha256


def test_words_are_those_of_training_sentences(conll: Path) -> None:
    data = read(conll)
    assert (data.train.x[..., 0] != UNKNOWN).all()
    assert (data.test.x[:, 0, 0] == UNKNOWN).all()  # Case0, Case1 …
    assert (data.test.x[:, 0, list(PARTS).index("prefix_4") + 1] != UNKNOWN).all()


def test_dropped_words_keep_their_parts(conll: Path) -> None:
    x = read(conll).train.x
    changed = drop(x, np.random.default_rng(0), 0.5)
    np.testing.assert_array_equal(changed[..., 1:], x[..., 1:])
    words = x[..., 0] != 0
    assert 0.4 < (changed[words][:, 0] == UNKNOWN).mean() < 0.6
    assert (changed[~words] == 0).all()


@pytest.mark.parametrize(("token", "found"), [("Aspirin", "Aa"), ("5-FU", "0-A"), ("...", ".")])
def test_shapes(token: str, found: str) -> None:
    assert shape(token) == found


def test_the_baseline_learns_the_words(conll: Path) -> None:
    assert read(conll).baselines()["CRF on word features"]["f1"] == 1
    assert read(conll, baselines=False).baselines is None


def test_counted_padding_takes_tokens(conll: Path) -> None:
    data = read(conll, padding="counted", timesteps=4, word_dropout=0.0)
    assert data.train.x.shape[1:] == (4,)
    assert data.outputs.tags[0][-1] == "O"
    assert not data.inputs.masked


def test_the_input_is_read_back(conll: Path, tmp_path: Path) -> None:
    inputs = read(conll).inputs
    for name, text in inputs.files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    again = from_record(tmp_path, {"inputs": inputs.describe()})
    sentence = [["Case1", "aspirin", "unheard", "."]]
    np.testing.assert_array_equal(again.encode(sentence), inputs.encode(sentence))
    (tmp_path / "parts.json").write_text("[1]")
    with pytest.raises(UserError, match=r"parts\.json"):
        from_record(tmp_path, {"inputs": inputs.describe()})


@pytest.mark.parametrize("model", ["bilstm", "gru"])
def test_a_model_learns_spans(conll: Path, model: str) -> None:
    config = from_overrides(
        ["task=ade", f"task.path={conll}", f"model={model}", "optimizer.learning_rate=0.03"]
    )
    from har_keras.training import batches
    from har_keras.training.fit import prepare

    data = pipeline.load(config)
    network = pipeline.build(config, data)
    prepare(network, data, config)
    lengths = data.inputs.lengths(data.train.x)
    stream = batches.stream(
        data.train.x, data.train.y, 16, 0, augment=data.augment, lengths=lengths
    )
    network.fit(stream, steps_per_epoch=25, shuffle=False, verbose=0)
    found = pipeline.evaluate(data, pipeline.predict(network, data))
    assert found["test"]["f1"] > 0.8


def test_a_model_that_shortens_time_is_refused(conll: Path) -> None:
    config = from_overrides(["task=ade", f"task.path={conll}", "model=conv_lstm"])
    with pytest.raises(UserError, match="at every step"):
        pipeline.build(config, pipeline.load(config))


@pytest.mark.real_data
@pytest.mark.skipif("HAR_KERAS_DATA" not in os.environ, reason="HAR_KERAS_DATA is not set")
def test_real_data() -> None:
    root = Path(os.environ["HAR_KERAS_DATA"])
    data = load(Config(), root, 0, published=False)
    assert data.source == "ade"
    assert sum(len(split.x) for split in data.splits.values()) == 4271
    parts = [set(split.groups) for split in data.splits.values()]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 1643
    config = Config(annotation="first_relation", timesteps=30, padding="counted", word_dropout=0.0)
    published = load(config, root, 0, published=True)
    assert (len(published.train.x), len(published.test.x)) == (4000, 271)
    untagged = np.zeros((271, 30, 1, 3))
    untagged[..., published.outputs.tags[0].index("O")] = 1
    figures = published.outputs.metrics(published.test.y, untagged)
    assert figures["padded_f1"] == pytest.approx(0.683, abs=1e-3)  # published: 0.686
