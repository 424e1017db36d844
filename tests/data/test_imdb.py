import io
import json
import os
import shutil
import tarfile
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from har_keras.data import imdb
from har_keras.data.text import filtered, spaced
from har_keras.errors import UserError


def cut(text: str) -> list[str]:
    return spaced(filtered(text))


def test_keras_words() -> None:
    text = "It's GOOD,really good.<br /><br />Élan & café_bar\t(10/10)\n"
    words = "<start> it's good really good br br Élan café bar 10 10"
    assert cut(text) == words.split()
    assert cut("") == cut("?!") == ["<start>"]
    assert cut("a\x85b c") == ["<start>", "a\x85b", "c"]


def test_the_reviews_of_an_archive(reviews_root: Path) -> None:
    reviews = imdb.read(imdb.find(reviews_root))
    assert np.bincount(2 * reviews.is_test + reviews.y).tolist() == [40, 40, 40, 40]
    texts = reviews.decoded()
    assert texts[0] == texts[119]
    assert texts[0].endswith(".<br /><br />Café!")
    assert reviews.films[:5].tolist() == [0, 0, 0, 0, 1]
    assert (reviews.films[-1], reviews.y[-1], reviews.is_test[-1]) == (1509, 1, True)


def test_words_are_kept(reviews_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = imdb.find(reviews_root)
    reviews = imdb.read(archive)
    words = imdb.words(archive, reviews, "cut", cut)
    first = [words.words[place] for place in words.places[: words.ends[0]]]
    assert first == cut(reviews.decoded()[0])
    counts = words.counts(~reviews.is_test)
    assert counts[words.words.index("<start>")] == 80
    assert counts.sum() == words.ends[79]
    monkeypatch.setattr(imdb, "_parse", None)
    again = imdb.words(archive, imdb.read(archive), "cut", lambda text: [])
    assert again.words == words.words
    np.testing.assert_array_equal(again.places, words.places)


def test_the_index(reviews_root: Path, tmp_path: Path) -> None:
    assert imdb.keras_index(reviews_root)[:2] == ["br", "the"]
    for text in ("[1]", "{", '{"a": 1, "b": 3}', "{}", '{"a": "x", "b": 1}'):
        (tmp_path / imdb.INDEX).write_text(text)
        with pytest.raises(UserError, match=r"imdb_word_index\.json: expected"):
            imdb.keras_index(tmp_path)


def _without(archive: Path, target: Path, *names: str, latin: str = "") -> None:
    with tarfile.open(archive) as old, tarfile.open(target, "w:xz") as new:
        for member in old:
            content: IO[bytes] | None = old.extractfile(member)
            if member.name.startswith(tuple(names)):
                continue
            if latin and member.name.startswith(latin):
                member.size = 4
                content = io.BytesIO(b"caf\xe9")
            new.addfile(member, content)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"names": ("aclImdb/test/urls_neg",)}, "each line of aclImdb/test/urls_neg.txt, found 0"),
        ({"names": ("aclImdb/train/pos/7_",)}, "train/urls_pos.txt, found 39 for 40 lines"),
        ({"latin": "aclImdb/train/pos/7_"}, r"train/pos/7_\d+\.txt: expected UTF-8"),
    ],
)
def test_archives_that_lack_something(
    reviews_root: Path, tmp_path: Path, edit: dict, message: str
) -> None:
    target = tmp_path / "aclImdb_labelled.tar.xz"
    _without(imdb.find(reviews_root), target, *edit.get("names", ()), latin=edit.get("latin", ""))
    with pytest.raises(UserError, match=message):
        imdb.read(imdb.find(tmp_path))


def test_damaged_archives(reviews_root: Path, tmp_path: Path) -> None:
    target = tmp_path / "aclImdb_labelled.tar.xz"
    shutil.copyfile(imdb.find(reviews_root), target)
    target.write_bytes(target.read_bytes()[:2000])
    with pytest.raises(UserError, match="expected a whole tar archive"):
        imdb.read(target)
    target.write_text("no archive")
    with pytest.raises(UserError, match="expected a whole tar archive"):
        imdb.read(target)


@pytest.mark.real_data
def test_the_encoding_is_that_of_keras() -> None:
    """Facts about `keras.datasets.imdb.load_data()`, from its documents and common use."""
    root = Path(os.environ["HAR_KERAS_DATA"])
    archive = imdb.find(root)
    reviews = imdb.read(archive)
    words = imdb.words(archive, reviews, "filtered spaced", cut)
    index = imdb.keras_index(root)
    assert len(index) == 88584
    assert json.loads((root / "imdb" / imdb.INDEX).read_text())["br"] == 7
    lengths = np.diff(words.ends, prepend=0)[~reviews.is_test]
    assert (lengths.max(), lengths.min()) == (2494, 11)
    assert lengths.mean() == pytest.approx(238.71364)
    of_training = {words.words[i] for i in np.flatnonzero(words.counts(~reviews.is_test))}
    assert of_training - set(index) == {"<start>"}
    ranks = {word: rank + 3 for rank, word in enumerate(index, 1)} | {"<start>": 1}
    begins = "this film was just brilliant casting location scenery story direction"
    keras = [1, 14, 22, 16, 43, 530, 973, 1622, 1385, 65, 458]
    (row,) = (
        [ranks[word] for word in cut(text)]
        for text, tested in zip(reviews.decoded(), reviews.is_test, strict=True)
        if not tested and " ".join(cut(text)).startswith(f"<start> {begins}")
    )
    assert row[:11] == keras
    assert len(row) == 218
