"""The figures of a finished run again, from its folder alone."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from har_keras import backend
from har_keras.commands.options import output, read
from har_keras.config import from_run
from har_keras.errors import UserError
from har_keras.reporting.tables import summary
from har_keras.run_folder import read_finished, write_json

OPTIONS = ("run", "output")
OF_THE_RUN = ("backend", "data.root", "task.path", "hardware.")
SAMPLES = 10  # shown


def main(arguments: list[str]) -> None:
    """`run=<run folder>`; `backend=`, `data.root=`, `task.path=`, `hardware.*=`, `output=<folder>`.

    Prints the metrics of every split, how far they are from those of `metrics.json`, and some test
    samples that can be read, with what is true of them and what is predicted. Writes
    nothing unless `output` says where. Raises `UserError` for a folder that is no finished run.
    """
    options, overrides = read(arguments, OPTIONS, OF_THE_RUN)
    folder = Path(options["run"]).expanduser()
    target = _output_folder(options["output"], folder) if "output" in options else None
    record, stored = read_finished(folder)
    config = from_run(folder, [f"backend={backend.default(record['backend'])}", *overrides])
    backend.start(config.backend, config.hardware, config.seed)
    from har_keras import pipeline

    data = pipeline.load(config)
    pipeline.require_same_data(data, record["data"])
    shapes = data.inputs.shape, data.outputs.shape
    model = pipeline.open_model(folder / "model.keras", *shapes)
    outputs = pipeline.predict(model, data)
    metrics = pipeline.evaluate(data, outputs)
    pipeline.study(data, model, metrics)
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
    if shown := pipeline.samples(data, outputs["test"], SAMPLES):
        Console().print(_table(shown))
    if target is not None:
        write_json(target / "metrics.json", metrics)


def _table(samples: list[tuple[str, str, str]]) -> Table:
    table = Table(title="test samples", title_justify="left")
    table.add_column("input", max_width=70)
    table.add_column("truth")
    table.add_column("prediction")
    for row in samples:
        table.add_row(*map(Text, row))
    return table


def _output_folder(typed: str, run: Path) -> Path:
    folder = output(typed, run)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"output={typed}: {error.strerror}, expected a folder") from error
    return folder
