"""The labelled reviews of the Large Movie Review Dataset, read from its archive as they are.

Maas, Daly, Pham, Huang, Ng, Potts: Learning Word Vectors for Sentiment Analysis, ACL 2011.
https://ai.stanford.edu/~amaas/data/sentiment
"""

import json
import lzma
import re
import sys
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from har_keras.data import cache
from har_keras.data.fetch import fetch, user_cache
from har_keras.errors import UserError

ARCHIVES = ("aclImdb_labelled.tar.xz", "aclImdb_v1.tar.gz")  # without and with the unlabelled ones
URL = f"https://ai.stanford.edu/~amaas/data/sentiment/{ARCHIVES[1]}"
INDEX = "imdb_word_index.json"
INDEX_URL = f"https://storage.googleapis.com/tensorflow/tf-keras-datasets/{INDEX}"
PARTS = (("train", "neg"), ("train", "pos"), ("test", "neg"), ("test", "pos"))
_REVIEW = re.compile(r"aclImdb/(train|test)/(neg|pos)/(\d+)_(\d+)\.txt")
_FILMS = re.compile(r"aclImdb/(train|test)/urls_(neg|pos)\.txt")
_FILM = re.compile(rb"/title/tt(\d+)/")


class Reviews(NamedTuple):
    """One entry a review, the training ones first, of each the negative ones first.

    texts: uint8 (bytes,), all texts in UTF-8 one after the other; ends: int64, where each ends.
    y: int64, 1 if positive. films: int64, the number of the film. is_test: bool.
    """

    texts: NDArray[np.uint8]
    ends: NDArray[np.int64]
    y: NDArray[np.int64]
    films: NDArray[np.int64]
    is_test: NDArray[np.bool_]

    def encoded(self) -> list[bytes]:
        """All texts in UTF-8."""
        whole, ends = self.texts.tobytes(), self.ends.tolist()
        return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def decoded(self) -> list[str]:
        """All texts."""
        return [text.decode() for text in self.encoded()]


class Words(NamedTuple):
    """Texts cut into words. words: each distinct one. places: int32 (tokens,), in `words`, of all
    texts one after the other; ends: int64 (texts,), where each text ends.
    """

    words: list[str]
    places: NDArray[np.int32]
    ends: NDArray[np.int64]

    def counts(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How often each word stands in the texts `rows`, a mask (texts,)."""
        lengths = np.diff(self.ends, prepend=0)
        return np.bincount(self.places[np.repeat(rows, lengths)], minlength=len(self.words))


def find(root: Path) -> Path:
    """The archive below `root`, else fetched; raise `UserError` where it cannot be."""
    folders = root / "imdb", root, user_cache()
    for path in (folder / name for folder in folders for name in ARCHIVES):
        if path.is_file():
            return path
    return fetch(URL, user_cache(), ARCHIVES[1])


def read(archive: Path) -> Reviews:
    """All labelled reviews, parsed once; raise `UserError` for an archive that is not whole."""

    def parse() -> cache.Arrays:
        print(f"reading {archive}, once (a minute)", file=sys.stderr, flush=True)
        return _parse(archive)._asdict()

    file = user_cache() / f"imdb-{cache.identity([archive])}.npz"
    return Reviews(**cache.stored(file, Reviews._fields, parse))


def words(archive: Path, reviews: Reviews, name: str, cut: Callable[[str], list[str]]) -> Words:
    """The words that `cut` makes of each text, once for each `name` of such a function."""

    def make() -> cache.Arrays:
        print(f"cutting {len(reviews.y)} reviews into words, once", file=sys.stderr, flush=True)
        known: dict[str, int] = {}
        rows = []
        for text in reviews.decoded():
            places = [known.setdefault(word, len(known)) for word in cut(text)]
            rows.append(np.array(places, np.int32))
        return {
            "words": np.frombuffer("\0".join(known).encode(), np.uint8),
            "places": np.concatenate(rows),
            "ends": np.cumsum([len(row) for row in rows]),
        }

    file = user_cache() / f"imdb-words-{cache.identity([archive], name)}.npz"
    found = cache.stored(file, Words._fields, make)
    joined = found.pop("words").tobytes().decode()
    return Words(joined.split("\0"), **found)


def keras_index(root: Path) -> list[str]:
    """The words of Keras's index of the reviews, most frequent first, fetched if not at hand.

    Raises `UserError` for a file that is no such index.
    """
    places = [folder / INDEX for folder in (root / "imdb", root, user_cache())]
    path = next((path for path in places if path.is_file()), None)
    path = path or fetch(INDEX_URL, user_cache(), INDEX)
    try:
        ranks = json.loads(path.read_text(encoding="utf-8"))
        found = sorted(ranks, key=ranks.__getitem__)
        whole = [ranks[word] for word in found] == list(range(1, len(found) + 1))
    except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise UserError(f"{path}: expected a word index, but {error!r:.80}") from error
    if not whole or not found:
        raise UserError(f"{path}: expected the ranks 1, 2, 3, …, one for each word")
    return found


def _parse(archive: Path) -> Reviews:
    texts: dict[tuple[str, str, int], bytes] = {}
    films: dict[tuple[str, str], list[bytes]] = {}
    try:
        with tarfile.open(archive, "r:*") as opened:
            for member in opened:
                if review := _REVIEW.fullmatch(member.name):
                    texts[review[1], review[2], int(review[3])] = _content(opened, member)
                elif urls := _FILMS.fullmatch(member.name):
                    films[urls[1], urls[2]] = _FILM.findall(_content(opened, member))
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error) as error:
        raise UserError(
            f"{archive}: expected a whole tar archive, but {error}; delete it to have it fetched"
            " again"
        ) from error
    order = []
    for split, kind in PARTS:
        reviews = [(split, kind, number) for number in range(len(films.get((split, kind), ())))]
        found = sum(key in texts for key in reviews)
        if not reviews or found < len(reviews):
            raise UserError(
                f"{archive}: expected a review for each line of aclImdb/{split}/urls_{kind}.txt,"
                f" found {found} for {len(reviews)} lines"
            )
        order.extend(reviews)
    return Reviews(
        texts=np.frombuffer(b"".join(texts[key] for key in order), np.uint8),
        ends=np.cumsum([len(texts[key]) for key in order]),
        y=np.array([kind == "pos" for _, kind, _ in order], np.int64),
        films=np.array([int(films[key[:2]][key[2]]) for key in order]),
        is_test=np.array([split == "test" for split, _, _ in order], bool),
    )


def _content(opened: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = opened.extractfile(member)
    content = b"" if file is None else file.read()
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{opened.name!s}: {member.name}: expected UTF-8, but {error}") from error
    return content
