from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from har_keras.errors import UserError
from har_keras.models import encoder_decoder, recurrent
from har_keras.models.encoder_decoder import ATTENTIONS, Config
from har_keras.tasks import dates
from har_keras.tasks.classification import ClassPerSequence
from har_keras.tasks.signals import Signals

SIZES = {"train_pairs": 50, "validation_pairs": 5, "test_pairs": 5}
SHAPES = [
    {"attention": "additive", "cell": "gru", "peeking": True, "depth": 2},
    {"attention": "multiplicative", "bidirectional": False, "reversed_source": True},
    {"attention": "none", "depth": 2},
]


def loaded(**values: Any) -> Any:
    return dates.load(dates.Config(**SIZES, **values), Path(), 0, published=False)


def drawn(data: Any, **values: Any) -> Any:
    model = encoder_decoder.build(Config(units=6, embedding=4, **values), data.inputs, data.outputs)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.6, w.shape) for w in model.get_weights()])
    return model


def parts(model: Any) -> list[Any]:
    """The encoder and the decoder, on NumPy's arrays."""
    return [model.get_layer(name).predict_on_batch for name in ("encoder", "decoder")]


@pytest.mark.parametrize("options", SHAPES, ids=[shape["attention"] for shape in SHAPES])
def test_steps_of_the_decoder_give_what_the_whole_target_gives(options: dict[str, Any]) -> None:
    data = loaded()
    model, x = drawn(data, **options), data.test.x
    expected = convert_to_numpy(model(x))
    assert expected.shape == (*x.shape[:2], data.outputs.vocabulary.size)
    source, target = x[..., 0], x[..., 1]
    encoder, decoder = parts(model)
    found, context, *states = encoder(source)
    for t in range(target.shape[1]):
        logits, *rest = decoder([target[:, t : t + 1], source, found, context, *states])
        real = target[:, t] > 0
        np.testing.assert_allclose(logits[real, 0], expected[real, t], atol=1e-4)
        states = rest[: len(states)]


@pytest.mark.parametrize("options", SHAPES, ids=[shape["attention"] for shape in SHAPES])
def test_padding_changes_nothing(options: dict[str, Any]) -> None:
    """More padding after the source or within the target of a shorter pair is not seen."""
    data = loaded()
    model = drawn(data, **options)
    encoder, decoder = parts(model)
    source, target = data.test.x[..., 0], data.test.x[..., 1]
    longer = np.pad(source, ((0, 0), (0, 7)))
    short, long = (decoder([target, x, *encoder(x)])[0] for x in (source, longer))
    np.testing.assert_allclose(long, short, atol=1e-5)
    ended = np.pad(target, ((0, 0), (0, 3)))
    logits, *after = decoder([ended, source, *encoder(source)])
    _, *before = decoder([target, source, *encoder(source)])
    np.testing.assert_allclose(logits[:, :-3], short, atol=1e-5)
    count = len(model.get_layer("encoder").outputs) - 2
    for one, other in zip(after[:count], before[:count], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_reversed_source_is_read_from_its_end() -> None:
    data = loaded()
    options = {"bidirectional": False, "attention": "additive"}
    forward, backward = (drawn(data, reversed_source=r, **options) for r in (False, True))
    source = data.test.x[..., 0]
    turned = np.zeros_like(source)
    for row, ids in zip(turned, source, strict=True):
        row[: (ids > 0).sum()] = ids[ids > 0][::-1]
    _, *expected = parts(forward)[0](turned)
    _, *found = parts(backward)[0](source)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_own_words_take_the_place_of_true_ones() -> None:
    data = loaded(teacher_forcing=0.0)
    model, x = drawn(data), data.test.x
    np.testing.assert_allclose(
        convert_to_numpy(model(x)), convert_to_numpy(drawn(loaded())(x)), atol=1e-5
    )
    asked = data.teach(x, np.random.default_rng(0), 0.0)
    mixed = x.copy()
    said = convert_to_numpy(model(x)).argmax(-1)
    mixed[:, 1:, 1] = np.where(x[:, 1:, 1] > 0, said[:, :-1], 0)
    np.testing.assert_allclose(
        convert_to_numpy(model(asked)), convert_to_numpy(model(mixed)), atol=1e-5
    )


def test_no_two_weights_have_one_name() -> None:
    for attention in ATTENTIONS:
        paths = [w.path for w in drawn(loaded(), attention=attention).weights]
        assert len(set(paths)) == len(paths)


def test_what_does_not_fit() -> None:
    data = loaded()
    with pytest.raises(UserError, match=r"expected model=encoder_decoder"):
        recurrent.build(recurrent.Config(), data.inputs, data.outputs)
    signals = Signals(8, 2, mean=(0.0,) * 2, variance=(1.0,) * 2)
    with pytest.raises(UserError, match=r"expected a task of pairs"):
        encoder_decoder.build(Config(), signals, ClassPerSequence(("a", "b")))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cell": "simple_rnn"}, "model.cell=simple_rnn: expected one of lstm, gru"),
        ({"attention": "dot"}, "model.attention=dot: expected one of additive, multi"),
        ({"units": 5}, "model.units=5: expected an even number"),
        ({"depth": 0}, "model.depth=0: expected at least 1"),
        ({"dropout": 1.0}, "model.dropout=1.0: expected 0 to below 1"),
    ],
)
def test_values_out_of_range(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Config(**values)
