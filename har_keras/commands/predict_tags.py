"""Mark the spans that a finished run finds in texts."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import cycle, groupby
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text
from scipy.special import softmax

from har_keras.commands import predict_tokens
from har_keras.data import tagged
from har_keras.tasks.tagging import ClassPerStep
from har_keras.tasks.tokens import Tokens
from har_keras.tasks.words import Words

STYLES = ("bold green", "bold red", "bold blue", "bold magenta", "bold cyan", "bold yellow")


def rows(
    texts: list[str], inputs: Tokens | Words, output: dict[str, Any], model: Any
) -> Iterator[dict[str, Any]]:
    """A row a span: its text and the line of it, kind, words, place in the text, probability.

    A text without spans has one row, with an empty kind.
    """
    found: dict[int, list[dict[str, Any]]] = {line: [] for line in range(len(texts))}
    for line, kind, start, end, probability in _spans(texts, inputs, output, model):
        words = texts[line][start:end]
        row = {"kind": kind, "words": words, "start": start, "end": end}
        found[line].append(row | {"probability": probability})
    nothing = dict.fromkeys(("kind", "words", "start", "end", "probability"), "")
    for line, text in enumerate(texts):
        for row in sorted(found[line], key=lambda row: (row["start"], -row["end"])) or [nothing]:
            yield {"line": line + 1} | row | {"text": text}


def _spans(
    texts: list[str], inputs: Tokens | Words, output: dict[str, Any], model: Any
) -> Iterator[tuple[int, str, int, int, float]]:
    """Text, kind, first character, the one after the last, probability."""
    is_words = isinstance(inputs, Words)
    longest = inputs.timesteps - 1 if is_words else inputs.timesteps
    cuts = []
    for line, text in enumerate(texts):
        places = tagged.places(text, "marks" if is_words else "spaces")
        cuts += [(line, places[piece]) for piece in tagged.pieces(text, places, longest)]
    if not cuts:
        return
    x = inputs.encode([[texts[line][slice(*place)] for place in places] for line, places in cuts])
    logits = predict_tokens.outputs(model, x)
    layers = output["layers"]
    tags = ClassPerStep(None, tuple(layers), tuple(map(tuple, layers.values())))
    real = np.arange(inputs.timesteps) < np.array([[len(places)] for _, places in cuts])
    labels, probabilities = tags.decode(logits, real), softmax(logits.astype("float64"), axis=-1)
    sure = np.take_along_axis(probabilities, np.maximum(labels, 0)[..., None], -1)[..., 0]
    for (line, places), named, chances in zip(cuts, tags.named(labels), sure, strict=True):
        for layer, names in enumerate(named):
            for kind, first, after in tagged.spans(names):
                probability = float(chances[first:after, layer].prod())
                yield line, kind, places[first][0], places[after - 1][1], probability


def show(found: Iterable[dict[str, Any]]) -> None:
    """Print each text with its spans in brackets and colours."""
    found = list(found)
    kinds = sorted({row["kind"] for row in found})
    styles = dict(zip(kinds, cycle(STYLES), strict=False))
    console = Console()
    for _, members in groupby(found, key=lambda row: row["line"]):
        console.print(marked(list(members), styles), soft_wrap=True)


def marked(rows: list[dict[str, Any]], styles: dict[str, str]) -> Text:
    """One text with `[its spans]kind`, nested ones within the longer."""
    spans = [row for row in rows if row["kind"]]
    opened = Counter(row["start"] for row in spans)
    closed: dict[int, list[dict[str, Any]]] = {}
    for row in sorted(spans, key=lambda row: row["end"] - row["start"]):
        closed.setdefault(row["end"], []).append(row)
    found = Text()
    for place, character in enumerate([*rows[0]["text"], ""]):
        for row in closed.get(place, []):
            found.append(f"]{row['kind']} {row['probability']:.2f}", styles[row["kind"]])
        found.append("[" * opened[place])
        around = [row for row in spans if row["start"] <= place < row["end"]]
        found.append(character, styles[around[-1]["kind"]] if around else "")
    return found
