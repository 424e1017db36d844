from pathlib import Path

import keras
import pytest

from har_keras.errors import UserError
from har_keras.models import recurrent
from har_keras.tasks import recite
from har_keras.tasks.recite import Config

TEXT = "aaab, aab!"


def test_the_string_and_what_follows() -> None:
    data = recite.load(Config(text=TEXT), Path(), 0, published=True)
    names = data.outputs.vocabulary.names
    assert "".join(names[i] for i in data.train.x[0]) == TEXT
    assert "".join(names[i] for i in data.train.y[0]) == TEXT[1:] + TEXT[0]
    assert data.validation is None


def test_a_string_is_learned_by_heart() -> None:
    data = recite.load(Config(text=TEXT), Path(), 0, published=True)
    config = recurrent.Config(cell="graves_lstm", units=32)
    model = recurrent.build(config, data.inputs, data.outputs)
    before = data.write(model)
    assert before.figures["recited"] == 0
    assert not before.enough
    model.compile(loss=data.outputs.loss(), optimizer=keras.optimizers.Adam(0.03))
    model.fit(data.train.x, data.train.y, epochs=150, verbose=0)
    written = data.write(model)
    assert written == ([TEXT], {"recited": 1.0, "characters": 1.0}, True)
    assert data.study(model).metrics == {"test": written.figures}


def test_the_share_of_right_characters() -> None:
    figures = recite._figures("abcde", "abcxe")
    assert figures == {"recited": 0.0, "characters": 0.75}


@pytest.mark.parametrize("text", ["", "a", "a" * 10_001])
def test_strings_that_cannot_be(text: str) -> None:
    with pytest.raises(UserError, match=r"task\.text=<"):
        Config(text=text)
