"""Praise or blame of films: the reviews of the Large Movie Review Dataset (IMDB)."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from har_keras.data import imdb
from har_keras.data.cache import digest
from har_keras.data.imdb import Reviews, Words
from har_keras.data.text import CLEANINGS, FIRST, TOKENISERS, UNKNOWN, Vocabulary
from har_keras.data.vectors import embeddings
from har_keras.errors import UserError, require, require_choice
from har_keras.tasks import Split, TaskData
from har_keras.tasks.classification import ClassPerSequence
from har_keras.tasks.evidence import WithEvidence
from har_keras.tasks.labelled_texts import drop, linear
from har_keras.tasks.text_options import TextOptions
from har_keras.tasks.tokens import FILE, Tokens

CLASSES = ("negative", "positive")
RESERVED = ("<start>", "<unused>")  # Keras's own, beside padding and unknown


@dataclass
class Config(TextOptions):
    """Schema of `conf/task/imdb.yaml`.

    `vocabulary`: learned from `train`ing reviews, or (as published) that of `keras`, which is of
    all training reviews, the held-out ones too; of `size` ids in all.
    """

    name: str = "imdb"
    cleaning: str = "filtered"
    tokeniser: str = "spaced"
    timesteps: int = 400
    keep: str = "last"
    padding: str = "pre"
    size: int = 20_000
    embedding: int = 64
    validation_share: float = 0.1

    def __post_init__(self) -> None:
        """Check each value by itself."""
        super().__post_init__()
        require_choice("task.vocabulary", self.vocabulary, ("train", "keras"))
        least = FIRST + len(RESERVED) + 1
        require(self.size >= least, "task.size", self.size, f"at least {least}")


def load(config: Config, root: Path, seed: int, published: bool) -> TaskData:
    """Read, split and describe the reviews; raise `UserError` for unusable data.

    The published protocol too has validation data: any reviews, as its authors drew them. The sound
    one holds out films with all their reviews, and trains on no text that is in the test set.
    """
    archive = imdb.find(root)
    reviews = imdb.read(archive)
    parts = split(reviews, config.validation_share, seed, by_film=not published)
    name = f"{config.cleaning} {config.tokeniser}"
    cut = partial(_cut, config.cleaning, config.tokeniser)
    words = imdb.words(archive, reviews, name, cut)
    if config.vocabulary == "keras":
        vocabulary = Vocabulary((RESERVED + tuple(imdb.keras_index(root)))[: config.size - FIRST])
    else:
        vocabulary = most_frequent(words, parts["train"], config.size)
    matrix, width = embeddings(config.vectors, root, vocabulary, seed, config.embedding)
    inputs = Tokens(
        config.timesteps,
        vocabulary,
        width,
        vectors=matrix,
        masked=config.masked,
        padding=config.padding,
        keep=config.keep,
        cleaning=config.cleaning,
        tokeniser=config.tokeniser,
    )
    x = encode(words, inputs)
    splits = {n: Split(x[rows], reviews.y[rows], reviews.films[rows]) for n, rows in parts.items()}
    for part in splits:
        if len(np.unique(splits[part].y)) < len(CLASSES):
            raise UserError(f"task=imdb: too few reviews, only one class of them for {part}")
    if config.evidence is not None:
        train = splits["train"]
        inputs = WithEvidence.of(inputs, train.x, train.y, config.evidence)
    return TaskData(
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        inputs=inputs,
        outputs=ClassPerSequence(CLASSES, positive=CLASSES[1], binary=True),
        source="imdb",
        sha256=digest(x, reviews.y),
        augment=partial(drop, share=config.word_dropout) if config.word_dropout else None,
        files={FILE: vocabulary.to_json()},
        baselines=partial(_baselines, reviews, parts) if config.baselines else None,
    )


def split(reviews: Reviews, share: float, seed: int, by_film: bool) -> dict[str, NDArray[np.bool_]]:
    """Masks (reviews,) of `train`, `validation` and `test`, by name.

    About `share` of the training reviews are for validation: any, or all those of some films. By
    film, training reviews whose film or text is in the test set are left out.
    """
    rng = np.random.default_rng([seed, 1])
    train = ~reviews.is_test
    if not by_film:
        validation = np.zeros_like(train)
        rows = np.flatnonzero(train)
        validation[rng.permutation(rows)[: round(share * len(rows))]] = True
        return {"train": train & ~validation, "validation": validation, "test": reviews.is_test}
    texts = reviews.encoded()
    tested = {text for text, used in zip(texts, reviews.is_test, strict=True) if used}
    train &= ~np.isin(reviews.films, reviews.films[reviews.is_test])
    train &= np.array([text not in tested for text in texts])
    films, sizes = np.unique(reviews.films[train], return_counts=True)
    order = rng.permutation(len(films))
    held_out = films[order[np.cumsum(sizes[order]) <= share * train.sum()]]
    validation = train & np.isin(reviews.films, held_out)
    return {"train": train & ~validation, "validation": validation, "test": reviews.is_test}


def most_frequent(words: Words, rows: NDArray[np.bool_], size: int) -> Vocabulary:
    """The most frequent words of the texts `rows`, `size` ids with the two reserved ones."""
    counts = words.counts(rows).tolist()
    ranked = sorted((-n, word) for n, word in zip(counts, words.words, strict=True) if n)
    return Vocabulary(tuple(word for _, word in ranked[: size - FIRST]))


def encode(words: Words, inputs: Tokens) -> NDArray[np.int32]:
    """What `inputs.encode` makes of the same texts, int32 (texts, timesteps)."""
    ids = inputs.vocabulary.ids
    table = np.array([ids.get(word, UNKNOWN) for word in words.words], np.int32)
    found = table[words.places]
    x = np.zeros((len(words.ends), inputs.timesteps), np.int32)
    start = 0
    for row, end in zip(x, words.ends.tolist(), strict=True):
        kept = min(end - start, inputs.timesteps)
        tokens = found[start : start + kept] if inputs.keep == "first" else found[end - kept : end]
        row[slice(kept) if inputs.padding == "post" else slice(len(row) - kept, None)] = tokens
        start = end
    return x


def _cut(cleaning: str, tokeniser: str, text: str) -> list[str]:
    return TOKENISERS[tokeniser](CLEANINGS[cleaning](text))


def _baselines(
    reviews: Reviews, parts: dict[str, NDArray[np.bool_]]
) -> dict[str, dict[str, float]]:
    texts = np.array(reviews.decoded(), object)
    known, test = parts["train"] | parts["validation"], parts["test"]
    return linear(texts[known], reviews.y[known], texts[test], reviews.y[test], CLASSES)
