"""PyTorch: its own fused recurrent kernels (oneDNN or native on the CPU, cuDNN on a GPU)."""

from typing import Any

import torch


def SimpleRNNCell(cell: Any, sequences: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    """See `har_keras.layers.SimpleRNNCell` for the equation."""
    outputs, h = torch.rnn_tanh(sequences, states[0][None], _weights(cell), *_options(cell))
    return outputs, [h[0]]


def LSTMCell(cell: Any, sequences: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    """See `har_keras.layers.LSTMCell` for the equations; torch's blocks stand in the same order."""
    start = [state[None] for state in states]
    outputs, h, c = torch.lstm(sequences, start, _weights(cell), *_options(cell))
    return outputs, [h[0], c[0]]


def GRUCell(cell: Any, sequences: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    """See `har_keras.layers.GRUCell`, `reset_after=True`; torch's blocks stand as r, z, g."""
    weights = [torch.cat([b, a, c]) for a, b, c in (w.chunk(3) for w in _weights(cell))]
    outputs, h = torch.gru(sequences, states[0][None], weights, *_options(cell))
    return outputs, [h[0]]


def _weights(cell: Any) -> list[Any]:
    weights = [cell.kernel.value.T, cell.recurrent_kernel.value.T]
    if cell.bias is None:
        return weights
    bias = cell.bias.value
    return [*weights, *(bias if bias.ndim == 2 else (bias, torch.zeros_like(bias)))]


def _options(cell: Any) -> tuple[Any, ...]:
    layers, dropout, training, bidirectional, batch_first = 1, 0.0, True, False, True
    return cell.bias is not None, layers, dropout, training, bidirectional, batch_first
