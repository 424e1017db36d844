"""What the tasks that put a text into one of a few classes share: values, splits, description."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from har_keras.data.cache import digest
from har_keras.data.labelled_texts import LabelledTexts, decoded
from har_keras.data.text import (
    PADDING,
    SIGNS,
    UNKNOWN,
    Vocabulary,
)
from har_keras.data.vectors import embeddings
from har_keras.errors import UserError, require, require_choice
from har_keras.tasks import Split, TaskData
from har_keras.tasks.classification import ClassPerSequence
from har_keras.tasks.evidence import WithEvidence
from har_keras.tasks.text_options import TextOptions
from har_keras.tasks.tokens import FILE, Tokens

Draw = Callable[[NDArray[np.int64], int], NDArray[np.bool_]]


@dataclass
class TextTask(TextOptions):
    """What the YAML of a task on a file of labelled texts holds.

    `path`: a file of one's own in place of the dataset. `timesteps` null is the longest training
    text. `least`, `most`: how often a word of the vocabulary was seen, and how many words it has.
    `set_of_words`: each word once, their order lost. `stop_words`: file of words to leave out, or
    null. `vocabulary`: learned from `train`ing texts or (as published) from `all`. `duplicates`:
    whether texts that are equal after cleaning all stay, in whatever splits. `double_softmax`: see
    `ClassPerSequence`.
    """

    path: str = ""
    least: int = 1
    most: int | None = None
    set_of_words: bool = False
    stop_words: str | None = None
    duplicates: bool = False
    double_softmax: bool = False

    def __post_init__(self) -> None:
        """Check each value by itself."""
        super().__post_init__()
        require_choice("task.vocabulary", self.vocabulary, ("train", "all"))
        require(self.least > 0, "task.least", self.least, "at least 1")
        require(self.most is None or self.most > 0, "task.most", self.most, "at least 1, or null")
        if self.evidence is not None:
            allowed = "false with task.evidence"
            require(not self.double_softmax, "task.double_softmax", True, allowed)


def describe(
    config: TextTask,
    data: LabelledTexts,
    classes: Mapping[str, str],
    grouped_by: Callable[[str], str],
    draw_test: Draw,
    root: Path,
    seed: int,
    published: bool,
    source: str,
) -> TaskData:
    """Splits and descriptions of labelled texts.

    `classes` maps each label to the name of its class, the last one the one looked for. Texts that
    `grouped_by` makes equal never stand in two splits, unless `config.duplicates`. `draw_test`
    says which of the classes (samples,) are for testing. Raises `UserError` for unusable texts.
    """
    data = data if config.duplicates else distinct(data, grouped_by)
    y = np.array([list(classes).index(label) for label in data.labels])
    shape = Tokens(
        config.timesteps or 0,
        Vocabulary(()),
        config.embedding,
        masked=config.masked,
        padding=config.padding,
        keep=config.keep,
        cleaning=config.cleaning,
        tokeniser=config.tokeniser,
        without=_stop_words(config.stop_words),
        distinct=config.set_of_words,
    )
    documents = [shape.tokens(text) for text in data.texts]
    is_test = draw_test(y, seed)
    is_validation = np.zeros_like(is_test)
    if not published:
        rest = np.flatnonzero(~is_test)
        rng = np.random.default_rng([seed, 1])
        is_validation[rest[stratified(y[rest], config.validation_share, rng)]] = True
    parts = {"train": ~is_test & ~is_validation, "validation": is_validation, "test": is_test}
    seen = [d for d, used in zip(documents, parts["train"], strict=True) if used]
    learned_from = documents if config.vocabulary == "all" else seen
    inputs = _inputs(config, shape, learned_from, seen, root, seed)
    x = inputs.encode(documents)
    groups = np.unique([grouped_by(text) for text in data.texts], return_inverse=True)[1]
    splits = {name: Split(x[rows], y[rows], groups[rows]) for name, rows in parts.items()}
    for name, index in ((n, i) for n, s in splits.items() for i in range(len(classes))):
        if index not in splits[name].y and not (published and name == "validation"):
            missing = list(classes.values())[index]
            raise UserError(f"task={config.name}: too few texts, none of {missing} for {name}")
    if config.evidence is not None:
        train = splits["train"]
        inputs = WithEvidence.of(inputs, train.x, train.y, config.evidence)
    names = tuple(classes.values())
    texts = np.array(data.texts, object)
    fit = partial(linear, texts[~is_test], y[~is_test], texts[is_test], y[is_test], names)
    return TaskData(
        train=splits["train"],
        validation=None if published else splits["validation"],
        test=splits["test"],
        inputs=inputs,
        outputs=ClassPerSequence(
            names,
            positive=names[-1],
            double_softmax=config.double_softmax,
            binary=config.evidence is not None,
        ),
        source=source,
        sha256=digest(x, y),
        augment=partial(drop, share=config.word_dropout) if config.word_dropout else None,
        files={FILE: inputs.vocabulary.to_json()},
        baselines=fit if config.baselines else None,
    )


def require_labels(data: LabelledTexts, labels: Mapping[str, str], source: Path) -> None:
    """Raise `UserError` for the first label that is none of `labels`."""
    for number, label in enumerate(data.labels, 1):
        if label not in labels:
            allowed = ", ".join(labels)
            raise UserError(
                f"{source}: text {number}: expected a label of {allowed}, found {label!r:.40}"
            )


def distinct(data: LabelledTexts, key: Callable[[str], str]) -> LabelledTexts:
    """The first text of each `key`, with the label that most texts of that key have."""
    labels: dict[str, Counter[str]] = {}
    texts: dict[str, str] = {}
    for label, text in zip(*data, strict=True):
        texts.setdefault(key(text), text)
        labels.setdefault(key(text), Counter())[label] += 1
    most_common = [counts.most_common(1)[0][0] for counts in labels.values()]
    return LabelledTexts(most_common, list(texts.values()))


def stratified(y: NDArray[np.int64], share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A random `share` of each class of `y` (samples,), as true in (samples,)."""
    chosen = np.zeros(len(y), bool)
    for label in np.unique(y):
        places = rng.permutation(np.flatnonzero(y == label))
        chosen[places[: round(share * len(places))]] = True
    return chosen


def drop(x: NDArray[np.int32], rng: np.random.Generator, share: float) -> NDArray[np.int32]:
    """Ids (samples, timesteps) with a random `share` of the words made unknown."""
    return np.where((x != PADDING) & (rng.random(x.shape) < share), np.int32(UNKNOWN), x)


def linear(
    train: NDArray[np.object_],
    y_train: NDArray[np.int64],
    test: NDArray[np.object_],
    y_test: NDArray[np.int64],
    classes: tuple[str, ...],
) -> dict[str, dict[str, float]]:
    """Test figures of linear models on raw texts: TF-IDF of words, signs and pairs of them."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    from har_keras.reporting.metrics import decisions

    models = {
        "TF-IDF + linear SVM": LinearSVC(random_state=0),
        "TF-IDF + logistic regression": LogisticRegression(C=10, max_iter=1000),
    }
    figures = {}
    for name, model in models.items():
        words = TfidfVectorizer(token_pattern=SIGNS, ngram_range=(1, 2), sublinear_tf=True)
        found = make_pipeline(words, model).fit(train, y_train).predict(test)
        figures[name] = decisions(y_test, found, (len(classes) - 1, classes[-1]))
    return figures


def _inputs(
    config: TextTask,
    shape: Tokens,
    learned_from: list[list[str]],
    seen: list[list[str]],
    root: Path,
    seed: int,
) -> Tokens:
    vocabulary = Vocabulary.learn(learned_from, config.least, config.most)
    if not vocabulary.words:
        raise UserError(f"task.least={config.least}: expected a number that leaves some words")
    matrix, width = embeddings(config.vectors, root, vocabulary, seed, config.embedding)
    longest = max(map(len, seen), default=1)
    return Tokens(
        **{
            **vars(shape),
            "timesteps": config.timesteps or max(longest, 1),
            "vocabulary": vocabulary,
            "embedding": width,
            "vectors": matrix,
        }
    )


def _stop_words(path: str | None) -> tuple[str, ...]:
    return () if path is None else tuple(decoded(Path(path).expanduser()).split())
