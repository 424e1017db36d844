"""The ADE corpus: sentences of case reports with drugs and their adverse effects.

Gurulingappa et al. 2012, doi.org/10.1016/j.jbi.2012.04.008. `DRUG-AE.rel` has a relation a line,
`document|sentence|effect|begin|end|drug|begin|end`, with places in the abstract, not the sentence.
"""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from har_keras.data import tagged
from har_keras.data.tagged import Place, Sentence
from har_keras.errors import UserError

FILE = Path("ade", "DRUG-AE.rel")
LAYERS = ("drug", "effect")


class Mention(NamedTuple):
    """A text with its begin and end in the abstract."""

    text: str
    begin: int
    end: int


class Relation(NamedTuple):
    """A drug and an effect in a sentence."""

    document: str
    sentence: str
    drug: Mention
    effect: Mention


def relations(root: Path) -> list[Relation]:
    """The lines of `ade/DRUG-AE.rel`; raise `UserError` where it is missing or damaged."""
    path = root / FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"{path}: {reason}; expected DRUG-AE.rel of ADE Corpus V2 there (data.root=… or"
            " HAR_KERAS_DATA says where), or a file of your own with task.path=…"
        ) from error
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            document, sentence, effect, begin, end, drug, first, last = line.split("|")
            mentions = Mention(drug, int(first), int(last)), Mention(effect, int(begin), int(end))
        except ValueError:
            raise UserError(
                f"{path}:{number}: expected document|sentence|effect|begin|end|drug|begin|end,"
                f" found {line!r:.60}"
            ) from None
        if any(m.text.strip() not in sentence or not m.text.strip() for m in mentions):
            raise UserError(f"{path}:{number}: expected drug and effect within the sentence")
        found.append(Relation(document, sentence, *mentions))
    if not found:
        raise UserError(f"{path}: expected relations, found an empty file")
    return found


def aligned(found: list[Relation]) -> list[Sentence]:
    """Each distinct sentence with all its drugs and effects, in two layers of tags.

    A text that stands in the sentence more than once is taken where the places of all mentions
    agree about where in the abstract the sentence begins.
    """
    sentences: dict[str, list[Relation]] = {}
    for relation in found:
        sentences.setdefault(relation.sentence, []).append(relation)
    result = []
    for text, members in sentences.items():
        mentions = {layer: {getattr(r, layer) for r in members} for layer in LAYERS}
        begins = Counter(
            mention.begin - place
            for layer in LAYERS
            for mention in mentions[layer]
            for place in _occurrences(text, mention.text)
        )
        begin = max(begins, key=lambda place: begins[place])
        tokens = tagged.places(text)
        layers = tuple(
            tagged.tags([_span(text, m, begin) for m in sorted(mentions[layer])], tokens, layer)
            for layer in LAYERS
        )
        words = tuple(text[slice(*place)] for place in tokens)
        result.append(Sentence(members[0].document, words, layers))
    return result


def as_published(found: list[Relation]) -> list[Sentence]:
    """Each distinct sentence with the effect of its first relation, where its places say.

    The places are those in the abstract, taken for places in the sentence, so only effects of the
    abstract's first sentence are met. Tokens are what spaces part.
    """
    first: dict[str, Relation] = {}
    for relation in found:
        first.setdefault(relation.sentence, relation)
    result = []
    for text, relation in first.items():
        tokens = tagged.places(text, "spaces")
        span = relation.effect.begin, relation.effect.end
        words = tuple(text[slice(*place)] for place in tokens)
        result.append(Sentence(relation.document, words, (tagged.tags([span], tokens, "effect"),)))
    return result


def _span(text: str, mention: Mention, begin: int) -> Place:
    expected = mention.begin - begin
    start = min(_occurrences(text, mention.text), key=lambda place: abs(place - expected))
    bare = mention.text.strip()
    start += mention.text.index(bare)
    return start, start + len(bare)


def _occurrences(text: str, part: str) -> list[int]:
    return [match.start() for match in re.finditer(f"(?={re.escape(part)})", text)]
