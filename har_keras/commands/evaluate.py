"""The figures of a finished run again, from its folder alone."""

from pathlib import Path

from rich.console import Console

from har_keras import backend
from har_keras.config import from_run
from har_keras.errors import UserError, nearest
from har_keras.reporting.tables import summary
from har_keras.run_folder import read_finished, write_json

OPTIONS = ("run", "output")
OF_THE_RUN = ("backend", "data.root", "hardware.")


def main(arguments: list[str]) -> None:
    """`run=<run folder>`; `backend=`, `data.root=`, `hardware.*=` and `output=<folder>` if wanted.

    Prints the metrics of every split and how far they are from those of `metrics.json`. Writes
    nothing unless `output` says where. Raises `UserError` for a folder that is no finished run.
    """
    options = {}
    overrides = []
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key in OPTIONS:
            options[key] = value
        elif key.startswith(OF_THE_RUN):
            overrides.append(argument)
        else:
            allowed = (*OPTIONS, *OF_THE_RUN)
            raise UserError(
                f"{argument}: expected one of {', '.join(f'{a}=' for a in allowed)}"
                f"{nearest(key, allowed)}"
            )
    if "run" not in options:
        raise UserError("run=: expected the folder of a finished run, run=outputs/…")
    folder = Path(options["run"]).expanduser()
    target = _output_folder(options["output"], folder) if "output" in options else None
    record, stored = read_finished(folder)
    config = from_run(folder, [f"backend={backend.default(record['backend'])}", *overrides])
    backend.start(config.backend, config.hardware, config.seed)
    from har_keras import pipeline

    model = pipeline.open_model(folder / "model.keras")
    data = pipeline.load(config)
    pipeline.require_same_data(data, record["data"])
    metrics = pipeline.evaluate(data, pipeline.predict(model, data))
    rows = {split: values for split, values in metrics.items() if values}
    differences = [
        abs(value - (stored[split] or {}).get(name, float("nan")))
        for split in rows
        for name, value in rows[split].items()
    ]
    facts = {
        "run folder": str(folder),
        "furthest from metrics.json": f"{max(differences):.1e}",
    }
    title = f"{config.model.name} on {config.task.name} ({data.source}), {config.backend}"
    summary(Console(), title, rows, facts)
    if target is not None:
        write_json(target / "metrics.json", metrics)


def _output_folder(typed: str, run: Path) -> Path:
    folder = Path(typed).expanduser()
    if folder.resolve() == run.resolve():
        raise UserError(f"output={typed}: is the run itself, expected another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"output={typed}: {error.strerror}, expected a folder") from error
    return folder
