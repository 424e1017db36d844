"""Drugs and adverse effects in sentences of case reports, or the spans of any CoNLL file."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from har_keras.data import ade, tagged
from har_keras.data.cache import digest
from har_keras.data.tagged import OUTSIDE, Sentence
from har_keras.data.text import Vocabulary
from har_keras.data.vectors import embeddings
from har_keras.errors import UserError, require, require_choice
from har_keras.tasks import Split, TaskData, crf
from har_keras.tasks.tagging import ClassPerStep
from har_keras.tasks.tokens import FILE, Tokens
from har_keras.tasks.words import Words, drop, learn

TEST_DRAW = 0  # seeds the draw of test documents, so that every `seed` has the same ones
PUBLISHED_TEST = 271  # sentences, the last of the file


@dataclass
class Config:
    """Schema of `conf/task/ade.yaml`.

    `path`: a CoNLL file to take instead of the ADE corpus; loading makes it absolute. `annotation`:
    `aligned`, all drugs and effects where they stand, or `first_relation`, the effect of a
    sentence's first relation where its place in the abstract falls in the sentence. `padding`:
    `masked`, or `counted`: the model takes words alone, is told of no padding, and the scores count
    it as steps of the first class; `timesteps`: then so many tokens of a sentence, null for all.
    `embedding`, `part_embedding`: numbers a word and each of its parts; `vectors`: file of
    pretrained vectors, in `data.root` or by its whole path, whose width then counts.
    `word_dropout`: share of training words, drawn anew for each batch, that are taken as unknown.
    `test_share`, `validation_share`: of all documents, and of those then left. `baselines`: whether
    a CRF is fitted as well.
    """

    name: str = "ade"
    path: str | None = None
    annotation: str = "aligned"
    timesteps: int | None = None
    padding: str = "masked"
    embedding: int = 50
    part_embedding: int = 16
    vectors: str | None = None
    word_dropout: float = 0.1
    test_share: float = 0.1
    validation_share: float = 0.1
    baselines: bool = True

    def __post_init__(self) -> None:
        """Check each value by itself."""
        require_choice("task.annotation", self.annotation, ("aligned", "first_relation"))
        require_choice("task.padding", self.padding, ("masked", "counted"))
        for key in ("embedding", "part_embedding"):
            value = getattr(self, key)
            require(value > 0, f"task.{key}", value, "at least 1")
        dropped = self.word_dropout
        require(0 <= dropped < 1, "task.word_dropout", dropped, "0 to below 1")
        if self.padding == "counted":
            require(dropped == 0, "task.word_dropout", dropped, "0 with task.padding=counted")
        if self.timesteps is not None:
            require(self.timesteps > 0, "task.timesteps", self.timesteps, "at least 1, or null")
            allowed = "null with task.padding=masked, where no sentence is cut"
            require(self.padding == "counted", "task.timesteps", self.timesteps, allowed)
        for key in ("test_share", "validation_share"):
            share = getattr(self, key)
            require(0 < share < 1, f"task.{key}", share, "above 0 and below 1")


def load(config: Config, root: Path, seed: int, published: bool) -> TaskData:
    """Read, split by document and encode the sentences; raise `UserError` for unusable data."""
    sentences = _read(config, root)
    splits = last(sentences) if published else draw(config, sentences, seed)
    layers = ade.LAYERS[-len(sentences[0].tags) :] if config.path is None else ("tags",)
    counted = config.padding == "counted"
    words = {name: [list(s.tokens) for s in members] for name, members in splits.items()}
    longest = max(len(s.tokens) for s in sentences)
    if counted:
        vocabulary = Vocabulary.learn(words["train"])
        timesteps = config.timesteps or longest
        inputs: Tokens | Words = Tokens(timesteps, vocabulary, config.embedding, masked=False)
        files = {FILE: vocabulary.to_json()}
    else:
        inputs = _described(config, root, words["train"], longest, seed)
        files = inputs.files()
    outputs = ClassPerStep(inputs.shape[0], layers, _names(config, sentences), counted)
    encoded = {
        name: Split(
            inputs.encode(words[name]),
            outputs.encode([s.tags for s in members], inputs.timesteps),
            np.array([s.document for s in members]),
        )
        for name, members in splits.items()
    }
    known = [s for name in ("train", "validation") for s in splits.get(name, [])]
    return TaskData(
        train=encoded["train"],
        validation=encoded.get("validation"),
        test=encoded["test"],
        inputs=inputs,
        outputs=outputs,
        source="conll" if config.path else "ade",
        sha256=_digest(sentences),
        augment=partial(drop, share=config.word_dropout) if config.word_dropout else None,
        files=files,
        baselines=partial(_baselines, known, splits["test"]) if config.baselines else None,
    )


def last(sentences: Sequence[Sentence]) -> dict[str, list[Sentence]]:
    """The published split, in the order of the file; a document may stand on both sides."""
    if len(sentences) <= PUBLISHED_TEST:
        raise UserError(
            f"protocol=published: expected over {PUBLISHED_TEST} sentences, found {len(sentences)}"
        )
    return {"train": list(sentences[:-PUBLISHED_TEST]), "test": list(sentences[-PUBLISHED_TEST:])}


def draw(config: Config, sentences: Sequence[Sentence], seed: int) -> dict[str, list[Sentence]]:
    """The sentences of the documents of each split; raise `UserError` for too few documents."""
    documents = np.unique([s.document for s in sentences])
    if len(documents) < 3:
        raise UserError(f"expected sentences of at least 3 documents, found {len(documents)}")
    rest = np.random.default_rng(TEST_DRAW).permutation(documents)
    count = np.clip(round(config.test_share * len(rest)), 1, len(rest) - 2)
    drawn = {"test": set(rest[:count])}
    rest = np.random.default_rng(seed).permutation(np.sort(rest[count:]))
    count = np.clip(round(config.validation_share * len(rest)), 1, len(rest) - 1)
    drawn |= {"validation": set(rest[:count]), "train": set(rest[count:])}
    return {name: [s for s in sentences if s.document in of] for name, of in drawn.items()}


def _read(config: Config, root: Path) -> list[Sentence]:
    if config.path is not None:
        path = Path(config.path).expanduser().resolve()
        config.path = str(path)
        return tagged.read_conll(path)
    found = ade.relations(root)
    return ade.aligned(found) if config.annotation == "aligned" else ade.as_published(found)


def _names(config: Config, sentences: Sequence[Sentence]) -> tuple[tuple[str, ...], ...]:
    """The tags of each layer: `O`, then by kind `B-` and `I-`; `O` last if padding is counted."""
    names = []
    for layer in range(len(sentences[0].tags)):
        kinds = sorted({tag[2:] for s in sentences for tag in s.tags[layer] if tag != OUTSIDE})
        if not kinds:
            raise UserError(f"{config.path}: expected spans, found the tag O alone")
        found = [OUTSIDE, *(f"{place}-{kind}" for kind in kinds for place in "BI")]
        names.append(tuple(found if config.padding == "masked" else found[::-1]))
    return tuple(names)


def _described(
    config: Config, root: Path, train: Sequence[Sequence[str]], longest: int, seed: int
) -> Words:
    vocabulary, parts = learn(train)
    found, embedding = embeddings(config.vectors, root, vocabulary, seed, config.embedding)
    timesteps = longest + 1  # the stream of batches wants one more than any sentence has
    return Words(timesteps, vocabulary, parts, embedding, config.part_embedding, found)


def _digest(sentences: Sequence[Sentence]) -> str:
    rows = [(s.document, " ".join(s.tokens), " ".join(map(" ".join, s.tags))) for s in sentences]
    return digest(np.array(rows))


def _baselines(known: list[Sentence], test: list[Sentence]) -> dict[str, dict[str, float]]:
    return {"CRF on word features": crf.scores(known, test)}
