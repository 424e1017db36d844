from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from har_keras import layers
from har_keras.errors import UserError
from har_keras.training import initial_weights, optimizers
from har_keras.training.autodiff import hidden_gradient_of
from har_keras.training.gradient_flow import GradientFlow

TIMESTEPS = 20


class Board:
    """Keeps what would go to TensorBoard."""

    def __init__(self) -> None:
        self.images: list[tuple[str, str, int]] = []
        self.points: dict[int, dict[str, float]] = {}

    def scalars(self, split: str, values: dict[str, float], step: int) -> None:
        self.points[step] = values

    def image(self, split: str, name: str, figure: Any, step: int) -> None:
        self.images.append((split, name, step))


def classifier(layer: Any, optimizer: Any) -> Any:
    inputs = keras.Input((TIMESTEPS, 2))
    model = keras.Model(inputs, keras.layers.Dense(2)(layer(inputs)))
    initial_weights.draw(model, 0, {})
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def to_recall(samples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The class is the sign of the first step's first signal; the second signal is noise."""
    y = rng.integers(0, 2, samples)
    x = rng.normal(0, 2, (samples, TIMESTEPS, 2)).astype("float32")
    x[:, :, 0] = 0
    x[:, 0, 0] = 4 * y - 2
    return x, y


def flow_of(model: Any, x: np.ndarray, y: np.ndarray, folder: Path) -> np.ndarray:
    flow = GradientFlow(folder, Board(), (x, y), "")  # type: ignore[arg-type]
    flow.set_model(model)
    flow.on_train_begin()
    flow.on_epoch_end(0)
    ((norms,),) = flow.history.values()
    return np.array(norms)


def test_recalling_the_first_input(tmp_path: Path) -> None:
    """The simple RNN's gradient decays exponentially with the distance, the LSTM's rests."""
    norms = {}
    for name in ("SimpleRNN", "LSTM"):
        rng = np.random.default_rng(0)
        model = classifier(getattr(layers, name)(16), keras.optimizers.Adam(0.01))
        for _ in range(80):
            model.train_on_batch(*to_recall(32, rng))
        norms[name] = flow_of(model, *to_recall(64, rng), tmp_path)
    assert model.evaluate(*to_recall(64, rng), verbose=0)[1] > 0.95
    middle, distance = TIMESTEPS // 2, np.arange(TIMESTEPS)[::-1]
    decay, _ = np.polyfit(distance, np.log(norms["SimpleRNN"]), 1)
    assert decay < -0.2
    assert np.corrcoef(distance, np.log(norms["SimpleRNN"]))[0, 1] < -0.98
    assert norms["SimpleRNN"][0] < 0.1 * norms["SimpleRNN"][middle]
    assert norms["LSTM"][0] > 0.3 * norms["LSTM"][middle]


@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_clipping_bounds_what_explodes(clip_norm: float | None, tmp_path: Path) -> None:
    """Without input tanh is linear, so that the recurrent weights 2·I double the gradient."""
    optimizer = optimizers.build(optimizers.SGD(learning_rate=1.0, clip_norm=clip_norm), 1)
    model = classifier(layers.SimpleRNN(4), optimizer)
    model.layers[1].cell.recurrent_kernel.assign(2 * np.eye(4))
    x, y = np.zeros((8, TIMESTEPS, 2), "float32"), np.array([0, 1, 1, 1, 1, 1, 1, 1])
    norms = flow_of(model, x, y, tmp_path)
    np.testing.assert_allclose(norms / norms[-1], 2.0 ** np.arange(TIMESTEPS)[::-1], rtol=1e-3)
    before = model.get_weights()
    model.train_on_batch(x, y)
    after = model.get_weights()
    change = np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(after, before, strict=True)))
    if clip_norm:
        assert change == pytest.approx(clip_norm, rel=1e-3)
    else:
        assert change > 1e4


def test_every_epoch_is_drawn(tmp_path: Path) -> None:
    rng, board = np.random.default_rng(0), Board()
    x, y = to_recall(16, rng)
    model = classifier(layers.SimpleRNN(3, name="rnn"), "sgd")
    flow = GradientFlow(tmp_path, board, (x, y), "simulated data")  # type: ignore[arg-type]
    model.fit(x, y, epochs=2, callbacks=[flow], verbose=0)
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["gradient_flow.png"]
    assert board.images == [("train", "gradient_flow", 1), ("train", "gradient_flow", 2)]
    (first, last) = flow.history["rnn"]
    assert first != last
    ratio = last[0] / last[-1]
    assert board.points[2] == {"gradient_flow/rnn/first_over_last": pytest.approx(ratio)}
    gradient = hidden_gradient_of(model, x, y)()["rnn"]
    own_losses = 16 * np.linalg.norm(gradient, axis=-1)
    np.testing.assert_allclose(last, own_losses.mean(0), rtol=1e-4)


def test_a_model_without_recurrent_layers(tmp_path: Path) -> None:
    model = classifier(keras.layers.Flatten(), "sgd")
    with pytest.raises(UserError, match=r"training\.gradient_flow=true: expected false"):
        flow_of(model, *to_recall(4, np.random.default_rng(0)), tmp_path)
