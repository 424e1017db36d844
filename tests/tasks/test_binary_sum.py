from pathlib import Path

import numpy as np
import pytest

from har_keras.errors import UserError
from har_keras.tasks import binary_sum
from har_keras.tasks.binary_sum import Config


def small(length: int = 20, seed: int = 0):
    sizes = {"train_strings": 3000, "validation_strings": 500, "test_strings": 2000}
    return binary_sum.load(Config(length=length, **sizes), Path(), seed, published=False)


@pytest.mark.parametrize("length", [20, 200])
def test_strings(length: int) -> None:
    data = small(length)
    assert {name: len(split.x) for name, split in data.splits.items()} == {
        "train": 3000,
        "validation": 500,
        "test": 2000,
    }
    rows = {name: {row.tobytes() for row in split.x} for name, split in data.splits.items()}
    assert not rows["train"] & rows["test"]
    assert not rows["train"] & rows["validation"]
    assert not rows["validation"] & rows["test"]
    assert len(rows["test"]) == 2000
    for split in data.splits.values():
        assert (split.y == (split.x == 3).sum(1)).all()
        assert set(np.unique(split.x)) == {2, 3}
    assert len(data.outputs.classes) == length + 1


def test_counts_are_drawn_uniformly() -> None:
    counts = np.bincount(small().train.y, minlength=21)
    assert counts.min() > 60
    assert counts.max() < 300


def test_the_test_strings_are_those_of_every_seed() -> None:
    one, other = small(seed=0), small(seed=1)
    assert (one.test.x == other.test.x).all()
    assert (one.train.x != other.train.x).any()


def test_what_the_model_sees() -> None:
    inputs = small().inputs
    bits = "01101000111101010101"
    assert inputs.show(inputs.encode([inputs.tokens(bits)])[0]) == bits


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"length": 1}, "task.length=1"),
        ({"train_strings": 0}, "task.train_strings=0"),
        ({"length": 8, "test_strings": 100}, "at most 25 of 8 bits"),
    ],
)
def test_values_out_of_range(values, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Config(**values)
