"""A language model of characters: tinyshakespeare, or any UTF-8 text."""

from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from har_keras.data.cache import digest
from har_keras.data.fetch import fetch, user_cache
from har_keras.data.labelled_texts import decoded
from har_keras.data.streams import WARM_UP, Ids, cut
from har_keras.data.text import UNKNOWN, Vocabulary
from har_keras.errors import UserError, require
from har_keras.tasks import Findings, Split, TaskData, Written
from har_keras.tasks.characters import Characters, NextCharacter
from har_keras.tasks.tokens import FILE
from har_keras.tasks.writing import continued, encoded, require_drawable

FOLDER, NAME = "shakespeare", "input.txt"
URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
LENGTH = 1_115_394  # characters of it


@dataclass
class Config:
    """Schema of `conf/task/char_lm.yaml`.

    `path`: a UTF-8 text, tinyshakespeare if empty; loading makes it absolute. The last `test_share`
    of the text is the test part, the last `validation_share` of the rest validates. The text is
    read as `streams` parallel streams (as many as a batch has rows), `timesteps` characters an
    update, and states are carried on from update to update: truncated back-propagation through
    time. `restart`: after how many updates of training they are zeros again, which keeps the cells
    from growing without end; null: when an epoch begins only. `embedding`: numbers for each
    character, 0: one-hot. After each epoch the model writes `samples` texts of `sample_length`
    characters that follow `prefix` (a character at random if empty), drawn with `temperature`.
    """

    name: str = "char_lm"
    path: str = ""
    test_share: float = 0.1
    validation_share: float = 0.05
    streams: int = 64
    timesteps: int = 50
    restart: int | None = None
    embedding: int = 0
    samples: int = 4
    sample_length: int = 300
    prefix: str = ""
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Check each value by itself."""
        for key in ("test_share", "validation_share"):
            share = getattr(self, key)
            require(0 < share < 1, f"task.{key}", share, "above 0 and below 1")
        for key in ("streams", "timesteps", "sample_length"):
            require(getattr(self, key) > 0, f"task.{key}", getattr(self, key), "at least 1")
        if self.restart is not None:
            require(self.restart > 0, "task.restart", self.restart, "at least 1, or null")
        for key in ("embedding", "samples"):
            require(getattr(self, key) >= 0, f"task.{key}", getattr(self, key), "0 or more")
        require_drawable("task.", self.temperature, top_p=1)


def load(config: Config, root: Path, seed: int, published: bool) -> TaskData:
    """Read, cut and describe; raise `UserError` for a text that cannot be used."""
    path, text = _read(config, root)
    start = int(len(text) * (1 - config.test_share))
    learned = start if published else int(start * (1 - config.validation_share))
    if learned < 2 or (not published and learned == start) or start == len(text):
        raise UserError(
            f"{path}: holds {len(text)} characters, too few to be cut into training, validation and"
            " test; expected a longer text"
        )
    vocabulary = Vocabulary.learn([text[:learned]])
    ids = np.array([vocabulary.ids.get(letter, UNKNOWN) for letter in text], np.int32)
    # no warm-up: Keras's val_loss gives each batch one weight, however few of its steps count
    validation = None if published else _split(ids[learned - 1 : start], config)
    inputs = Characters(
        config.timesteps,
        vocabulary,
        config.embedding,
        streams=config.streams,
        restart=config.restart,
    )
    outputs = NextCharacter(config.timesteps, vocabulary, config.streams)
    prefix = encoded(config.prefix, vocabulary, "task.prefix")
    write = partial(_write, config, vocabulary, prefix, seed) if config.samples else None
    return TaskData(
        train=_split(ids[:learned], config),
        validation=validation,
        test=_split(ids[start - 1 :], config, WARM_UP),
        inputs=inputs,
        outputs=outputs,
        source="text" if config.path else "tinyshakespeare",
        sha256=digest(np.array(text)),
        files={FILE: vocabulary.to_json()},
        write=write,
        study=partial(_study, write) if write else None,
    )


def _read(config: Config, root: Path) -> tuple[Path, str]:
    path = Path(config.path).expanduser().resolve() if config.path else root / FOLDER / NAME
    if config.path:
        config.path = str(path)
    elif not path.exists():
        path = fetch(URL, user_cache() / FOLDER, NAME)
    text = decoded(path)
    if not config.path and len(text) != LENGTH:
        raise UserError(
            f"{path}: expected the {LENGTH} characters of tinyshakespeare, found {len(text)}; for a"
            " text of your own: task.path=…"
        )
    return path, text


def _split(ids: Ids, config: Config, warm_up: int = 0) -> Split:
    x, y = cut(ids, config.streams, config.timesteps, warm_up)
    return Split(x, y, np.arange(len(x)) % config.streams)


def _write(
    config: Config, vocabulary: Vocabulary, prefix: list[int], seed: int, model: Any
) -> Written:
    """Texts drawn with generators of their own: the same in each epoch but for the model."""
    from har_keras.layers.stepper import Stepper

    step, names, texts = Stepper(model), vocabulary.names, []
    for number in range(config.samples):
        step.reset()
        rng = np.random.default_rng([seed, number])
        past = prefix or [int(rng.integers(2, vocabulary.size))]
        drawn = continued(step, past, rng, config.temperature, top_p=1)
        texts.append("".join(names[i] for i in [*past, *islice(drawn, config.sample_length)]))
    return Written(texts, {})


def _study(write: Any, model: Any) -> Findings:
    """What the trained model writes, as a file."""
    return Findings({}, {}, {"samples.txt": "\n\n".join(write(model).texts) + "\n"})
