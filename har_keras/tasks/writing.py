"""A trained language model at work on its own output, a character at a time."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from har_keras.data.text import FIRST, Vocabulary
from har_keras.errors import UserError, require

Step = Callable[[int], NDArray[np.floating]]


def require_drawable(key: str, temperature: float, top_p: float) -> None:
    """Raise `UserError` unless characters can be drawn so; `key` stands before the names."""
    require(0 < temperature < np.inf, f"{key}temperature", temperature, "above 0, and finite")
    require(0 < top_p <= 1, f"{key}top_p", top_p, "above 0 and at most 1")


def encoded(text: str, vocabulary: Vocabulary, key: str) -> list[int]:
    """The ids of a text; raise `UserError` that names the characters without one."""
    unknown = "".join(dict.fromkeys(letter for letter in text if letter not in vocabulary.ids))
    if unknown:
        raise UserError(
            f"{key}={text!r:.40}: holds {unknown!r:.60}, expected characters of the training text"
            " (vocabulary.json)"
        )
    return [vocabulary.ids[letter] for letter in text]


def continued(
    step: Step, past: list[int], rng: np.random.Generator, temperature: float, top_p: float
) -> Iterator[int]:
    """Ids drawn one after the other for ever, after those of `past`, at least one.

    `step` takes an id and gives the logits (ids,) of the next one.
    """
    for known in past:
        logits = step(known)
    while True:
        chosen = draw(logits, rng.random(), temperature, top_p)
        yield chosen
        logits = step(chosen)


def draw(
    logits: NDArray[np.floating], number: float, temperature: float = 1.0, top_p: float = 1.0
) -> int:
    """The id where `number`, in 0..1, falls among the probabilities softmax(logits / temperature).

    Only the most probable ids that together reach `top_p` count (Holtzman et al. 2020,
    arXiv:1904.09751); never the two reserved ids. Computed in float64.
    """
    logits = logits[FIRST:].astype(np.float64)
    probabilities = np.exp((logits - logits.max()) / temperature)
    if top_p < 1:
        order = np.argsort(-probabilities, kind="stable")
        reached = probabilities[order].cumsum()
        probabilities[order[1:][reached[:-1] >= top_p * reached[-1]]] = 0
    edges = probabilities.cumsum()
    return int(edges.searchsorted(number * edges[-1], side="right")) + FIRST


def likeliest(logits: NDArray[np.floating]) -> int:
    """The most probable id, none of the two reserved ones."""
    return int(logits[FIRST:].argmax()) + FIRST
