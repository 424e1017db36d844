"""Recurrent cells and layers, drop-in for Keras's own, and some that Keras does not have."""

from har_keras.layers.cells import GRUCell, LSTMCell, SimpleRNNCell
from har_keras.layers.sequence import (
    GRU,
    LSTM,
    GravesLSTM,
    LayerNormGRU,
    LayerNormLSTM,
    SimpleRNN,
)
from har_keras.layers.variants import GravesLSTMCell, LayerNormGRUCell, LayerNormLSTMCell

__all__ = [
    "GRU",
    "LSTM",
    "GRUCell",
    "GravesLSTM",
    "GravesLSTMCell",
    "LSTMCell",
    "LayerNormGRU",
    "LayerNormGRUCell",
    "LayerNormLSTM",
    "LayerNormLSTMCell",
    "SimpleRNN",
    "SimpleRNNCell",
]
