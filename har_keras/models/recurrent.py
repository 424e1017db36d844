"""Stacks of recurrent layers: every preset from `simple_rnn` to `residual_bilstm`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from har_keras.errors import require, require_choice

if TYPE_CHECKING:
    from har_keras.tasks.classification import ClassPerSequence
    from har_keras.tasks.signals import Signals

CELLS = {
    "simple_rnn": "SimpleRNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "graves_lstm": "GravesLSTM",
    "layer_norm_lstm": "LayerNormLSTM",
    "layer_norm_gru": "LayerNormGRU",
}
KERAS_HAS = ("simple_rnn", "lstm", "gru")
POOLINGS = ("last", "sum", "mean", "max")


@dataclass
class Config:
    """Schema of the recurrent presets.

    `projection`: units of a dense ReLU layer applied to every step before the first recurrent
    layer, or null. `depth` recurrent layers of `units` (in each direction if `bidirectional`), each
    added to its input if `residual`, with `dropout` before each layer but the first and before the
    head. `pooling` makes one vector of all steps. `layers`: `own` (har_keras.layers) or `keras`.
    """

    name: str = ""
    family: str = "recurrent"
    cell: str = "lstm"
    depth: int = 1
    units: int = 64
    bidirectional: bool = False
    residual: bool = False
    pooling: str = "last"
    dropout: float = 0.0
    projection: int | None = None
    layers: str = "own"

    def __post_init__(self) -> None:
        """Check each value by itself, then what does not go together."""
        require_choice("model.cell", self.cell, CELLS)
        require_choice("model.pooling", self.pooling, POOLINGS)
        require_choice("model.layers", self.layers, ("own", "keras"))
        if self.layers == "keras":
            require(self.cell in KERAS_HAS, "model.layers", "keras", f"own with {self.cell}")
        require(self.depth > 0, "model.depth", self.depth, "at least 1")
        require(self.units > 0, "model.units", self.units, "at least 1")
        require(0 <= self.dropout < 1, "model.dropout", self.dropout, "0 to below 1")
        if self.projection is not None:
            require(self.projection > 0, "model.projection", self.projection, "at least 1, or null")
        if self.residual and self.depth == 1 and self.front != self.width:
            require(False, "model.residual", True, "false with model.depth=1 (nothing to skip)")
        if self.residual and self.bidirectional:
            allowed = "sum, mean or max where residual layers run in both directions"
            require(self.pooling != "last", "model.pooling", self.pooling, allowed)

    @property
    def front(self) -> int | None:
        """Features of each step before the first recurrent layer, None if the task's own."""
        return self.projection

    @property
    def width(self) -> int:
        """Features of each step after a recurrent layer."""
        return self.units * (2 if self.bidirectional else 1)


def build(config: Config, inputs: "Signals", outputs: "ClassPerSequence") -> Any:
    """A `keras.Model` from the task's input to its head."""
    import keras

    start, x = inputs.open()
    return keras.Model(start, outputs.head(encode(config, x)), name=config.name or config.family)


def encode(config: Config, x: Any) -> Any:
    """One vector a sequence, (batch, width), from the steps (batch, timesteps, features)."""
    from keras import layers

    if config.projection is not None:
        x = layers.Dense(config.projection, activation="relu", name="projection")(x)
    for number in range(1, config.depth + 1):
        if number > 1 and config.dropout:
            x = layers.Dropout(config.dropout)(x)
        y = _recurrent(config, f"{config.cell}_{number}", number == config.depth)(x)
        x = layers.Add()([x, y]) if config.residual and x.shape[1:] == y.shape[1:] else y
    x = _pool(config.pooling, x)
    return layers.Dropout(config.dropout)(x) if config.dropout else x


def _recurrent(config: Config, name: str, is_last: bool) -> Any:
    import keras

    from har_keras import layers

    source = layers if config.layers == "own" else keras.layers
    sequences = not (is_last and config.pooling == "last") or config.residual
    layer = getattr(source, CELLS[config.cell])(config.units, return_sequences=sequences, name=name)
    return keras.layers.Bidirectional(layer, name=name) if config.bidirectional else layer


def _pool(pooling: str, x: Any) -> Any:
    from keras import layers, ops

    if len(x.shape) == 2:
        return x
    if pooling == "last":
        return x[:, -1]
    if pooling == "sum":
        return ops.sum(x, axis=1)
    return {"mean": layers.GlobalAveragePooling1D, "max": layers.GlobalMaxPooling1D}[pooling]()(x)
