"""Stacks of recurrent layers: every preset from `simple_rnn` to `residual_bilstm`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from har_keras.errors import require, require_choice

if TYPE_CHECKING:
    from har_keras.tasks.description import Inputs, Outputs

CELLS = {
    "simple_rnn": "SimpleRNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "graves_lstm": "GravesLSTM",
    "layer_norm_lstm": "LayerNormLSTM",
    "layer_norm_gru": "LayerNormGRU",
}
BLOCKS = {"lstm": 4, "graves_lstm": 4, "gru": 3}  # of weights in a cell whose gates can remember
KERAS_HAS = ("simple_rnn", "lstm", "gru")
POOLINGS = {
    "last": "LastStep",
    "sum": "SumOverTime",
    "mean": "MeanOverTime",
    "max": "MaxOverTime",
    "attention": "Attention",
}
ACTIVATIONS = ("relu", "tanh", "softmax", "linear")


@dataclass
class Config:
    """Schema of the recurrent presets.

    `projection`: units of a dense ReLU layer applied to every step before the first recurrent
    layer, or null. `depth` recurrent layers of `units` (in each direction if `bidirectional`), each
    added to its input if `residual`, with `dropout` before each layer but the first and before the
    head. `pooling` makes one vector of all steps, padding left out; a task that wants an output at
    each step takes the steps themselves. `hidden`: units of a dense layer with `activation` between
    that and the head, or null. `input_dropout` before the first recurrent layer, `step_dropout` of
    each step before the pooling. `tied`: the embeddings of the input's characters make the logits
    too, in place of a head of its own (Press and Wolf 2017). `memory`: the gates start with
    memories of up to so many steps (`layers.Chrono`), or null: Keras's way. `layers`: `own`
    (har_keras.layers) or `keras`.
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
    input_dropout: float = 0.0
    step_dropout: float = 0.0
    projection: int | None = None
    hidden: int | None = None
    activation: str = "relu"
    tied: bool = False
    memory: int | None = None
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
        require_choice("model.activation", self.activation, ACTIVATIONS)
        for name in ("dropout", "input_dropout", "step_dropout"):
            rate = getattr(self, name)
            require(0 <= rate < 1, f"model.{name}", rate, "0 to below 1")
        for name in ("projection", "hidden"):
            units = getattr(self, name)
            require(units is None or units > 0, f"model.{name}", units, "at least 1, or null")
        if self.memory is not None:
            require(self.memory > 2, "model.memory", self.memory, "at least 3, or null")
            allowed = f"null with {self.cell}, or one of {', '.join(BLOCKS)}"
            require(self.cell in BLOCKS, "model.memory", self.memory, allowed)
        allowed = f"false with model.family={self.family}"
        require(not self.tied or self.family == "recurrent", "model.tied", True, allowed)
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


def build(config: Config, inputs: "Inputs", outputs: "Outputs") -> Any:
    """A `keras.Model` from the task's input to its head.

    Raises `UserError` where a step's output would see the future that it is to forecast.
    """
    import keras

    require_causal(config, outputs)
    allowed = "own with this task (Keras's layers do not carry their states on every backend)"
    require(config.layers == "own" or not inputs.streams, "model.layers", config.layers, allowed)
    start, x = inputs.open()
    encoded = encode(config, x, outputs.per_step)
    head = _embedding(start, x, encoded) if config.tied else outputs.head
    logits = with_evidence(head(encoded), inputs, start)
    return keras.Model(start, logits, name=config.name or config.family)


def _embedding(start: Any, x: Any, encoded: Any) -> Any:
    """The embedding that made `x` of `start`, as a head."""
    import keras

    embedding = keras.Model(start, x).layers[-1]
    reversible = isinstance(embedding, keras.layers.ReversibleEmbedding)
    require(reversible, "model.tied", True, "false where the input has no embeddings of characters")
    width, allowed = encoded.shape[-1], "model.units=, or model.hidden=, as wide as task.embedding="
    require(width == embedding.output_dim, "model.tied", True, f"{allowed}{embedding.output_dim}")
    return lambda encoded: embedding(encoded, reverse=True)


def with_evidence(logits: Any, inputs: "Inputs", start: Any) -> Any:
    """The head's logits, and what the input tells by itself added where it does."""
    from keras import layers

    evidence = inputs.evidence(start)
    return logits if evidence is None else layers.Add(name="logits")([logits, evidence])


def require_causal(config: Config, outputs: "Outputs") -> None:
    """Raise `UserError` where a step's output would see the future that it is to forecast."""
    allowed = "false for a forecast at every step (backwards in time it sees what it forecasts)"
    require(not (outputs.causal and config.bidirectional), "model.bidirectional", True, allowed)


def encode(config: Config, x: Any, per_step: bool = False) -> Any:
    """One vector a sequence, (batch, width), from the steps (batch, timesteps, features).

    With `per_step` one a step, (batch, timesteps, width). The mask of `x` says what is padding.
    Where the size of a batch is fixed, each of its rows goes on in the next batch: layers carry
    their states.
    """
    from keras import layers

    def dropped(x: Any, rate: float) -> Any:
        return layers.Dropout(rate)(x) if rate else x

    if config.projection is not None:
        x = layers.Dense(config.projection, activation="relu", name="projection")(x)
    x = dropped(x, config.input_dropout)
    for number in range(1, config.depth + 1):
        x = dropped(x, config.dropout) if number > 1 else x
        is_last_state = number == config.depth and config.pooling == "last" and not per_step
        name, sequences = f"{config.cell}_{number}", not is_last_state or config.residual
        y = _recurrent(config, name, sequences, stateful=x.shape[0] is not None)(x)
        x = layers.Add()([x, y]) if config.residual and x.shape[1:] == y.shape[1:] else y
    x = dropped(x, config.step_dropout)
    if not per_step and len(x.shape) == 3:
        x = _pooling(config.pooling)(x)
    x = dropped(x, config.dropout)
    if config.hidden is None:
        return x
    return dropped(layers.Dense(config.hidden, config.activation, name="hidden")(x), config.dropout)


def _recurrent(config: Config, name: str, sequences: bool, stateful: bool) -> Any:
    import keras

    from har_keras import layers

    source = layers if config.layers == "own" else keras.layers
    given: dict[str, Any] = {"return_sequences": sequences, "stateful": stateful, "name": name}
    if config.memory is not None:
        blocks = BLOCKS[config.cell]
        given["bias_initializer"] = layers.Chrono(config.memory, blocks)
        given |= {"unit_forget_bias": False} if blocks == BLOCKS["lstm"] else {}
    layer = getattr(source, CELLS[config.cell])(config.units, **given)
    return keras.layers.Bidirectional(layer, name=name) if config.bidirectional else layer


def _pooling(name: str) -> Any:
    from har_keras import layers

    return getattr(layers, POOLINGS[name])(name="pooling")
