from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_keras.data.csv_recordings import BLOCK, CsvReader, located, read
from har_keras.data.windower import BadSample
from har_keras.errors import UserError

light = settings(max_examples=50, deadline=None)
COLUMNS = ("a", "b")


@st.composite
def files(draw):
    """The bytes of a file with the columns in any order, and what stands in them."""
    rows = draw(st.integers(1, 12))
    values = np.random.default_rng(draw(st.integers(0, 999))).normal(size=(rows, 3)).round(4)
    labels = draw(st.lists(st.sampled_from(["", "walk", "über"]), min_size=rows, max_size=rows))
    order = draw(st.permutations(["time", "b", "a", "label", "other"]))
    delimiter = draw(st.sampled_from(",;\t"))
    quote = draw(st.sampled_from(["", '"']))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    lines = [delimiter.join(order)]
    for (time, a, b), label in zip(values, labels, strict=True):
        cells = {"time": time, "a": a, "b": b, "label": f"{quote}{label}{quote}", "other": "x"}
        lines.append(delimiter.join(str(cells[name]) for name in order))
        lines += [""] * draw(st.integers(0, 1))
    text = end.join(lines) + end * draw(st.integers(0, 2))
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig"]))), values, labels


@light
@given(files(), st.lists(st.integers(0, 400), max_size=8))
def test_bytes_in_any_pieces(file, places: list[int]) -> None:
    content, values, labels = file
    reader = CsvReader("x.csv", COLUMNS, ("label", "subject"))
    places = sorted(places)
    pieces = [content[a:b] for a, b in zip([0, *places], [*places, None], strict=True)]
    found = [*(reader.push(piece) for piece in pieces), reader.close()]
    found = [rows for rows in found if len(rows.x)]
    np.testing.assert_array_equal(np.concatenate([rows.time for rows in found]), values[:, 0])
    np.testing.assert_array_equal(np.concatenate([rows.x for rows in found]), values[:, 1:])
    assert [label for rows in found for label in rows.texts[0]] == labels
    assert not any(rows.texts[1] for rows in found)
    assert reader.present == ("label",)
    lines = content.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    for line in np.concatenate([rows.lines for rows in found]):
        assert "x" in lines[line - 1]


def test_a_piece_of_one_empty_line_counts() -> None:
    reader = CsvReader("x.csv", COLUMNS)
    found = [reader.push(piece) for piece in (b"a,b\n1,2\n", b"\n", b"3,4\n")]
    assert [rows.lines.tolist() for rows in found] == [[2], [], [4]]


def test_all_columns_that_are_left(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("left,time,label,right\n1,0,walk,2\n3,1,walk,4")
    reader, rows = read(path, None, ("label",))
    assert reader.columns == ["left", "right"]
    assert reader.timed
    np.testing.assert_array_equal(rows.x, [[1, 2], [3, 4]])
    assert rows.texts == (["walk", "walk"],)


HEAD = "time,a,b\n"
BAD = {
    "empty": (b"", "x.csv: is empty"),
    "header only": (HEAD.encode(), "has a header line only"),
    "header without end": (HEAD.strip().encode(), "has a header line only"),
    "blank lines": (HEAD.encode() + b"\n\n", "has a header line only"),
    "missing": (b"time,a\n0,1\n", "with the columns b, found time, a"),
    "no header": (b"0,1,2\n0,1,2\n", "with the columns a, b, found 0, 1, 2"),
    "near miss": (b"time,a,B\n", "columns b, found time, a, B"),
    "twice": (b"time,a,b,b\n", "has the column b twice"),
    "text": (f"{HEAD}0,1,2\n1,fast,2\n".encode(), "x.csv, line 3: a is 'fast', expected a number"),
    "empty cell": (f"{HEAD}0,1,\n".encode(), "line 2: b is empty"),
    "short row": (f"{HEAD}0,1,2\n0,1\n".encode(), "line 3: has 2 cells, expected 3"),
    "long row": (f"{HEAD}0,5,1,2\n".encode(), "line 2: has 4 cells, expected 3"),
    "decimal comma": (b"time;a;b\n0,0;1,5;2\n", "line 2: time is '0,0', expected a number like"),
    "binary": (b"\x89PNG\r\n\x1a\n\0\0\0", "x.csv, line 1: is not text"),
    "latin-1": (f"{HEAD}0,1,2\n".encode() + b"0,\xfc,3\n", "line 3: is not text"),
    "utf-16": (HEAD.encode("utf-16"), "line 1: is not text"),
    "long line": (HEAD.encode() + b"1" * (BLOCK + 2), "line 2: is longer than 1 MB"),
    "other time": (b"timestamp,a,b\n0,1,2\n", "the column timestamp may hold times"),
    "capitals": (b"Time,a,b\n0,1,2\n", "the column Time may hold times"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_files(tmp_path: Path, kind: str) -> None:
    content, expected = BAD[kind]
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(UserError) as found:
        read(path, COLUMNS)
    assert expected in str(found.value)


def test_a_given_rate_lets_other_times_be(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("timestamp,a,b\nnoon,1,2\n")
    assert read(path, COLUMNS, untimed=True)[1].time is None


def test_other_times_are_no_channel(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("timestamp,a\n1,2\n")
    with pytest.raises(UserError, match="the column timestamp may hold times"):
        read(path, None)
    assert read(path, ["timestamp"])[1].x == 1


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read(tmp_path / "x.csv", COLUMNS)
    with pytest.raises(UserError, match="Is a directory"):
        read(tmp_path, COLUMNS)


def test_errors_get_a_place() -> None:
    rows = CsvReader("x", ("a",)).push(b"a\n1\n\n2\n")
    with pytest.raises(UserError, match=r"^x, line 4: odd$"), located("x", rows):
        raise BadSample(1, "odd")
    with pytest.raises(UserError, match=r"^x: odd$"), located("x", rows):
        raise UserError("odd")
