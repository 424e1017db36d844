"""Let a finished run say what it makes of new data: a recording, texts, a series."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from har_keras.errors import UserError
from har_keras.run_folder import read_finished


def main(arguments: list[str]) -> None:
    """`run=<run folder>`, and what the kind of its input wants: see `predict_<kind>`.

    Raises `UserError` for a run or for data that cannot be used.
    """
    folders = [a.removeprefix("run=") for a in arguments if a.startswith("run=")]
    kind = _kind(Path(folders[-1]).expanduser()) if folders else "signals"
    import_module(f"har_keras.commands.predict_{kind}").main(arguments)


def _kind(folder: Path) -> str:
    inputs = read_finished(folder)[0].get("inputs")
    kind = inputs.get("kind") if isinstance(inputs, dict) else "signals"  # a run of version 0.1
    if not isinstance(kind, str) or not find_spec(f"har_keras.commands.predict_{kind}"):
        raise UserError(f"{folder / 'run.json'}: inputs: unknown kind {kind!r:.40}")
    return kind
