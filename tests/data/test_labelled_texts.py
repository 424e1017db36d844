from pathlib import Path

import pytest

from har_keras.data.labelled_texts import read, read_texts
from har_keras.errors import UserError


def test_tabbed_lines_keep_quotes_and_tabs(tmp_path: Path) -> None:
    path = tmp_path / "texts.tsv"
    path.write_bytes('\ufeffham\tsay "hi\r\n\r\nspam\ta\tb 😀\n'.encode())
    data = read(path)
    assert data.labels == ["ham", "spam"]
    assert data.texts == ['say "hi', "a\tb 😀"]


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text('text,label\n"a, ""b""\nc",ham\nd,spam\n')
    assert read(path) == (["ham", "spam"], ['a, "b"\nc', "d"])
    assert read_texts(path) == ['a, "b"\nc', "d"]


def test_a_hundred_thousand_words_in_a_field(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text("text\n" + "word " * 100_000 + "\n")
    assert len(read_texts(path)[0].split()) == 100_000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", b"ham\tok\nno tab\n", "line 2: expected label, tab, text, found 'no tab'"),
        ("a.tsv", b"ham\tok\nspam\tcaf\xe9\n", "line 2: expected UTF-8, found the byte 0xe9"),
        ("a.tsv", b"\n \n", "holds no text"),
        ("a.csv", b"label,words\nham,ok\n", "expected the columns label, text in line 1"),
        ("a.csv", b'label,text\nham,ok\nham,"stray\nham,more\n', "record that starts in line 3"),
        ("a.csv", b'label,text\nham,"a" b\n', "line 2: .*a stray quote"),
        ("a.csv", b"label,text\nham,a,b\n", "line 2: expected 2 fields"),
        ("a.csv", b"", "found nothing"),
    ],
)
def test_bad_files_are_named(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        read(tmp_path / name)


def test_lines_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("one\n\ntwo\n", encoding="utf-8")
    assert read_texts(path) == ["one", "", "two"]
    with pytest.raises(UserError, match="expected a text file"):
        read_texts(tmp_path)
