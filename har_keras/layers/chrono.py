"""Initial biases with which a gated cell remembers from the start."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

GATES = {3: (1,), 4: (-1, 1)}  # blocks of a cell → sign of the bias of its first gates


@keras.saving.register_keras_serializable("har_keras")
class Chrono(keras.initializers.Initializer):
    """Biases for memories of 1 to `timesteps` steps (Tallec & Ollivier 2018, arXiv:1804.11188).

    m = log(u), u uniform from 1 to timesteps - 1, a number for each unit
    LSTM: b_f = m, b_i = -m;  GRU: b_z = m;  all other biases 0
    """

    def __init__(self, timesteps: int, blocks: int, seed: int = 0) -> None:
        """`blocks` of weights has the cell: 4 for an LSTM, 3 for a GRU."""
        self.timesteps, self.blocks, self.seed = timesteps, blocks, seed

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """The bias (…, blocks·units) of a cell."""
        units = shape[-1] // self.blocks
        memory = np.log(rng.uniform(1, self.timesteps - 1, units))
        bias = np.zeros((*shape[:-1], self.blocks, units))
        for gate, sign in enumerate(GATES[self.blocks]):
            bias[(0,) * (len(shape) - 1)][gate] = sign * memory
        return bias.reshape(shape)

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """`draw` with the initializer's own seed."""
        drawn = self.draw(np.random.default_rng(self.seed), tuple(shape))
        return keras.ops.convert_to_tensor(drawn, dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"timesteps": self.timesteps, "blocks": self.blocks, "seed": self.seed}
