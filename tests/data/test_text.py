import numpy as np
import pytest

from har_keras.data import text
from har_keras.data.text import PADDING, UNKNOWN, Vocabulary
from har_keras.errors import UserError


@pytest.mark.parametrize(
    ("cleaning", "raw", "clean"),
    [
        (
            text.letters,
            "Free entry in 2 a wkly_comp!  Don't\tmiss",
            "free entry in a wklycomp dont miss",
        ),
        (text.letters, "Ü été £100 ☺ ok", "t ok"),
        (text.opinions, "I LOOOVE it &amp; you, @bob http://x.y/z www.a.b!!", "i love it you"),
        (text.opinions, "good book; i&#39;m coool", "good book i m col"),
        (text.shapes, "Call 0800-123 NOW", "call 0000-000 now"),
        (text.folded, "J’ai\u202fN°\u00a05\u2026", "j'ai n° 5..."),
        (text.unchanged, " As it is ", " As it is "),
    ],
)
def test_cleaning(cleaning, raw: str, clean: str) -> None:
    assert cleaning(raw) == clean


@pytest.mark.parametrize("name", text.CLEANINGS)
@pytest.mark.parametrize("odd", ["", " \n", "😀🎉", "\x00", "a" * 100_000, "\ud800", '"'])
def test_odd_texts_are_cleaned_and_cut(name: str, odd: str) -> None:
    for cut in text.TOKENISERS.values():
        tokens = cut(text.CLEANINGS[name](odd))
        assert Vocabulary(("a",)).encode(tokens, 5).shape == (5,)


def test_signs_are_tokens() -> None:
    assert text.words_and_signs("£1.50, ok!") == ["£", "1", ".", "50", ",", "ok", "!"]


@pytest.mark.parametrize(
    ("written", "tokens"),
    [
        ("j'ai froid.", ["j'", "ai", "froid", "."]),
        ("avez-vous l'heure, s'il-vous?", None),
        ("(non) - 10-year", ["(", "non", ")", "-", "10", "-year"]),
        ("don't", ["don'", "t"]),
    ],
)
def test_words_and_clitics(written: str, tokens: list[str] | None) -> None:
    cut = text.words_and_clitics(written)
    assert tokens in (None, cut)
    assert text.sentence(cut) == written


def test_vocabulary_is_learned_by_frequency_then_alphabet() -> None:
    documents = [["b", "a", "c"], ["b", "a"], ["d"]]
    assert Vocabulary.learn(documents).words == ("a", "b", "c", "d")
    assert Vocabulary.learn(documents, least=2).words == ("a", "b")
    assert Vocabulary.learn(documents, most=3).words == ("a", "b", "c")
    assert Vocabulary.learn(documents).size == 6


@pytest.mark.parametrize(
    ("padding", "keep", "tokens", "ids"),
    [
        ("post", "first", "a b", [2, 3, PADDING]),
        ("pre", "first", "a b", [PADDING, 2, 3]),
        ("post", "first", "a z b a", [2, UNKNOWN, 3]),
        ("post", "last", "a z b a", [UNKNOWN, 3, 2]),
        ("pre", "last", "", [PADDING] * 3),
    ],
)
def test_encode(padding: str, keep: str, tokens: str, ids: list[int]) -> None:
    row = Vocabulary(("a", "b")).encode(tokens.split(), 3, padding, keep)
    assert row.dtype == np.int32
    assert row.tolist() == ids


def test_decode_leaves_padding_out() -> None:
    assert Vocabulary(("a", "b")).decode([3, 1, 2, 0]) == ["b", "<unknown>", "a"]


def test_a_hundred_thousand_tokens() -> None:
    assert Vocabulary(("a",)).encode_all([["a"] * 100_000, []], 4).tolist() == [[2] * 4, [0] * 4]


def test_json_and_back() -> None:
    words = Vocabulary(("a", 'quo"te', "é", "😀"))
    assert Vocabulary.from_json(words.to_json(), "x") == words


@pytest.mark.parametrize("damaged", ["", "[]", "{}", '{"words": [1]}', '{"words": "ab"}'])
def test_a_damaged_vocabulary_is_named(damaged: str) -> None:
    with pytest.raises(UserError, match=r"vocabulary\.json: expected"):
        Vocabulary.from_json(damaged, "vocabulary.json")
