"""Token tags: text to tokens, spans to tags, tags to spans, and files in CoNLL style.

Tags are BIO: `O` outside, `B-kind` the first token of a span of that kind, `I-kind` the others.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from har_keras.errors import UserError

OUTSIDE = "O"
TOKENS = {"marks": re.compile(r"\w+|[^\w\s]"), "spaces": re.compile(r"\S+")}

Place = tuple[int, int]  # start, end: of characters in a text, or of tokens in a sentence


class Sentence(NamedTuple):
    """`tokens`, and a tag for each of them in each layer; of `document`."""

    document: str
    tokens: tuple[str, ...]
    tags: tuple[tuple[str, ...], ...]


def places(text: str, tokens: str = "marks") -> list[Place]:
    """Where the tokens stand: words and single punctuation marks, or what `spaces` part."""
    return [match.span() for match in TOKENS[tokens].finditer(text)]


def pieces(text: str, tokens: Sequence[Place], longest: int) -> Iterator[slice]:
    """The tokens of each sentence, cut where it has more than `longest`.

    A sentence ends at `.`, `!` or `?` before white space and an upper-case letter, and at a line's
    end.
    """
    start = 0
    for i, (_, end) in enumerate(tokens, start=1):
        following = text[end : tokens[i][0] + 1] if i < len(tokens) else "\n"
        ended = text[end - 1] in ".!?" and following[0].isspace() and following[-1].isupper()
        if ended or "\n" in following or i - start == longest:
            yield slice(start, i)
            start = i


def tags(spans: Iterable[Place], tokens: Sequence[Place], kind: str) -> tuple[str, ...]:
    """The tag of each token from spans of characters; a token that a span cuts is in the span."""
    found = [OUTSIDE] * len(tokens)
    for start, end in spans:
        inside = [i for i, (first, last) in enumerate(tokens) if first < end and start < last]
        for i in inside:
            found[i] = f"I-{kind}"
        if inside:
            found[inside[0]] = f"B-{kind}"
    return tuple(found)


def spans(tags: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Kind, first token and the token after the last; an `I-` that continues nothing begins one."""
    kind, start = "", 0
    for i, tag in enumerate([*tags, OUTSIDE]):
        if kind and tag != f"I-{kind}":
            yield kind, start, i
            kind = ""
        if not kind and tag != OUTSIDE:
            kind, start = tag[2:], i


def read_conll(path: Path) -> list[Sentence]:
    """Sentences of a file with a token a line, its tag in the last column, an empty line between.

    A line `-DOCSTART-` begins a document; without one each sentence is a document of its own.
    IO and BIOES tags become BIO. Raises `UserError` for a file that is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: expected a UTF-8 file of tagged tokens, but {reason}") from error
    found: list[Sentence] = []
    rows: list[list[str]] = []
    document = 0
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        columns = line.split()
        if columns and columns[0] != "-DOCSTART-":
            if len(columns) < 2 or not re.fullmatch(r"O|[BIESLU]-\S+", columns[-1]):
                raise UserError(
                    f"{path}:{number}: expected a token, columns and a tag such as O or B-name,"
                    f" found {line.strip()!r:.60}"
                )
            rows.append([columns[0], columns[-1]])
            continue
        if rows:
            words, marks = zip(*rows, strict=True)
            name = str(document or -len(found) - 1)
            found.append(Sentence(name, words, (_as_bio(marks),)))
            rows = []
        document += bool(columns)
    if not found:
        raise UserError(f"{path}: expected tagged tokens, found none")
    return found


def _as_bio(marks: Sequence[str]) -> tuple[str, ...]:
    plain = [re.sub("^[SU]-", "B-", re.sub("^[EL]-", "I-", mark)) for mark in marks]
    found = [OUTSIDE] * len(plain)
    for kind, start, end in spans(plain):
        found[start:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - start - 1)
    return tuple(found)
