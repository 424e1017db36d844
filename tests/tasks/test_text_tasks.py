import os
from pathlib import Path

import numpy as np
import pytest

from har_keras.data.labelled_texts import LabelledTexts, read
from har_keras.data.text import letters
from har_keras.errors import UserError
from har_keras.tasks import si650, sms_spam
from har_keras.tasks.labelled_texts import distinct, stratified

WORDS = [
    "ok",
    "see",
    "you",
    "later",
    "at",
    "home",
    "call",
    "me",
    "when",
    "lunch",
    "good",
    "morning",
    "dear",
    "friend",
]
SPAM = ["win", "free", "prize", "claim", "cash", "urgent", "reply", "mobile", "award", "tone"]


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    """A hundred and twenty messages, one in four spam, each third one told again in capitals."""
    rng = np.random.default_rng(0)
    lines = []
    for number in range(120):
        label = "spam" if number % 4 == 0 else "ham"
        words = rng.choice(SPAM + WORDS[:3] if label == "spam" else WORDS, 6)
        lines.append(f"{label}\t{' '.join(words)} {'x' * number}")
        if number % 3 == 0:
            lines.append(lines[-1].split("\t")[0] + "\t" + lines[-1].split("\t")[1].upper() + "!")
    path = tmp_path / "messages.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def load(path: Path, seed: int = 0, published: bool = False, **values):
    config = sms_spam.Config(path=str(path), cleaning="letters", timesteps=8, **values)
    return sms_spam.load(config, path.parent, seed, published)


def test_no_text_stands_in_two_splits(messages: Path) -> None:
    data = load(messages)
    sizes = {name: len(split.x) for name, split in data.splits.items()}
    assert sum(sizes.values()) == 120
    assert sizes["test"] == 30
    parts = [set(split.groups.tolist()) for split in data.splits.values()]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 120
    assert data.test.y.mean() == pytest.approx(0.25, abs=0.05)
    assert data.source == "texts"


def test_each_seed_has_its_own_split(messages: Path) -> None:
    assert load(messages).test.groups.tolist() != load(messages, seed=1).test.groups.tolist()
    assert load(messages).sha256 == load(messages).sha256 != load(messages, least=2).sha256


def test_the_vocabulary_is_that_of_training_texts(messages: Path) -> None:
    trained, everything = load(messages), load(messages, vocabulary="all")
    assert trained.inputs.vocabulary.size < everything.inputs.vocabulary.size
    assert (trained.train.x != 1).all()
    assert (trained.test.x == 1).any()


def test_published_splits_keep_duplicates_and_have_no_validation(messages: Path) -> None:
    data = load(messages, published=True, duplicates=True, vocabulary="all", stratified=False)
    assert data.validation is None
    assert len(data.train.x) == 120
    assert len(data.test.x) == 40
    assert set(data.train.groups) & set(data.test.groups)


def test_baselines_stand_on_the_same_split(messages: Path) -> None:
    figures = load(messages).baselines()
    assert list(figures) == ["TF-IDF + linear SVM", "TF-IDF + logistic regression"]
    for figure in figures.values():
        assert figure["accuracy"] > 0.8
        assert 0 <= figure["spam_f1"] <= 1
    assert load(messages, baselines=False).baselines is None


def test_the_set_of_words_and_stop_words(messages: Path, tmp_path: Path) -> None:
    stop = tmp_path / "stop.txt"
    stop.write_text("ok\nsee\n")
    inputs = load(messages, set_of_words=True, stop_words=str(stop)).inputs
    assert inputs.tokens("You see ok YOU at home") == ["at", "home", "you"]


def test_a_missing_stop_word_file(messages: Path) -> None:
    with pytest.raises(UserError, match="expected a text file"):
        load(messages, stop_words="nowhere.txt")


def test_pretrained_vectors(messages: Path, tmp_path: Path, capsys) -> None:
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("win 1 2 3\nfree 4 5 6\nabsent 0 0 0\n")
    inputs = load(messages, vectors=str(vectors)).inputs
    assert inputs.embedding == 3
    assert inputs.vectors[inputs.vocabulary.ids["win"]].tolist() == [1, 2, 3]
    assert "vectors for 2 of" in capsys.readouterr().out


def test_distinct_takes_the_majority() -> None:
    data = LabelledTexts(["ham", "spam", "spam", "ham"], ["Win!", "win", "WIN", "other"])
    assert distinct(data, letters) == (["spam", "ham"], ["Win!", "other"])


def test_word_dropout(messages: Path) -> None:
    assert load(messages).augment is None
    data = load(messages, word_dropout=0.3)
    x = data.augment(data.train.x, np.random.default_rng(0))
    assert x.dtype == np.int32
    assert ((x == 0) == (data.train.x == 0)).all()
    words = data.train.x > 1
    assert (x[words] == 1).mean() == pytest.approx(0.3, abs=0.05)
    assert (x[words & (x != 1)] == data.train.x[words & (x != 1)]).all()


def test_stratified_shares() -> None:
    y = np.repeat([0, 1], [80, 20])
    chosen = stratified(y, 0.25, np.random.default_rng(0))
    assert np.bincount(y[chosen]).tolist() == [20, 5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ham\tok\nspma\tno\n", "text 2: expected a label of ham, spam, found 'spma'"),
        ("ham\tok\nham\tyes\n", "none of spam"),
        ("ham\t123\nspam\t!!\nham\t55\nspam\t99\n", "too few texts|task.least"),
    ],
)
def test_unusable_texts(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(text)
    with pytest.raises(UserError, match=message):
        load(tmp_path / "a.tsv")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cleaning": "leters"}, "did you mean 'letters'"),
        ({"tokeniser": "bytes"}, "task.tokeniser=bytes"),
        ({"padding": "left"}, "task.padding=left: expected one of pre, post"),
        ({"timesteps": 0}, "task.timesteps=0: expected at least 1, or null"),
        ({"embedding": 0}, "task.embedding=0"),
        ({"least": 0}, "task.least=0"),
        ({"test_share": 1}, "task.test_share=1"),
        ({"validation_share": 0}, "task.validation_share=0"),
        ({"word_dropout": 1}, "task.word_dropout=1"),
        ({"vocabulary": "test"}, "task.vocabulary=test"),
    ],
)
def test_values_out_of_range(values, message: str) -> None:
    with pytest.raises(UserError, match=message):
        sms_spam.Config(**values)


def test_folds_part_the_texts() -> None:
    y = np.repeat([0, 1], [52, 48])
    fold = si650.folds(y, 5)
    assert np.bincount(fold).tolist() == [21, 21, 20, 19, 19]
    with pytest.raises(UserError, match=r"task\.folds=1"):
        si650.Config(folds=1)


def test_the_datasets_must_be_whole(tmp_path: Path) -> None:
    (tmp_path / "SMSSpamCollection").write_text("ham\tok\n")
    (tmp_path / "training.txt").write_text("1\tgood\n")
    with pytest.raises(UserError, match="expected the 5574 messages"):
        sms_spam.load(sms_spam.Config(), tmp_path, 0, published=False)
    with pytest.raises(UserError, match="expected the 7086 sentences"):
        si650.load(si650.Config(), tmp_path, 0, published=False)
    with pytest.raises(UserError, match="kaggle"):
        si650.load(si650.Config(), tmp_path / "none", 0, published=False)


@pytest.mark.real_data
def test_the_published_sms_protocol() -> None:
    root = Path(os.environ["HAR_KERAS_DATA"])
    values = {"duplicates": True, "stratified": False, "vocabulary": "all", "least": 11}
    config = sms_spam.Config(cleaning="letters", timesteps=25, **values)
    data = sms_spam.load(config, root, 0, published=True)
    assert (len(data.train.x), len(data.test.x)) == (4180, 1394)
    assert len(data.inputs.vocabulary.words) + 1 == 933


@pytest.mark.real_data
def test_si650_has_few_distinct_sentences() -> None:
    root = Path(os.environ["HAR_KERAS_DATA"])
    assert len(read(root / "si650" / "training.txt").texts) == 7086
    data = si650.load(si650.Config(cleaning="opinions"), root, 0, published=False)
    assert sum(len(split.x) for split in data.splits.values()) == 1212


def test_evidence_takes_one_logit(messages: Path) -> None:
    data = load(messages, evidence=2)
    assert data.outputs.shape == (1,)
    assert data.inputs.words[data.inputs.vocabulary.ids["prize"]] > 1
    with pytest.raises(UserError, match=r"task\.double_softmax=True: expected false with task\.e"):
        load(messages, evidence=2, double_softmax=True)
    with pytest.raises(UserError, match=r"task\.evidence=0: expected at least 1, or null"):
        load(messages, evidence=0)
