from pathlib import Path

import keras
import numpy as np
import pytest

from har_keras import pipeline
from har_keras.data.streams import unbroken
from har_keras.errors import UserError
from har_keras.layers.stepper import Stepper
from har_keras.models import recurrent
from har_keras.tasks import char_lm
from har_keras.tasks.char_lm import Config
from har_keras.training import initial_weights

TEXT = "".join(np.random.default_rng(0).choice(list("abcd \n"), 1000))


def loaded(path: Path, text: str = TEXT, published: bool = False, **values):
    path.write_text(text, encoding="utf-8")
    settings = {"path": str(path), "streams": 3, "timesteps": 7} | values
    return char_lm.load(Config(**settings), Path(), 0, published)


def told(data, split: str) -> str:
    """The characters that count, in their order."""
    y = unbroken(data.splits[split].y, data.inputs.streams)
    return "".join(data.outputs.vocabulary.names[index] for index in y[y >= 0])


def test_parts_of_the_text(tmp_path: Path) -> None:
    data = loaded(tmp_path / "text")
    assert told(data, "train") == TEXT[1:855]
    assert told(data, "validation") == TEXT[855:900]
    assert told(data, "test") == TEXT[900:]
    published = loaded(tmp_path / "text", published=True)
    assert published.validation is None
    assert told(published, "train") == TEXT[1:900]
    assert told(published, "test") == TEXT[900:]


def test_the_vocabulary_is_that_of_the_training_text(tmp_path: Path) -> None:
    data = loaded(tmp_path / "text", TEXT[:-50] + "é" * 50)
    assert set(data.outputs.vocabulary.words) == set("abcd \n")
    assert told(data, "test").endswith("<unknown>" * 50)


@pytest.mark.parametrize("cell", ["lstm", "graves_lstm", "gru"])
def test_states_are_carried_exactly(tmp_path: Path, cell: str) -> None:
    """The figures of the chunks are those of the unbroken text."""
    data = loaded(tmp_path / "text", streams=1, embedding=4)
    config = recurrent.Config(cell=cell, units=5, depth=2)
    model = recurrent.build(config, data.inputs, data.outputs)
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0, 0.7, w.shape) for w in model.get_weights()])
    found = pipeline.evaluate(data, pipeline.predict(model, data))
    step, ids = Stepper(model), data.outputs.vocabulary.ids
    for split, first, end in (("train", 0, 855), ("test", 899, 1000)):
        step.reset()
        logits = np.array([step(ids[letter]) for letter in TEXT[first : end - 1]], np.float64)
        log = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        of_truth = log[np.arange(len(log)), [ids[letter] for letter in TEXT[first + 1 : end]]]
        assert found[split]["loss"] == pytest.approx(-of_truth.mean(), abs=1e-5)
        assert found[split]["bits_per_character"] == pytest.approx(
            -of_truth.mean() / np.log(2), rel=1e-5
        )
        assert found[split]["perplexity"] == pytest.approx(np.exp(-of_truth.mean()), rel=1e-5)
    assert pipeline.evaluate(data, pipeline.predict(model, data)) == found


def test_parallel_streams_are_as_good_as_one(tmp_path: Path) -> None:
    """All but the first have warmed up on what stands before them."""
    text = TEXT * 10
    figures = []
    for streams in (1, 4):
        data = loaded(tmp_path / "text", text, streams=streams)
        model = recurrent.build(recurrent.Config(units=5), data.inputs, data.outputs)
        initial_weights.draw(model, 0, {})
        figures.append(pipeline.evaluate(data, pipeline.predict(model, data))["test"])
    assert figures[0] == pytest.approx(figures[1], abs=1e-5)


def test_tied_embeddings(tmp_path: Path) -> None:
    data = loaded(tmp_path / "text", embedding=5)
    config = recurrent.Config(units=5, tied=True)
    model = recurrent.build(config, data.inputs, data.outputs)
    assert model.output_shape == (3, 7, 8)
    assert model.count_params() == 8 * 5 + 4 * 5 * (5 + 5 + 1)
    assert isinstance(model.layers[1], keras.layers.ReversibleEmbedding)
    with pytest.raises(UserError, match=r"as wide as task.embedding=5"):
        recurrent.build(recurrent.Config(units=6, tied=True), data.inputs, data.outputs)
    one_hot = loaded(tmp_path / "text")
    with pytest.raises(UserError, match="false where the input has no embeddings"):
        recurrent.build(config, one_hot.inputs, one_hot.outputs)


@pytest.mark.parametrize("option", [{"bidirectional": True}, {"layers": "keras"}])
def test_models_that_do_not_fit(tmp_path: Path, option) -> None:
    data = loaded(tmp_path / "text")
    with pytest.raises(UserError, match=f"model.{next(iter(option))}="):
        recurrent.build(recurrent.Config(**option), data.inputs, data.outputs)


def test_what_the_model_writes(tmp_path: Path) -> None:
    data = loaded(tmp_path / "text", prefix="ab", samples=2, sample_length=20)
    model = recurrent.build(recurrent.Config(units=5), data.inputs, data.outputs)
    texts = data.write(model).texts
    assert [len(text) for text in texts] == [22, 22]
    assert texts[0][:2] == texts[1][:2] == "ab"
    assert texts[0] != texts[1]
    assert data.write(model).texts == texts
    assert data.study(model).files["samples.txt"] == "\n\n".join(texts) + "\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "holds 0 characters, too few"),
        (b"ab", "holds 2 characters, too few"),
        (b"a\ncaf\xe9", "line 2: expected UTF-8, found the byte 0xe9"),
    ],
)
def test_bad_texts(tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / "text").write_bytes(text)
    with pytest.raises(UserError, match=message):
        char_lm.load(Config(path=str(tmp_path / "text")), Path(), 0, published=False)


def test_another_text_in_the_place_of_tinyshakespeare(tmp_path: Path) -> None:
    (tmp_path / "shakespeare").mkdir()
    (tmp_path / "shakespeare" / "input.txt").write_text("404")
    with pytest.raises(UserError, match="expected the 1115394 characters"):
        char_lm.load(Config(), tmp_path, 0, published=False)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"test_share": 1.0}, "task.test_share=1.0"),
        ({"timesteps": 0}, "task.timesteps=0"),
        ({"embedding": -1}, "task.embedding=-1"),
        ({"temperature": 0.0}, "task.temperature=0.0"),
    ],
)
def test_values_out_of_range(values, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Config(**values)


def test_an_unknown_prefix(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"task\.prefix='xa': holds 'x'"):
        loaded(tmp_path / "text", prefix="xa")
