"""Recurrent cells and layers, drop-in for Keras's own, and some that Keras does not have."""

from har_keras.layers.cells import GRUCell, LSTMCell, SimpleRNNCell
from har_keras.layers.chrono import Chrono
from har_keras.layers.cross_attention import CrossAttention, OwnWords
from har_keras.layers.ensemble import MeanOverMembers
from har_keras.layers.evidence import Evidence
from har_keras.layers.masking import MaskedAs, MaskNaN, Unmasked
from har_keras.layers.pooling import (
    Attention,
    LastStep,
    MaxOverTime,
    MeanOverTime,
    SumOverTime,
)
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
    "Attention",
    "Chrono",
    "CrossAttention",
    "Evidence",
    "GRUCell",
    "GravesLSTM",
    "GravesLSTMCell",
    "LSTMCell",
    "LastStep",
    "LayerNormGRU",
    "LayerNormGRUCell",
    "LayerNormLSTM",
    "LayerNormLSTMCell",
    "MaskNaN",
    "MaskedAs",
    "MaxOverTime",
    "MeanOverMembers",
    "MeanOverTime",
    "OwnWords",
    "SimpleRNN",
    "SimpleRNNCell",
    "SumOverTime",
    "Unmasked",
]
