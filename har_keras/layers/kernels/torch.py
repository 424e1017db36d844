"""PyTorch: its own fused recurrent kernels (oneDNN or native on the CPU, cuDNN on a GPU)."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.utils import rnn


def SimpleRNNCell(
    cell: Any, sequences: Any, states: list[Any], mask: Any = None
) -> tuple[Any, list[Any]]:
    """See `har_keras.layers.SimpleRNNCell` for the equation."""
    return _over_time(torch.rnn_tanh, _weights(cell), sequences, states, mask)


def LSTMCell(
    cell: Any, sequences: Any, states: list[Any], mask: Any = None
) -> tuple[Any, list[Any]]:
    """See `har_keras.layers.LSTMCell` for the equations; torch's blocks stand in the same order."""
    return _over_time(torch.lstm, _weights(cell), sequences, states, mask)


def GRUCell(
    cell: Any, sequences: Any, states: list[Any], mask: Any = None
) -> tuple[Any, list[Any]]:
    """See `har_keras.layers.GRUCell`, `reset_after=True`; torch's blocks stand as r, z, g."""
    weights = [torch.cat([b, a, c]) for a, b, c in (w.chunk(3) for w in _weights(cell))]
    return _over_time(torch.gru, weights, sequences, states, mask)


def _weights(cell: Any) -> list[Any]:
    weights = [cell.kernel.value.T, cell.recurrent_kernel.value.T]
    if cell.bias is None:
        return weights
    bias = cell.bias.value
    return [*weights, *(bias if bias.ndim == 2 else (bias, torch.zeros_like(bias)))]


def _over_time(
    run: Callable[..., Any], weights: list[Any], sequences: Any, states: list[Any], mask: Any
) -> tuple[Any, list[Any]]:
    layers, dropout, training, bidirectional, batch_first = 1, 0.0, True, False, True
    options = weights, len(weights) > 2, layers, dropout, training, bidirectional
    if mask is None or not len(sequences):
        outputs, *states = run(sequences, _start(states), *options, batch_first)
        return outputs, [state[0] for state in states]
    real_steps_first = torch.argsort(~mask, dim=1, stable=True)[..., None].expand_as(sequences)
    lengths = mask.sum(1)
    packed = rnn.pack_padded_sequence(
        sequences.gather(1, real_steps_first), lengths.clamp(min=1).cpu(), batch_first, False
    )
    start = _start([state[packed.sorted_indices] for state in states])
    data, *ends = run(packed.data, packed.batch_sizes, start, *options)
    outputs, _ = rnn.pad_packed_sequence(
        rnn.PackedSequence(data, *packed[1:]), batch_first, total_length=sequences.shape[1]
    )
    outputs = torch.cat([torch.zeros_like(outputs[:, :1]), outputs], 1)
    steps_so_far = mask.cumsum(1)[..., None].expand(-1, -1, outputs.shape[-1])
    ends = [end[0][packed.unsorted_indices] for end in ends]
    is_empty = (lengths == 0)[:, None]
    states = [torch.where(is_empty, *both) for both in zip(states, ends, strict=True)]
    return outputs.gather(1, steps_so_far), states


def _start(states: list[Any]) -> Any:
    start = [state[None].contiguous() for state in states]
    return start if len(start) > 1 else start[0]
