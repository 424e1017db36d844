"""Fast sequence paths: a whole sequence through one cell, one module a backend.

A kernel is a function `(cell, sequences, states) -> (outputs, states)` named after the class of its
cell, with sequences (batch, timesteps, features), states (batch, units) each and outputs (batch,
timesteps, units). A cell without a kernel on a backend runs through Keras's generic loop over time.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import keras

Kernel = Callable[[Any, Any, list[Any]], tuple[Any, list[Any]]]


def find(cell: Any) -> Kernel | None:
    """The running backend's kernel for this cell, None where there is none."""
    name = f"{__name__}.{keras.backend.backend()}"
    return getattr(import_module(name), type(cell).__name__, None) if find_spec(name) else None
