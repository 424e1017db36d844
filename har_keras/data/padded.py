"""Sequences of unequal lengths that stand in for one padded array. NumPy only."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Padded:
    """Sequences (steps, features) as an array (sequences, timesteps, features), NaN behind each.

    Each stays where it lies, in one of the `parts` (float32, of one axis, memory-mapped files for
    instance), until it is asked for: `x[3]`, `x[:8]`, `x[[5, 1]]` and `x[mask]` are arrays.

    part, start, lengths: int64 (sequences,), which of the `parts` holds it, from which number on,
    and its steps. orders: int64 (sequences, features), where in its rows each feature stands.
    """

    parts: dict[int, NDArray[np.float32]]
    part: NDArray[np.int64]
    start: NDArray[np.int64]
    lengths: NDArray[np.int64]
    orders: NDArray[np.int64]
    timesteps: int

    def __len__(self) -> int:
        """How many sequences there are."""
        return len(self.lengths)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(sequences, timesteps, features)."""
        return len(self), self.timesteps, self.orders.shape[1]

    def __getitem__(self, index: Any) -> NDArray[np.float32]:
        """Read the sequences that `index` means along the first axis."""
        places = np.arange(len(self))[index]
        found = np.full((*places.shape, *self.shape[1:]), np.nan, np.float32)
        rows = found.reshape(-1, *self.shape[1:])
        for place, row in zip(places.ravel(), rows, strict=True):
            steps, features = self.lengths[place], self.shape[2]
            flat = self.parts[self.part[place]][self.start[place] :][: steps * features]
            row[:steps] = flat.reshape(steps, features)[:, self.orders[place]]
        return found

    def only(self, index: Any) -> "Padded":
        """The sequences that `index` means, not read yet."""
        names = "part", "start", "lengths", "orders"
        return replace(self, **{name: getattr(self, name)[index] for name in names})


Samples = NDArray[Any] | Padded
