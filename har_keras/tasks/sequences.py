"""Input description: sequences of steps, each as long as its file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from har_keras.data.csv_sequences import Format
from har_keras.errors import UserError
from har_keras.tasks.signals import Signals


@dataclass(frozen=True)
class Sequences(Signals):
    """Sequences of at most `timesteps` steps of `features` numbers, read as `form` says.

    Where they are `ragged`, the steps behind the last are NaN, and told to later layers as padding;
    otherwise all have `timesteps` steps.
    """

    ragged: bool = False
    form: Format = field(default_factory=Format)

    def open(self) -> tuple[Any, Any]:
        """The `keras.Input` (batch, timesteps, features) and the tensor an encoder starts from."""
        if not self.ragged:
            return super().open()
        from har_keras.layers import MaskNaN

        start, steps = super().open()
        return start, MaskNaN(name="mask")(steps)

    def describe(self) -> dict[str, Any]:
        """`kind`, the shape, and how files are read."""
        facts = {"shape": list(self.shape), "ragged": self.ragged, "format": asdict(self.form)}
        return {"kind": "sequences"} | facts


def from_record(folder: Path, record: Mapping[str, Any]) -> Sequences:
    """The input of a finished run, by its `run.json` (`record`).

    Raises `UserError` for a folder that was edited.
    """
    try:
        (timesteps, features), ragged, form = (
            record["inputs"][name] for name in ("shape", "ragged", "format")
        )
        lists = {name: tuple(form[name]) for name in ("columns", "classes")}
        found = Sequences(timesteps, features, ragged=ragged, form=Format(**form | lists))
        if len(found.form.columns or ()) != features or not 0 < timesteps < 2**31:
            raise ValueError("numbers that do not fit")
    except (KeyError, TypeError, ValueError) as error:
        where = folder / "run.json"
        raise UserError(f"{where}: inputs: {error!r:.80}; was it edited?") from error
    return found
