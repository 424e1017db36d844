from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from har_keras import pipeline
from har_keras.data.text import PADDING
from har_keras.errors import UserError
from har_keras.models import encoder_decoder
from har_keras.tasks import TaskData, dates, translate
from har_keras.tasks.pair_options import own_words
from har_keras.training import batches

NOUNS = {"cat": "chat", "dog": "chien", "man": "homme", "bird": "oiseau", "tree": "arbre"}
VERBS = {"sees": "voit", "eats": "mange", "hears": "entend"}
LINES = [
    f"The {a} {verb} the {b}{more}.\tLe {NOUNS[a]} {VERBS[verb]} le {NOUNS[b]}{plus}."
    for a in NOUNS
    for b in NOUNS
    for verb in VERBS
    for more, plus in (("", ""), (" and " + "the cat and " * 3 + "you", " et toi"))
]
SIZES = {"train_pairs": 60, "test_sources": 20, "long_sources": 8, "validation_sources": 10}


def loaded(path: Path, lines: list[str] = LINES, seed: int = 0, **values: Any) -> TaskData:
    path.write_text("\n".join(lines), encoding="utf-8")
    config = translate.Config(path=str(path), **SIZES | values)
    return translate.load(config, Path(), seed, published=False)


def sources(data: TaskData, split: str) -> set[str]:
    return {data.inputs.show(row) for row in data.splits[split].x}


def test_parts(tmp_path: Path) -> None:
    data = loaded(tmp_path / "pairs")
    assert [len(split.x) for split in data.splits.values()] == [60, 10, 20]
    held = [sources(data, split) for split in data.splits]
    assert not held[0] & held[1]
    assert not held[0] & held[2]
    assert not held[1] & held[2]
    assert sum("and you" in text for text in held[2]) == 8
    assert sources(loaded(tmp_path / "pairs", seed=1), "test") == held[2]
    assert sources(loaded(tmp_path / "pairs", seed=1), "train") != held[0]


def test_vocabularies_are_those_of_the_training_pairs(tmp_path: Path) -> None:
    data = loaded(tmp_path / "pairs", [*LINES, "unseen once\tjamais vu"])
    assert {"the", ".", "cat", "eats"} <= set(data.inputs.source.words)
    assert data.inputs.target.words[:2] == ("<go>", "<end>")
    assert "jamais" not in data.inputs.target.ids
    assert data.inputs.describe()["target_size"] == data.outputs.vocabulary.size
    assert set(data.files) == {"source.json", "target.json"}


def test_what_is_too_long_is_not_learned(tmp_path: Path) -> None:
    data = loaded(tmp_path / "pairs", longest=8, train_pairs=1000)
    assert not any("and you" in text for text in sources(data, "train"))
    long = "the cat " * 20
    assert data.inputs.encode([long.split()]).shape == (1, 64)
    assert data.inputs.lengths(data.train.x).max() < data.inputs.timesteps


@pytest.mark.parametrize(
    ("lines", "values", "message"),
    [
        (LINES[:10], {}, "expected more than 20 distinct sources .* found 10"),
        ([], {}, "found 0"),
        (LINES, {"longest": 2}, "task.longest=2: expected more"),
    ],
)
def test_too_few_pairs(tmp_path: Path, lines, values, message: str) -> None:
    with pytest.raises(UserError, match=message):
        loaded(tmp_path / "pairs", lines, **values)


def test_another_file_in_the_place_of_tatoeba(tmp_path: Path) -> None:
    (tmp_path / "tatoeba").mkdir()
    (tmp_path / "tatoeba" / "fra-eng.zip").write_text("404")
    with pytest.raises(UserError, match="expected a ZIP file"):
        translate.load(translate.Config(), tmp_path, 0, published=False)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"teacher_forcing": 1.5}, "task.teacher_forcing=1.5: expected 0 to 1"),
        ({"beam": 0}, "task.beam=0: expected 1 to 100"),
        ({"train_pairs": 0}, "task.train_pairs=0: expected at least 1"),
        ({"long_sources": 5000}, "task.long_sources=5000: expected 0 to task.test_sources"),
        ({"samples": -1}, "task.samples=-1"),
    ],
)
def test_values_out_of_range(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        translate.Config(**values)


def test_teacher_forcing() -> None:
    x = np.arange(1, 4001, dtype=np.int32).reshape(10, 200, 2)
    x[:, -20:] = PADDING
    changed = own_words(0.7, False, x, np.random.default_rng(0), 0.5)
    np.testing.assert_array_equal(abs(changed), x)
    assert (changed[:, :180, 0] > 0).all()
    assert (changed[:, 0] > 0).all()
    assert (changed[:, 1:180, 1] < 0).mean() == pytest.approx(0.3, abs=0.04)
    for done, share in ((0.0, 0.0), (0.5, 0.25), (1.0, 0.5)):
        falling = own_words(0.5, True, x, np.random.default_rng(0), done)
        assert (falling[:, 1:180, 1] < 0).mean() == pytest.approx(share, abs=0.04)


def test_batches_are_taught_by_how_far_the_training_is() -> None:
    x, y = np.ones((8, 3), np.int32), np.zeros(8)
    told: list[float] = []

    def teach(batch: np.ndarray, rng: np.random.Generator, done: float) -> np.ndarray:
        told.append(done)
        return batch * rng.integers(2, 1000)

    stream = batches.stream(x, y, 4, 0, teach=teach, updates=4)
    first = [next(stream)[0] for _ in range(5)]
    assert told == [0, 0.25, 0.5, 0.75, 1]
    again = batches.stream(x, y, 4, 0, update=3, teach=teach, updates=4)
    np.testing.assert_array_equal(next(again)[0], first[3])


def test_what_is_large_is_evaluated_in_smaller_batches() -> None:
    for streams, taken, shape, expected in (
        (None, (500,), (6,), batches.EVALUATION_BATCH),
        (None, (500,), (None, 2, 5), batches.EVALUATION_BATCH),
        (None, (21,), (None, 6400), 24),
        (None, (1,), (10**9,), 8),
        (None, (100, 1344), (6,), 24),
        (64, (50,), (50, 100), 64),
    ):
        inputs = SimpleNamespace(streams=streams, timesteps=taken[0], shape=taken)
        assert batches.evaluation_batch(inputs, SimpleNamespace(shape=shape)) == expected


def test_dates() -> None:
    config = dates.Config(train_pairs=300, validation_pairs=20, test_pairs=50)
    data = dates.load(config, Path(), 0, published=False)
    held = [sources(data, split) for split in data.splits]
    assert [len(split) for split in held] == [300, 20, 50]
    assert not held[0] & held[1]
    assert not held[0] & held[2]
    assert not held[1] & held[2]
    assert data.train.y.shape == (300, data.inputs.timesteps)
    published = dates.load(config, Path(), 0, published=True)
    assert published.validation is None
    with pytest.raises(UserError, match=r"task\.test_pairs=0"):
        dates.Config(test_pairs=0)


def test_figures_of_one_split_and_what_is_said(tmp_path: Path) -> None:
    data = loaded(tmp_path / "pairs", beam=2)
    settings = encoder_decoder.Config(units=8, embedding=4)
    model = encoder_decoder.build(settings, data.inputs, data.outputs)
    metrics = pipeline.evaluate(data, pipeline.predict(model, data))
    assert metrics["test"]["perplexity"] == pytest.approx(np.exp(metrics["test"]["loss"]))
    assert set(metrics["test"]) == {"loss", "perplexity", "accuracy"}
    findings = pipeline.study(data, model, metrics)
    names = {"bleu", "chrf", "exact_match", "bleu_to_5_words", "bleu_over_10_words"}
    assert names <= set(metrics["test"])
    assert {"attention_1", "bleu_by_length"} <= set(findings.figures)
    header, *rows = findings.files["translations.csv"].splitlines()
    assert header == "index,source,truth,prediction,exact"
    assert len(rows) == 20
    written = data.write(model)
    assert len(written.texts) == 4
    assert set(written.figures) == {f"validation_{n}" for n in ("bleu", "chrf", "exact_match")}
    assert data.inputs.embedded(model).vectors.shape == (data.inputs.source.size, 4)
