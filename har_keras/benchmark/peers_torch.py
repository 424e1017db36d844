"""`torch.nn.LSTM`, `GRU` and `RNN` in plain PyTorch; masked rows as packed sequences."""

import numpy as np
import torch
from torch import nn

from har_keras.benchmark.config import Shape
from har_keras.benchmark.contenders import CLASSES, Contender, data

LAYERS = {"lstm": nn.LSTM, "gru": nn.GRU, "simple_rnn": nn.RNN}


class Model(nn.Module):
    """Layers of one cell and a dense head on the last output."""

    def __init__(self, cell: str, shape: Shape) -> None:
        """PyTorch's own initial weights."""
        super().__init__()
        self.rnn = LAYERS[cell](shape.features, shape.units, shape.depth, batch_first=True)
        self.head = nn.Linear(shape.units, CLASSES)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
        """Logits (batch, classes)."""
        if lengths is None:
            return self.head(self.rnn(x)[0][:, -1])
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, True, enforce_sorted=False)
        _, state = self.rnn(packed)
        return self.head((state[0] if isinstance(state, tuple) else state)[-1])


def build(cell: str, shape: Shape) -> Contender:
    """The model on the GPU if there is one, Adam."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    x, y, lengths = data(shape)
    if shape.mask:  # packed sequences are padded on the right
        x = np.stack([np.roll(row, n, 0) for row, n in zip(x, lengths, strict=True)])
    inputs, targets = (torch.from_numpy(array).to(device) for array in (x, y))
    packed = torch.from_numpy(lengths) if shape.mask else None
    model = Model(cell, shape).to(device)
    optimizer = torch.optim.Adam(model.parameters())

    def train() -> float:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs, packed), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    @torch.no_grad()
    def predict() -> np.ndarray:
        return model(inputs, packed).cpu().numpy()

    return Contender(train, predict)
