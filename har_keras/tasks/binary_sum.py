"""Counting: how many ones a string of bits holds."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from har_keras.data.cache import digest
from har_keras.data.text import FIRST, Vocabulary
from har_keras.errors import require
from har_keras.tasks import Split, TaskData
from har_keras.tasks.classification import ClassPerSequence
from har_keras.tasks.tokens import FILE, Tokens

BITS = Vocabulary(("0", "1"))
TEST_DRAW = 0  # seeds the test strings, so that every `seed` has the same ones
SHARES = {"train": 60, "validation": 10, "test": 30}  # per cent of all strings there are
CHUNK = 1 << 14


@dataclass
class Config:
    """Schema of `conf/task/binary_sum.yaml`.

    Strings of `length` bits; the class is the number of ones, drawn uniformly from 0 to `length`.
    No string stands in two splits, none twice in the test split. `embedding`: numbers for each bit.
    """

    name: str = "binary_sum"
    length: int = 20
    train_strings: int = 40_000
    validation_strings: int = 10_000
    test_strings: int = 100_000
    embedding: int = 2

    def __post_init__(self) -> None:
        """Check each value by itself."""
        require(2 <= self.length <= 1000, "task.length", self.length, "2 to 1000")
        for name in ("train_strings", "validation_strings", "test_strings", "embedding"):
            value = getattr(self, name)
            require(value > 0, f"task.{name}", value, "at least 1")
        most = 2**self.length * SHARES["test"] // 300  # so many are soon found by chance
        allowed = f"at most {most} of {self.length} bits, or a larger task.length"
        require(self.test_strings <= most, "task.test_strings", self.test_strings, allowed)


def load(config: Config, root: Path, seed: int, published: bool) -> TaskData:
    """Draw the strings; nothing is read."""
    sizes = {
        "train": config.train_strings,
        "validation": config.validation_strings,
        "test": config.test_strings,
    }
    splits = {}
    for number, (name, size) in enumerate(sizes.items()):
        rng = np.random.default_rng([TEST_DRAW if name == "test" else seed, number])
        bits = draw(name, size, config.length, rng)
        splits[name] = Split(bits.astype(np.int32) + FIRST, bits.sum(1), np.arange(size))
    if published:
        del splits["validation"]
    classes = tuple(map(str, range(config.length + 1)))
    return TaskData(
        train=splits["train"],
        validation=splits.get("validation"),
        test=splits["test"],
        inputs=Tokens(config.length, BITS, config.embedding, tokeniser="characters"),
        outputs=ClassPerSequence(classes),
        source="generated",
        sha256=digest(*(split.x for split in splits.values())),
        files={FILE: BITS.to_json()},
    )


def draw(split: str, size: int, length: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Strings (size, length) of one split, the test split's all different.

    Each string belongs to one split for ever, by its checksum: those of one bit alone, which there
    is but one of, to training.
    """
    found = np.zeros((0, length), np.int64)
    while len(found) < size:
        ones = rng.integers(0, length + 1, CHUNK)
        places = rng.random((CHUNK, length)).argsort(1)
        strings = (places < ones[:, None]).astype(np.int64)
        found = np.concatenate([found, strings[_belong(strings, split)]])
        if split == "test":
            _, first = np.unique(np.packbits(found, axis=1), axis=0, return_index=True)
            found = found[np.sort(first)]
    return found[:size]


def _belong(strings: NDArray[np.int64], split: str) -> NDArray[np.bool_]:
    rows = np.packbits(strings.astype(np.uint8), axis=1)
    sums = np.array([zlib.crc32(row.tobytes()) % 100 for row in rows])
    sums[strings.min(1) == strings.max(1)] = 0
    edges = np.cumsum(list(SHARES.values()))
    return np.searchsorted(edges, sums, "right") == list(SHARES).index(split)
