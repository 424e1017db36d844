"""Checkpoints: all that training goes on from, as arrays in `last.npz` and `best.npz`.

Each holds the model's variables (the states of its random generators among them), the optimizer's
variables, the backend's global generator, and the state of the callbacks. No pickle.
"""

import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from har_keras.errors import UserError
from har_keras.run_folder import whole
from har_keras.training import autodiff

STATE = {
    "Log": ("history", "epoch_seconds", "first_step_seconds", "fit_seconds"),
    "GradientFlow": ("history",),
    "EarlyStopping": ("wait", "best", "best_epoch"),
    "ReduceLROnPlateau": ("wait", "best", "cooldown_counter"),
}


@dataclass(frozen=True)
class Checkpoint:
    """`epoch` epochs are done; `stopped` tells whether the training had come to its end early."""

    path: Path
    epoch: int
    stopped: bool
    callbacks: dict[str, dict[str, Any]]
    arrays: dict[str, np.ndarray]

    @property
    def best_epoch(self) -> int | None:
        """The best epoch so far, counted from 1; None where no epoch is the best."""
        early = self.callbacks.get("EarlyStopping")
        return early["best_epoch"] + 1 if early else None

    def restore(self, model: Any) -> None:
        """Assign the variables of a compiled `model` and of its optimizer.

        Raises `UserError` where they are not those of this checkpoint.
        """
        variables = _variables(model)
        shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
        if shapes != {k: v.shape for k, v in self.arrays.items() if not k.startswith("random")}:
            raise UserError(
                f"{self.path}: holds the weights of another model or optimizer; was the config of"
                " the run edited?"
            )
        for name, variable in variables.items():
            variable.assign(self.arrays[name])

    def restore_random_state(self) -> None:
        """Set the backend's global generator."""
        states = {k: v for k, v in self.arrays.items() if k.startswith("random")}
        autodiff.set_random_state(states)


def read(path: Path) -> Checkpoint | None:
    """The checkpoint, None where there is none; raise `UserError` where it is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return Checkpoint(path, arrays=arrays, **json.loads(str(arrays.pop("state"))))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path}: expected a whole checkpoint, but {error}; delete it to start over"
        ) from error


def resumable(folder: Path) -> Checkpoint | None:
    """The last checkpoint in `folder`, with `best.npz` of the epoch that it calls the best."""
    last = read(folder / "last.npz")
    if last is not None and last.best_epoch == last.epoch:  # killed before it wrote the best
        with whole(folder / "best.npz") as temporary:
            shutil.copyfile(folder / "last.npz", temporary)
    return last


class Checkpoints(keras.callbacks.Callback):
    """Writes `last.npz` after each epoch, `best.npz` when it is the best; the last callback.

    `followed` are the callbacks whose state is kept. The best epoch is that of the
    `EarlyStopping` among them; without one no epoch is the best.
    """

    def __init__(
        self,
        folder: Path,
        followed: Sequence[keras.callbacks.Callback],
        resumed: Checkpoint | None,
    ) -> None:
        """Go on from `resumed` when training begins."""
        super().__init__()
        self.folder, self.resumed = folder, resumed
        self.followed = {type(callback).__name__: callback for callback in followed}

    def on_train_begin(self, logs: Any = None) -> None:
        """Give the callbacks their state back."""
        self.folder.mkdir(exist_ok=True)
        for name, state in self.resumed.callbacks.items() if self.resumed else ():
            vars(self.followed[name]).update(state)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Give the global generator its state back, which torch's data loader draws from first."""
        if self.resumed is not None:
            self.resumed.restore_random_state()
            self.resumed = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the files: `last` first, so that it knows of every `best` that is newer."""
        state = {
            "epoch": epoch + 1,
            "stopped": self.model.stop_training,
            "callbacks": {
                name: {key: getattr(callback, key) for key in STATE[name]}
                for name, callback in self.followed.items()
            },
        }
        variables = _variables(self.model).items()
        arrays = {name: keras.ops.convert_to_numpy(variable) for name, variable in variables}
        arrays |= autodiff.random_state() | {"state": np.array(json.dumps(state))}
        best = self.followed.get("EarlyStopping")
        _write(self.folder / "last.npz", arrays)
        if best is not None and best.best_epoch == epoch:
            _write(self.folder / "best.npz", arrays)


def _variables(model: Any) -> dict[str, Any]:
    optimizer = model.optimizer
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    parts = {"model": model.variables, "optimizer": optimizer.variables}
    return {f"{part}/{i}": v for part, found in parts.items() for i, v in enumerate(found)}


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
