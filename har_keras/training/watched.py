"""The split that is watched in training, in order, a batch at a time."""

import keras
import numpy as np

from har_keras.data.padded import Samples


class Watched(keras.utils.PyDataset):
    """Batches of `batch_size` samples, the last one of what is left, each read when its turn comes.

    Keras's own way with arrays would have all of `x` in memory.
    """

    def __init__(self, x: Samples, y: np.ndarray, batch_size: int, rows: int) -> None:
        """The first `rows` samples count."""
        super().__init__()
        self.x, self.y, self.batch_size, self.rows = x, y, batch_size, rows

    def __len__(self) -> int:
        """How many batches there are."""
        return -(-self.rows // self.batch_size)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """One batch, `x` and `y`."""
        place = slice(number * self.batch_size, min(self.rows, (number + 1) * self.batch_size))
        return self.x[place], self.y[place]
