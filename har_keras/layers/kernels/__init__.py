"""Fast sequence paths: a whole sequence through one cell, one module a backend.

A kernel is a function `(cell, sequences, states, mask) -> (outputs, states)` named after the class
of its cell, with sequences (batch, timesteps, features), states (batch, units) each and outputs
(batch, timesteps, units). It computes the cell's equations with the default activations and without
dropout. Where the mask, (batch, timesteps) or None, is false, states and output stay as they are. A
cell without a kernel on a backend runs through Keras's generic loop over time.

`choice` says what layers take: `auto` the kernel where there is one, `reference` never one, and
`fast` refuses to build a layer that has none.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import keras

Kernel = Callable[[Any, Any, list[Any], Any], tuple[Any, list[Any]]]
choice = "auto"


def find(cell: Any) -> Kernel | None:
    """The running backend's kernel for this cell, None where there is none for its arguments."""
    activations = cell.activation, getattr(cell, "recurrent_activation", keras.activations.sigmoid)
    name = f"{__name__}.{keras.backend.backend()}"
    if (
        choice == "reference"
        or activations != (keras.activations.tanh, keras.activations.sigmoid)
        or cell.recurrent_dropout
        or (cell.dropout and cell.dropout_mask_count > 1)
        or not find_spec(name)
    ):
        return None
    form = "" if getattr(cell, "reset_after", True) else "ResetBefore"
    return getattr(import_module(name), type(cell).__name__ + form, None)
