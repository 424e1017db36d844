"""How the loss's gradient passes through time, to see it vanish or explode."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from har_keras.errors import require
from har_keras.layers import probe
from har_keras.reporting import figures
from har_keras.reporting.tensorboard import TensorBoard
from har_keras.training import autodiff


class GradientFlow(keras.callbacks.Callback):
    """After each epoch, the norm of ∂loss/∂h_t over the steps t of each recurrent layer.

    The norm is over the units and of a sample's own loss; what counts is its mean over a sample of
    the training data. Steps stand in the order in which the layer takes them. `history` has a row
    of norms an epoch for each layer: the figure `gradient_flow` shows it, and TensorBoard besides
    how many times larger it is at the first step than at the last.
    """

    def __init__(
        self, folder: Path, board: TensorBoard, sample: tuple[np.ndarray, np.ndarray], note: str
    ) -> None:
        """`sample` is a batch (x, y), `note` what every figure must say about the data."""
        super().__init__()
        self.folder, self.board, self.sample, self.note = folder, board, sample, note
        self.history: dict[str, list[list[float]]] = {}

    def on_train_begin(self, logs: Any = None) -> None:
        """Prepare the gradients; raise `UserError` for a model without recurrent layers."""
        known = bool(probe.recurrent_layers(self.model))
        require(known, "training.gradient_flow", "true", "false, as no layer here is recurrent")
        self.gradients = autodiff.hidden_gradient_of(self.model, *self.sample)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the epoch."""
        ratios = {}
        for layer, gradient in self.gradients().items():
            # The loss is a mean over samples: the sum of its parts' norms is the mean of the whole.
            norms = np.linalg.norm(gradient.astype("float64"), axis=-1).sum(0)
            self.history.setdefault(layer, []).append(norms.tolist())
            with np.errstate(divide="ignore", invalid="ignore"):
                ratios[f"gradient_flow/{layer}/first_over_last"] = norms[0] / norms[-1]
        self.board.scalars("train", ratios, epoch + 1)
        figure = figures.gradient_flow(self.history, self.note)
        figures.save(figure, self.folder / "figures" / "gradient_flow.png")
        self.board.image("train", "gradient_flow", figure, epoch + 1)
