"""The model of a finished run, on the backend that a command is told."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from har_keras import backend
from har_keras.config import from_run


def model(
    folder: Path,
    record: Mapping[str, Any],
    overrides: Sequence[str],
    inputs: Sequence[int | None],
    outputs: Sequence[int | None],
) -> Any:
    """Start the backend and open the model, with `record`, the `run.json` of the run in `folder`.

    `overrides` may name another backend and hardware. `inputs` and `outputs` are shapes without the
    batch axis; raises `UserError` where the model has others.
    """
    config = from_run(folder, [f"backend={backend.default(record['backend'])}", *overrides])
    backend.start(config.backend, config.hardware, config.seed)
    from har_keras.pipeline import open_model

    return open_model(folder / "model.keras", tuple(inputs), tuple(outputs))
