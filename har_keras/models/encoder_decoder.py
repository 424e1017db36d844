"""A recurrent encoder, and a decoder that says its target a step at a time, with attention."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from har_keras.errors import UserError, require, require_choice

if TYPE_CHECKING:
    from har_keras.tasks.description import Inputs, Outputs

CELLS = {"lstm": "LSTM", "gru": "GRU"}
STATES = {"lstm": 2, "gru": 1}
ATTENTIONS = ("additive", "multiplicative", "none")


@dataclass
class Config:
    """Schema of `conf/model/encoder_decoder.yaml`.

    `depth` layers of `units` in the encoder and as many in the decoder, which start from the final
    states of those; half the units run each way in a `bidirectional` encoder. Ids of source and of
    target are embedded in `embedding` numbers. `attention` on the encoder's steps (see
    `layers.CrossAttention`) is that of Luong et al. 2015 (arXiv:1508.04025): each output of the
    decoder's last layer looks for its context, and tanh(W [output, context]) goes to the head.
    `peeking`: the encoder's final hidden state enters every step of the decoder. `reversed_source`:
    the source is read from its end (Sutskever et al. 2014, arXiv:1409.3215). `dropout` after the
    embeddings, between layers and before the head.
    """

    name: str = "encoder_decoder"
    family: str = "encoder_decoder"
    cell: str = "lstm"
    depth: int = 1
    units: int = 256
    embedding: int = 128
    bidirectional: bool = True
    attention: str = "additive"
    peeking: bool = False
    reversed_source: bool = False
    dropout: float = 0.2

    def __post_init__(self) -> None:
        """Check each value by itself."""
        require_choice("model.cell", self.cell, CELLS)
        require_choice("model.attention", self.attention, ATTENTIONS)
        for name in ("depth", "units", "embedding"):
            require(getattr(self, name) > 0, f"model.{name}", getattr(self, name), "at least 1")
        allowed = "an even number where half of them run each way (model.bidirectional)"
        require(not (self.bidirectional and self.units % 2), "model.units", self.units, allowed)
        require(0 <= self.dropout < 1, "model.dropout", self.dropout, "0 to below 1")


def build(config: Config, inputs: "Inputs", outputs: "Outputs") -> Any:
    """A `keras.Model` from source and target side by side to logits for each target step.

    Within it stand the models `encoder`, from source ids (batch, any) to the steps, the context
    vector (the last layer's final hidden state) and the final states of all layers, and `decoder`,
    from target ids (batch, any), source ids, steps, context and states to logits, new states and
    the weights of the attention: with one id at a time that is a step.
    Where the task has the model fed with its own words, the decoder runs twice: on the true target
    to find them, then on the mix. Raises `UserError` for a task that has no pairs.
    """
    import keras

    from har_keras.layers.cross_attention import OwnWords

    facts = inputs.describe()
    if facts["kind"] != "pairs":
        raise UserError(
            f"model={config.name}: expected a task of pairs (task=translate, task=dates)"
        )
    start = keras.Input(inputs.shape, dtype="int32", name="pairs")
    source, target = start[..., 0], start[..., 1]
    with keras.name_scope("encoder"):
        encoder = _encoder(config, facts["source_size"])
    with keras.name_scope("decoder"):
        decoder = _decoder(config, facts["target_size"], outputs)
    memory = [source, *encoder(source)]
    logits = decoder([keras.ops.abs(target), *memory])[0]
    if facts["own_words"]:
        mixed = OwnWords(name="own_words")([target, logits])
        logits = decoder([mixed, *memory])[0]
    return keras.Model(start, logits, name=config.name)


def _encoder(config: Config, size: int) -> Any:
    import keras
    from keras import layers, ops

    source = keras.Input((None,), dtype="int32", name="source")
    read = ops.flip(source, axis=1) if config.reversed_source else source
    real = ops.not_equal(read, 0)
    x = layers.Embedding(size, config.embedding, name="embedding")(read)
    states = []
    for number in range(1, config.depth + 1):
        layer = _recurrent(config, number, config.units // (2 if config.bidirectional else 1))
        if config.bidirectional:
            layer = layers.Bidirectional(layer, name=layer.name)
        x, *last = layer(layers.Dropout(config.dropout)(x), mask=real)
        if config.bidirectional:
            both = zip(last[: len(last) // 2], last[len(last) // 2 :], strict=True)
            last = [layers.Concatenate()(pair) for pair in both]
        states += last
    x = ops.flip(x, axis=1) if config.reversed_source else x
    context = states[-STATES[config.cell]]
    return keras.Model(source, [x, context, *states], name="encoder")


def _decoder(config: Config, size: int, outputs: "Outputs") -> Any:
    import keras
    from keras import layers, ops

    from har_keras.layers.cross_attention import CrossAttention

    target = keras.Input((None,), dtype="int32", name="target")
    source = keras.Input((None,), dtype="int32", name="source")
    steps = keras.Input((None, config.units), name="steps")
    context = keras.Input((config.units,), name="context")
    kinds = STATES[config.cell]
    count = config.depth * kinds
    starts = [keras.Input((config.units,), name=f"state_{i}") for i in range(count)]
    x = layers.Embedding(size, config.embedding, name="embedding")(target)
    if config.peeking:
        x = layers.Concatenate()([x, ops.ones_like(x[..., :1]) * context[:, None]])
    states: list[Any] = []
    for number in range(1, config.depth + 1):
        first = starts[len(states) : len(states) + kinds]
        x, *last = _recurrent(config, number, config.units)(
            layers.Dropout(config.dropout)(x), mask=ops.not_equal(target, 0), initial_state=first
        )
        states += last
    weights = []
    if config.attention != "none":
        attention = CrossAttention(config.attention, name="attention")
        found, seen = attention([x, steps, ops.not_equal(source, 0)])
        x = layers.Concatenate()([x, found])
        x = layers.Dense(config.units, "tanh", name="combined")(x)
        weights.append(seen)
    logits = outputs.head(layers.Dropout(config.dropout)(x))
    entered = [target, source, steps, context, *starts]
    return keras.Model(entered, [logits, *states, *weights], name="decoder")


def _recurrent(config: Config, number: int, units: int) -> Any:
    from har_keras import layers

    name = f"{config.cell}_{number}"
    given: dict[str, Any] = {"return_sequences": True, "return_state": True, "name": name}
    return getattr(layers, CELLS[config.cell])(units, **given)
