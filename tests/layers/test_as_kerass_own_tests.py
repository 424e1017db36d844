"""Keras's own tests of its recurrent layers, with ours in the place of Keras's.

`rnn_test.py` is not among them: its cells are its own and its `RNN` is Keras's. Left out one by one
are the tests of which calls Keras's layers make of cuDNN. `KERAS_TESTS_IN_FULL=1` adds what takes
most of the time: a fit in each `run_layer_test`, and that of stacked cells.
"""

import os
from collections.abc import Iterator
from functools import partialmethod

import keras.src.layers
import pytest
from keras.src.layers.rnn import bidirectional_test, gru_test, lstm_test, stacked_rnn_cells_test
from keras.src.layers.rnn.simple_rnn_test import SimpleRNNTest
from keras.src.testing import TestCase

from har_keras import layers

__all__ = ["SimpleRNNTest"]
IN_FULL = "KERAS_TESTS_IN_FULL" in os.environ
pytestmark = pytest.mark.filterwarnings("default")


class BidirectionalTest(bidirectional_test.SimpleRNNTest):
    test_fused_lstm_eligibility = None
    test_fused_gru_eligibility = None
    test_torch_cudnn_bidirectional_gru_dispatch_fires = None


class GRUTest(gru_test.GRUTest):
    test_torch_cudnn_dispatch_fires = None


class LSTMTest(lstm_test.LSTMTest):
    test_torch_cudnn_dispatch_fires = None


class StackedRNNTest(stacked_rnn_cells_test.StackedRNNTest):
    if not IN_FULL:
        test_basics = None


@pytest.fixture(autouse=True, scope="module")
def ours() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell"):
            patch.setattr(keras.src.layers, name, getattr(layers, name))
        checked = partialmethod(TestCase.run_layer_test, run_training_check=IN_FULL)
        patch.setattr(TestCase, "run_layer_test", checked)
        yield
