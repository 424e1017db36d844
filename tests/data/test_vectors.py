from pathlib import Path

import numpy as np
import pytest

from har_keras.data import vectors
from har_keras.data.text import Vocabulary
from har_keras.errors import UserError

WORDS = Vocabulary(("apple", "böse", "none"))
VALUES = {"apple": [0.5, -1.0, 2.0], "böse": [1.0, 2.0, 3.0], "other": [9.0, 9.0, 9.0]}


def glove(path: Path) -> None:
    lines = (f"{word} {' '.join(map(str, row))}" for word, row in VALUES.items())
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def word2vec_text(path: Path) -> None:
    glove(path)
    path.write_text("3 3\n" + path.read_text(encoding="utf-8"), encoding="utf-8")


def word2vec_binary(path: Path) -> None:
    entries = (
        word.encode() + b" " + np.array(row, "<f4").tobytes() + b"\n"
        for word, row in VALUES.items()
    )
    path.write_bytes(b"3 3\n" + b"".join(entries))


@pytest.mark.parametrize("write", [glove, word2vec_text, word2vec_binary])
def test_formats(write, tmp_path: Path) -> None:
    write(tmp_path / "v")
    found = vectors.read(tmp_path / "v", WORDS, seed=0)
    assert found.matrix.shape == (5, 3)
    assert found.matrix.dtype == np.float32
    assert found.matrix[0].tolist() == [0, 0, 0]
    assert found.matrix[2:4].tolist() == [VALUES["apple"], VALUES["böse"]]
    assert np.abs(found.matrix[[1, 4]]).max() < vectors.SCALE
    assert found.found == 2
    assert "2 of 3 words (66.7%)" in vectors.coverage(found, WORDS, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1 is b''"),
        (b"hello\n", "line 1"),
        (b"apple 1 2 x\n", "line 1: could not convert"),
        (b"apple 1 2\nb 1\n", "line 2"),
        (b"other 1 2\n", "holds no word of the vocabulary"),
        (b"9 3\napple \x00\x00", "breaks off in entry 1 of 9"),
    ],
)
def test_other_files_are_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(UserError, match=message):
        vectors.read(tmp_path / "v", WORDS, seed=0)


def test_no_file() -> None:
    with pytest.raises(UserError, match="expected word vectors"):
        vectors.read(Path("nowhere"), WORDS, seed=0)
