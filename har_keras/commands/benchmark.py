"""Speed and memory of our recurrent layers beside what a user could take instead."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from rich.table import Table

from har_keras.benchmark import contenders, results
from har_keras.benchmark.config import Config, present
from har_keras.config import CONF, explain, register
from har_keras.errors import UserError
from har_keras.reporting import figures
from har_keras.reporting.tensorboard import TensorBoard
from har_keras.run_folder import whole


def main(arguments: list[str]) -> None:
    """`key=value` overrides of `conf/benchmark.yaml`; each backend runs in its own process.

    Writes `benchmark.csv`, `benchmark.md`, `growth_<mode>.png` and TensorBoard below `output`.
    """
    config = configured(arguments)
    folder, console = Path(config.output), Console()
    folder.mkdir(parents=True, exist_ok=True)
    rows = [row for order in orders(config) for row in measured(order, console)]
    used = {
        results.key(row): row["megabytes"]
        for order in (memory_orders(config) if config.memory else ())
        for row in measured(order, console)
        if row["mode"] == "train"
    }
    rows = [row | {"megabytes": used.get(results.key(row))} for row in rows]
    results.write_csv(folder / "benchmark.csv", rows)
    header, lines = results.table(rows)
    table = Table(*header, box=None, pad_edge=False)
    for line in lines:
        table.add_row(*line)
    console.print(table)
    with whole(folder / "benchmark.md") as path:
        path.write_text(results.markdown(rows) + "\n")
    with TensorBoard(folder / "tensorboard") as board:
        board.text("benchmark", "table", results.markdown(rows))
        for mode in ("train", "predict"):
            figure = results.growth(rows, mode)
            figures.save(figure, folder / f"growth_{mode}.png")
            board.image("benchmark", mode, figure, 0)
    console.print(f"written to {folder}", soft_wrap=True)


def configured(overrides: list[str]) -> Config:
    """The checked config; raise `UserError` for the first mistake."""
    register()
    ConfigStore.instance().store(name="_benchmark", node=Config)
    try:
        with initialize_config_dir(str(CONF.resolve()), version_base="1.3"):
            config = OmegaConf.to_object(compose("benchmark", overrides=overrides))
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise explain(error) from error
    assert isinstance(config, Config)
    return config


def orders(config: Config) -> Iterator[dict[str, Any]]:
    """What the process of each backend is to measure."""
    for backend in config.backends or present():
        kinds = contenders.names(backend, config.peers)
        jobs = [
            {"name": name, "shape": asdict(shape), "cell": cell, "kinds": kinds}
            for name, shape in config.shapes.items()
            for cell in config.cells
        ]
        limits = {"repeats": config.repeats, "seconds": config.seconds}
        yield limits | {"backend": backend, "threads": config.threads, "jobs": jobs, "peak": True}


def memory_orders(config: Config) -> Iterator[dict[str, Any]]:
    """The same with a process for each contender and shape, and as few calls as will do."""
    for order in orders(config):
        for job in order["jobs"]:
            for kind in job["kinds"]:
                alone = {"jobs": [job | {"kinds": [kind]}], "repeats": 3, "peak": False}
                yield order | alone


def measured(order: dict[str, Any], console: Console) -> Iterator[dict[str, Any]]:
    """The rows that a worker prints; raise `UserError` where it fails."""
    with subprocess.Popen(
        [sys.executable, "-m", "har_keras.benchmark.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(json.dumps(order))
        worker.stdin.close()
        for line in worker.stdout:
            row = json.loads(line)
            name = " ".join((row["name"], row["cell"], row["mode"], results.label(row)))
            console.print(f"{name}: {1e3 * row['median']:.4g} ms", highlight=False)
            yield row
    if worker.returncode:
        raise UserError(f"the benchmark of {order['backend']} ended with {worker.returncode}")
