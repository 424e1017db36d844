"""What translations are worth, and figures of them."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from sacrebleu.metrics import BLEU, CHRF

from har_keras.reporting.figures import BLUE, STYLE

Texts = Sequence[Sequence[str]]  # tokens of each
LENGTHS = {"to_5_words": (0, 5), "6_to_10_words": (6, 10), "over_10_words": (11, None)}


def scores(truth: Texts, said: Texts, written: Callable[[Sequence[str]], str]) -> dict[str, float]:
    """Score a corpus by sacrebleu, one reference each.

    Returns:
        `bleu` (0–100) of tokens as they are, `chrf` (0–100) of texts as `written` makes them of
        tokens, `exact_match` (0–1).
    """
    texts = [[written(tokens) for tokens in side] for side in (said, truth)]
    return {
        "bleu": _bleu(truth, said),
        "chrf": float(CHRF().corpus_score(texts[0], [texts[1]]).score),
        "exact_match": float(
            np.mean([list(a) == list(b) for a, b in zip(truth, said, strict=True)])
        ),
    }


def by_length(truth: Texts, said: Texts, lengths: ArrayLike) -> dict[str, tuple[float, int]]:
    """BLEU of the pairs whose source has so many words, and how many these are; none left out.

    `lengths` int (pairs,). Where there is no such pair, neither is its name.
    """
    found = {}
    lengths = np.asarray(lengths)
    for name, (least, most) in LENGTHS.items():
        rows = np.flatnonzero((lengths >= least) & (lengths <= (most or np.inf))).tolist()
        if len(rows):
            chosen = ([side[row] for row in rows] for side in (truth, said))
            found[name] = _bleu(*chosen), len(rows)
    return found


def _bleu(truth: Texts, said: Texts) -> float:
    joined = [[" ".join(tokens) for tokens in side] for side in (said, truth)]
    return float(BLEU(tokenize="none", force=True).corpus_score(joined[0], [joined[1]]).score)


def lengths_figure(found: Mapping[str, tuple[float, int]]) -> Figure:
    """BLEU by the length of the source, as `by_length` gives it: bars with their pairs."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.8, 3.4), layout="constrained")
        axes = figure.subplots()
        values = [value for value, _ in found.values()]
        names = [name.replace("_words", "").replace("_", " ") for name in found]
        bars = axes.bar(names, values, color=BLUE, width=0.6)
        axes.bar_label(bars, [f"{value:.1f}\n{n} pairs" for value, n in found.values()])
        axes.margins(y=0.25)
        axes.set(xlabel="words of the source", ylabel="BLEU (0–100)", ylim=(0, None))
    return figure


def attention(weights: ArrayLike, source: Sequence[str], said: Sequence[str]) -> Figure:
    """A map of the weights (said, source), in 0..1: where each token said was looked for.

    Raises:
        ValueError: weights of another shape.
    """
    weights = np.asarray(weights, float)
    if weights.shape != (len(said), len(source)):
        raise ValueError(f"expected weights {(len(said), len(source))}, got {weights.shape}")
    size = 1.8 + 0.3 * len(source), 1.3 + 0.3 * max(len(said), 1)
    with matplotlib.rc_context(STYLE | {"axes.grid": False}):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        if weights.size:
            image = axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
            figure.colorbar(image, label="attention weight (0–1)")
        axes.set_xticks(range(len(source)), [_shown(token) for token in source])
        axes.tick_params("x", rotation=0 if max(map(len, source), default=0) < 3 else 90)
        axes.set_yticks(range(len(said)), [_shown(token) for token in said])
        axes.set(xlabel="source", ylabel="said, from the top")
    return figure


def _shown(token: str) -> str:
    return "␣" if token == " " else token
