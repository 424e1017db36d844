from importlib import import_module
from typing import Any

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from har_keras import config
from har_keras.data.text import Vocabulary
from har_keras.errors import UserError
from har_keras.models import conv_lstm, recurrent
from har_keras.tasks.classification import ClassPerSequence
from har_keras.tasks.tokens import Tokens
from har_keras.training import initial_weights

WORDS = Vocabulary(tuple("abcdefgh"))
CLASSES = ClassPerSequence(("no", "yes"))
ENCODERS = [name for name in config.choices("model") if name != "encoder_decoder"]
TEXTS = [list("abc"), list("hgfedcba"), ["a"], list("badge")]


class EachStep(ClassPerSequence):
    per_step = True


def built(settings: Any, inputs: Tokens, outputs: Any = CLASSES) -> Any:
    model = import_module(f"har_keras.models.{settings.family}").build(settings, inputs, outputs)
    initial_weights.draw(model, 0, {})
    return model


def outputs(settings: Any, inputs: Tokens) -> np.ndarray:
    return convert_to_numpy(built(settings, inputs)(inputs.encode(TEXTS)))


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one_way", "both_ways"])
@pytest.mark.parametrize("pooling", recurrent.POOLINGS)
@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru", "graves_lstm"])
def test_the_length_of_the_padding_changes_nothing(
    cell: str, pooling: str, bidirectional: bool
) -> None:
    settings = recurrent.Config(
        cell=cell, pooling=pooling, bidirectional=bidirectional, depth=2, units=3
    )
    expected = outputs(settings, Tokens(8, WORDS, 4))
    for timesteps, padding in ((8, "pre"), (11, "post"), (11, "pre")):
        found = outputs(settings, Tokens(timesteps, WORDS, 4, padding=padding))
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("padding", ["pre", "post"])
def test_residual_last(padding: str) -> None:
    settings = recurrent.Config(units=4, depth=2, residual=True)
    expected = outputs(settings, Tokens(8, WORDS, 4))
    found = outputs(settings, Tokens(12, WORDS, 4, padding=padding))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", ENCODERS)
def test_each_preset_reads_tokens_or_says_why_not(name: str) -> None:
    settings = config.from_overrides([f"model={name}", "model.units=3"]).model
    if settings.family == "ensemble":
        with pytest.raises(UserError, match="model=gru_ensemble: expected another model"):
            outputs(settings, Tokens(8, WORDS, 4))
        return
    found = outputs(settings, Tokens(8, WORDS, 4))
    assert found.shape == (4, 2)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", ENCODERS)
def test_each_preset_gives_steps_or_says_why_not(name: str) -> None:
    settings = config.from_overrides([f"model={name}", "model.units=3"]).model
    inputs, steps = Tokens(8, WORDS, 4), EachStep(("no", "yes"))
    if settings.family in ("conv_lstm", "ensemble"):
        with pytest.raises(UserError, match=f"model={name}: expected another model"):
            built(settings, inputs, steps)
        return
    assert built(settings, inputs, steps).output_shape == (None, 8, 2)


def test_a_hidden_layer_before_the_head() -> None:
    model = built(recurrent.Config(units=3, hidden=5), Tokens(8, WORDS, 4))
    assert model.get_layer("hidden").output.shape == (None, 5)


def test_without_a_mask_padding_is_a_word() -> None:
    settings = recurrent.Config(units=3)
    masked = outputs(settings, Tokens(8, WORDS, 4))
    assert not np.allclose(outputs(settings, Tokens(8, WORDS, 4, masked=False)), masked)


def test_pretrained_vectors_stay_when_weights_are_drawn() -> None:
    vectors = np.random.default_rng(0).normal(size=(WORDS.size, 4)).astype("float32")
    model = built(conv_lstm.Config(units=3), Tokens(8, WORDS, 4, vectors=vectors))
    np.testing.assert_array_equal(
        convert_to_numpy(model.get_layer("embedding").embeddings), vectors
    )
