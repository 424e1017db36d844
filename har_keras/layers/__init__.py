"""Recurrent cells and layers, drop-in for Keras's own."""

from har_keras.layers.cells import GRUCell, LSTMCell, SimpleRNNCell
from har_keras.layers.sequence import GRU, LSTM, SimpleRNN

__all__ = ["GRU", "LSTM", "GRUCell", "LSTMCell", "SimpleRNN", "SimpleRNNCell"]
