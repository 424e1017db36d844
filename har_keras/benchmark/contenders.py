"""What is timed: a model of each kind on the same arrays, one Adam step or one prediction a call.

Kinds: `own` (har_keras.layers) and `keras` on every backend; beside them each backend's own way,
from `peers_<backend>.py`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from har_keras.benchmark.config import Shape

CLASSES = 6
PEERS = {"jax": "scan", "torch": "torch.nn"}
LAYERS = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}


class Contender(NamedTuple):
    """`train` takes one optimizer step, `predict` one forward pass; both return when it is done."""

    train: Callable[[], object]
    predict: Callable[[], object]


def names(backend: str, peers: bool) -> list[str]:
    """The kinds there are on a backend, ours first."""
    return ["own", *(["keras", PEERS[backend]] if backend in PEERS else ["keras"]) * peers]


def data(shape: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x (batch, timesteps, features) float32, y (batch,) int64, lengths (batch,) int64.

    With a mask, the steps before the last `length` ones of each row are 0.
    """
    rng = np.random.default_rng(0)
    x = rng.normal(size=(shape.batch, shape.timesteps, shape.features)).astype("float32")
    least = shape.timesteps // 4 if shape.mask else shape.timesteps
    lengths = rng.integers(least, shape.timesteps, shape.batch, endpoint=True)
    x[np.arange(shape.timesteps) < (shape.timesteps - lengths)[:, None]] = 0
    return x, rng.integers(0, CLASSES, shape.batch), lengths


def build(kind: str, backend: str, cell: str, shape: Shape) -> Contender:
    """One contender on the running backend."""
    if kind == PEERS.get(backend):
        peer: Contender = import_module(f"har_keras.benchmark.peers_{backend}").build(cell, shape)
        return peer
    return _keras(kind, cell, shape)


def _keras(kind: str, cell: str, shape: Shape) -> Contender:
    import keras

    from har_keras import layers

    layer: Any = getattr(layers if kind == "own" else keras.layers, LAYERS[cell])
    x, y, _ = data(shape)
    inputs = keras.Input(x.shape[1:])
    encoded = keras.layers.Masking()(inputs) if shape.mask else inputs
    for number in range(1, shape.depth + 1):
        encoded = layer(shape.units, return_sequences=number < shape.depth)(encoded)
    model = keras.Model(inputs, keras.layers.Dense(CLASSES)(encoded))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return Contender(lambda: model.train_on_batch(x, y), lambda: model.predict_on_batch(x))
