import os
from collections import Counter
from pathlib import Path

import pytest

from har_keras.data import ade
from har_keras.data.tagged import spans
from har_keras.errors import UserError

ROWS = """\
7|Rash by aspirin.|Rash|0|4|aspirin|8|15
7|After penicillin, rash; aspirin and rash again.|rash|52|56|penicillin|22|32
7|After penicillin, rash; aspirin and rash again.|rash|52|56|aspirin|40|47
8|Lithium intoxication with lithium.|Lithium intoxication|0|20|lithium|26|33
8|Lithium intoxication with lithium.|Lithium intoxication|0|20|Lithium|0|7
"""


def write(root: Path, text: str) -> Path:
    (root / "ade").mkdir(parents=True, exist_ok=True)
    (root / ade.FILE).write_text(text)
    return root


def found(sentence) -> list[list[str]]:
    return [
        [" ".join(sentence.tokens[start:end]) for _, start, end in spans(tags)]
        for tags in sentence.tags
    ]


def test_all_relations_of_a_sentence_where_they_stand(tmp_path: Path) -> None:
    sentences = ade.aligned(ade.relations(write(tmp_path, ROWS)))
    assert [s.document for s in sentences] == ["7", "7", "8"]
    assert found(sentences[1]) == [["penicillin", "aspirin"], ["rash"]]
    assert sentences[1].tags[1][-4:] == ("O", "B-effect", "O", "O")  # the second of two
    assert found(sentences[2]) == [["Lithium", "lithium"], ["Lithium intoxication"]]


def test_published_places_are_those_in_the_abstract(tmp_path: Path) -> None:
    sentences = ade.as_published(ade.relations(write(tmp_path, ROWS)))
    assert [found(s) for s in sentences] == [[["Rash"]], [[]], [["Lithium intoxication"]]]
    assert sentences[1].tokens[1] == "penicillin,"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected relations"),
        ("1|a b|a|0|1|b|2", ":1: expected document"),
        ("1|a b|a|0|x|b|2|3", ":1: expected document"),
        (ROWS + "1|a b|c|0|1|b|2|3", ":6: expected drug and effect within"),
    ],
)
def test_a_damaged_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        ade.relations(write(tmp_path, text))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"DRUG-AE\.rel of ADE Corpus V2"):
        ade.relations(tmp_path)


@pytest.mark.real_data
@pytest.mark.skipif("HAR_KERAS_DATA" not in os.environ, reason="HAR_KERAS_DATA is not set")
def test_real_data() -> None:
    relations = ade.relations(Path(os.environ["HAR_KERAS_DATA"]))
    sentences = ade.aligned(relations)
    assert len(relations) == 6821
    assert len(sentences) == 4271
    assert sum(len(s.tokens) > 30 for s in sentences) == 805
    counts = Counter(kind for s in sentences for tags in s.tags for kind, _, _ in spans(tags))
    assert counts == {"drug": 5062, "effect": 5775}
    nested = sum(
        any(
            first <= start and end <= last
            for _, start, end in spans(s.tags[0])
            for _, first, last in spans(s.tags[1])
        )
        for s in sentences
    )
    assert nested == 119
    published = ade.as_published(relations)
    assert sum("B-effect" in s.tags[0] for s in published) == 1632
