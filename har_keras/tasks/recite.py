"""Reciting: one string, learned by heart, to be told again from its first character."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from har_keras.data.cache import digest
from har_keras.data.text import Vocabulary
from har_keras.errors import require
from har_keras.tasks import Findings, Split, TaskData, Written
from har_keras.tasks.characters import Characters, NextCharacter
from har_keras.tasks.tokens import FILE
from har_keras.tasks.writing import likeliest


@dataclass
class Config:
    """Schema of `conf/task/recite.yaml`.

    `text`: the string, which is one sequence of one-hot characters. At each one the next is to be
    said, at the last the first. `steps_per_epoch`: updates until it is recited the next time; the
    training ends when it is recited without a mistake.
    """

    name: str = "recite"
    text: str = "Der Cottbuser Postkutscher putzt den Cottbuser Postkutschkasten."
    steps_per_epoch: int = 50

    def __post_init__(self) -> None:
        """Check each value by itself."""
        length = len(self.text)
        require(2 <= length <= 10_000, "task.text", f"<{length} characters>", "2 to 10000")
        steps = self.steps_per_epoch
        require(steps > 0, "task.steps_per_epoch", steps, "at least 1")


def load(config: Config, root: Path, seed: int, published: bool) -> TaskData:
    """The string as ids, and as the ids that follow; there is nothing that could be held out."""
    vocabulary = Vocabulary.learn([config.text])
    ids = np.array([[vocabulary.ids[letter] for letter in config.text]], np.int32)
    split = Split(ids, np.roll(ids, -1, axis=1), np.zeros(1, int))
    return TaskData(
        train=split,
        validation=None,
        test=split,
        inputs=Characters(len(config.text), vocabulary, embedding=0),
        outputs=NextCharacter(len(config.text), vocabulary),
        source="text",
        sha256=digest(np.array(config.text)),
        files={FILE: vocabulary.to_json()},
        steps_per_epoch=config.steps_per_epoch,
        write=partial(_write, config.text, vocabulary),
        study=partial(_study, config.text, vocabulary),
    )


def recited(text: str, vocabulary: Vocabulary, model: Any) -> str:
    """What the model says from the first character of `text` on, as long as `text`."""
    from har_keras.layers.stepper import Stepper

    step, said = Stepper(model), [vocabulary.ids[text[0]]]
    while len(said) < len(text):
        said.append(likeliest(step(said[-1])))
    return "".join(vocabulary.names[index] for index in said)


def _write(text: str, vocabulary: Vocabulary, model: Any) -> Written:
    said = recited(text, vocabulary, model)
    return Written([said], _figures(text, said), enough=said == text)


def _study(text: str, vocabulary: Vocabulary, model: Any) -> Findings:
    said = recited(text, vocabulary, model)
    return Findings({"test": _figures(text, said)}, {}, {"recited.txt": f"{said}\n"})


def _figures(text: str, said: str) -> dict[str, float]:
    """`recited`: 1 if all is right; `characters`: what share is, the first left out (0..1)."""
    right = [a == b for a, b in zip(text[1:], said[1:], strict=True)]
    return {"recited": float(said == text), "characters": float(np.mean(right))}
