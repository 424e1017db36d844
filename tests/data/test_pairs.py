import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_keras.data.pairs import END_ID, GO_ID, apart, encode, read, words
from har_keras.data.text import UNKNOWN, Vocabulary
from har_keras.errors import UserError


def test_lines_of_pairs(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_bytes("\ufeffGo.\tVa !\r\n\nRun!\tCours\u202f!\tCC-BY\n".encode())
    assert read(path) == [("Go.", "Va !"), ("Run!", "Cours\u202f!")]
    with zipfile.ZipFile(tmp_path / "pairs.zip", "w") as archive:
        archive.writestr("_about.txt", "about")
        archive.write(path, "pairs.txt")
    assert read(tmp_path / "pairs.zip") == read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\tb\nno tab\n", "line 2: expected source, tab, target, found 'no tab'"),
        (b"a\t \n", "line 1: expected source, tab, target"),
        (b"a\tcaf\xe9\n", "line 1: expected UTF-8, found the byte 0xe9"),
    ],
)
def test_bad_lines(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "pairs.txt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read(tmp_path / "pairs.txt")


def test_bad_archives(tmp_path: Path) -> None:
    path = tmp_path / "pairs.zip"
    with pytest.raises(UserError, match="expected a ZIP file"):
        read(path)
    path.write_bytes(b"no archive")
    with pytest.raises(UserError, match="expected a ZIP file"):
        read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_about.txt", "about")
    with pytest.raises(
        UserError, match=r"expected one \.txt or \.tsv file of pairs in it, found 0"
    ):
        read(path)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 30), min_size=40, max_size=80),
    st.integers(0, 3),
    st.integers(0, 2**32 - 1),
)
def test_parts_share_no_source(numbers: list[int], long: int, seed: int) -> None:
    sources = [str(n) for n in range(12)] + [str(n) for n in numbers]
    is_long = np.array([int(source) % 4 == 0 for source in sources])
    parts = apart(sources, is_long, seed, 2, (long, 3))
    held = [{sources[place] for place in part} for part in parts]
    assert not held[0] & held[1]
    assert not held[0] & held[2]
    assert not held[1] & held[2]
    assert sorted(np.concatenate(parts)) == list(range(len(sources)))
    assert len(held[1]) == 2
    assert sum(int(source) % 4 == 0 for source in held[2]) == long
    other = apart(sources, is_long, seed + 1, 2, (long, 3))
    np.testing.assert_array_equal(parts.test, other.test)


def test_too_few_pairs() -> None:
    with pytest.raises(UserError, match=r"expected more than 2 distinct sources .* found 3"):
        apart(["a", "b", "c", "a"], np.zeros(4, bool), 0, 1, (0, 2))


def test_ids() -> None:
    source, target = Vocabulary(("a", "b")), Vocabulary(("<go>", "<end>", "x", "y"))
    members = [(["a", "?"], ["x"]), (["b"] * 9, ["y"] * 9)]
    x, y = encode(members, source, target, 4)
    assert x[..., 0].tolist() == [[2, UNKNOWN, 0, 0], [3, 3, 3, 3]]
    assert x[..., 1].tolist() == [[GO_ID, 4, 0, 0], [GO_ID, 5, 5, 5]]
    assert y.tolist() == [[4, END_ID, -1, -1], [5, 5, 5, 5]]
    assert x.dtype == y.dtype == np.int32


def test_signs_are_no_words() -> None:
    assert words(["j'", "ai", ",", "-vous", "?"]) == 3
