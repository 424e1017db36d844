"""PyTorch: its own fused recurrent kernels (oneDNN or native on the CPU, cuDNN on a GPU)."""

from collections.abc import Callable
from typing import Any

import torch

SATURATED = 1e4  # the sigmoid of it is 1, of its negative 0, in any dtype


def SimpleRNNCell(
    cell: Any, sequences: Any, states: list[Any], mask: Any = None
) -> tuple[Any, list[Any]]:
    """See `har_keras.layers.SimpleRNNCell` for the equation."""
    return _over_time(torch.rnn_tanh, _weights(cell), sequences, states, mask)


def LSTMCell(
    cell: Any, sequences: Any, states: list[Any], mask: Any = None
) -> tuple[Any, list[Any]]:
    """See `har_keras.layers.LSTMCell` for the equations; torch's blocks stand in the same order.

    A feature that is 1 where the mask is false closes the input gate and opens the forget gate, so
    that the cell state is held.
    """
    weights = _weights(cell)
    if mask is not None:
        gates = sequences.new_tensor([-SATURATED, SATURATED, 0, 0])
        weights[0] = torch.cat([weights[0], gates.repeat_interleave(cell.units)[:, None]], 1)
        sequences = torch.cat([sequences, (~mask)[..., None].to(sequences.dtype)], -1)
    return _over_time(torch.lstm, weights, sequences, states, mask)


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
    options = weights, len(weights) > 2, layers, dropout, training, bidirectional, batch_first
    if mask is None:
        outputs, *ends = run(sequences, _start(states), *options)
        return outputs, [end[0] for end in ends]
    real_steps_first = torch.argsort(~mask, dim=1, stable=True)[..., None].expand_as(sequences)
    outputs, *ends = run(sequences.gather(1, real_steps_first), _start(states), *options)
    outputs = torch.cat([torch.zeros_like(outputs[:, :1]), outputs], 1)
    steps_so_far = mask.cumsum(1)[..., None].expand(-1, -1, outputs.shape[-1])
    outputs = outputs.gather(1, steps_so_far)
    h = torch.where(mask.any(1)[:, None], outputs[:, -1], states[0])
    return outputs, [h, *(end[0] for end in ends[1:])]


def _start(states: list[Any]) -> Any:
    start = [state[None].contiguous() for state in states]
    return start if len(start) > 1 else start[0]
