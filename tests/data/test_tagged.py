from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from har_keras.data.tagged import pieces, places, read_conll, spans, tags
from har_keras.errors import UserError

CONLL = """-DOCSTART- -X- O O

Aspirin NN B-NP S-drug
causes VB O O
acute JJ B-NP B-effect
renal JJ I-NP I-effect
failure NN I-NP E-effect
. . O O

Rash NN B-NP I-effect

-DOCSTART- -X- O O
Übelkeit NN B-NP U-effect
"""


def test_words_and_marks_are_tokens() -> None:
    text = "5-FU-induced  (ototoxicity)."
    found = [text[slice(*place)] for place in places(text)]
    assert found == ["5", "-", "FU", "-", "induced", "(", "ototoxicity", ")", "."]
    assert [text[slice(*p)] for p in places(text, "spaces")] == ["5-FU-induced", "(ototoxicity)."]


def test_tags_of_spans_and_back() -> None:
    text = "azithromycin-induced acute renal failure"
    tokens = places(text)
    found = tags([(21, 34), (0, 5)], tokens, "x")  # the second cuts a token
    assert found == ("B-x", "O", "O", "B-x", "I-x", "I-x")
    assert list(spans(found)) == [("x", 0, 1), ("x", 3, 6)]


@given(st.lists(st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"]), max_size=12))
def test_spans_are_as_seqeval_reads_them(sequence: list[str]) -> None:
    from seqeval.metrics.sequence_labeling import get_entities

    theirs = [(kind, start, last + 1) for kind, start, last in get_entities(sequence)]
    assert list(spans(sequence)) == theirs


def test_a_conll_file_of_any_scheme(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text(CONLL, encoding="utf-8")
    first, second, third = read_conll(path)
    assert first.tokens[:2] == ("Aspirin", "causes")
    assert first.tags == (("B-drug", "O", "B-effect", "I-effect", "I-effect", "O"),)
    assert second.tags == (("B-effect",),)
    assert first.document == second.document != third.document


def test_without_documents_each_sentence_is_one(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("a O\n\n\n\nb B-x\n")
    assert len({sentence.document for sentence in read_conll(path)}) == 2


@pytest.mark.parametrize("text", ["", "word\n", "word tag\n", "a O\nb X-y\n", "a B-\n"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.conll"
    path.write_text(text)
    with pytest.raises(UserError, match=r"a\.conll"):
        read_conll(path)


def test_a_text_in_sentences() -> None:
    text = "It is e.g. mild. Then no more!\nend of it all"
    tokens = places(text)
    found = [[text[slice(*p)] for p in tokens[piece]] for piece in pieces(text, tokens, 3)]
    assert [" ".join(words) for words in found] == [
        "It is e",
        ". g .",
        "mild .",
        "Then no more",
        "!",
        "end of it",
        "all",
    ]
    assert [len(tokens[piece]) for piece in pieces(text, tokens, 99)] == [8, 4, 4]
    assert list(pieces("", [], 3)) == []
