"""Train one model, go on with one (`training.resume=`), or train a sweep of them (`-m`)."""

import os
import re
import sys
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from har_keras.backend import Spark
from har_keras.config import (
    CONF,
    Config,
    explain,
    from_overrides,
    from_run,
    overrides_of,
    register,
    typed,
)
from har_keras.errors import UserError, require
from har_keras.run_folder import full_or_forbidden_told, read_json

AS_TYPED = (
    "data.root",
    "hardware.master",
    "task.delimiter",
    "task.path",
    "task.prefix",
    "task.stop_words",
    "task.text",
    "task.vectors",
    "training.resume",
)
RESUME, SWEEP = "training.resume=", "hydra.sweep.dir="
CHANGEABLE = ("hardware.", "training.epochs=", "data.root=", "task.path=")
GROUPS = ("task", "model", "optimizer", "hardware")


def main(arguments: list[str]) -> None:
    """Check the overrides before anything is written, then hand them to Hydra."""
    resumed = [argument for argument in arguments if argument.startswith(RESUME)]
    if resumed:
        others = [argument for argument in arguments if argument not in resumed]
        return _resume(Path(resumed[-1].removeprefix(RESUME)).expanduser(), others)
    arguments = [_quoted(argument) for argument in arguments]
    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign]
    parsed = parser.parse_args(arguments)
    if parsed.multirun and (sweep := _old_sweep(parsed.overrides)):
        parsed.overrides = sweep
        arguments = ["-m", *sweep]
    register()
    for job in _jobs(parsed.overrides) if parsed.multirun else [parsed.overrides]:
        from_overrides(job)
    _refuse_used_folder(parsed.overrides)
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.argv[1:] = arguments
    configured = hydra.main(str(CONF.resolve()), "config", version_base="1.3")
    try:
        configured(_job)()
    except (HydraException, OmegaConfBaseException) as error:
        raise explain(error) from error


def _old_sweep(overrides: list[str]) -> list[str]:
    """All overrides of the sweep in `hydra.sweep.dir`, if that is all that is typed."""
    folder = next((o.partition("=")[2] for o in overrides if o.startswith(SWEEP)), "")
    if not folder or not all(override.startswith("hydra") for override in overrides):
        return []
    path = Path(folder) / "multirun.yaml"
    if not path.exists():
        raise UserError(
            f"{SWEEP}{folder}: holds no sweep to go on with; to start one there, say what to try"
            " (model=lstm,gru)"
        )
    earlier = OmegaConf.load(path).hydra.overrides
    settings = [o for o in earlier.hydra if not o.startswith(("hydra.mode=", SWEEP))]
    return [*earlier.task, *settings, *overrides]


def _jobs(overrides: list[str]) -> list[list[str]]:
    """The overrides of each job of a sweep, as far as Hydra's basic sweeper splits them."""
    if any(override.startswith("hydra/sweeper=") for override in overrides):
        return []
    try:
        parsed = OverridesParser.create().parse_overrides(overrides)
    except HydraException as error:
        raise explain(error) from error
    return BasicSweeper.split_arguments(parsed, max_batch_size=None)[0]


def _refuse_used_folder(overrides: list[str]) -> None:
    for override in overrides:
        key, _, value = override.partition("=")
        if key == "hydra.run.dir" and (Path(value) / "run.json").exists():
            raise UserError(f"{override}: holds a run already, expected a new folder")


def _refuse(message: str) -> NoReturn:
    raise UserError(f"{message}; --help shows what can be typed")


def _job(cfg: DictConfig) -> None:
    hydra_config = HydraConfig.get()
    folder = Path(hydra_config.runtime.output_dir)
    folder = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    try:
        _train(typed(cfg), folder, list(hydra_config.overrides.task))
    except UserError as error:
        sys.exit(f"har_keras: {error}")


def _resume(folder: Path, overrides: list[str]) -> None:
    """Go on with a run in its own folder, by its own config."""
    earlier = read_json(folder / "run.json") if (folder / "run.json").exists() else {}
    changes = [override for override in overrides if override.startswith(CHANGEABLE)]
    before, config = from_run(folder), from_run(folder, changes)
    for override in overrides:
        key, _, value = override.partition("=")
        same = from_run(folder, [*changes, f"{key}.name={value}" if key in GROUPS else override])
        if override not in changes and same != config:
            raise UserError(
                f"{override}: differs from the config of {folder}, which a resumed run keeps; only"
                " hardware.* and a larger training.epochs can be changed"
            )
    epochs, least = config.training.epochs, before.training.epochs
    require(epochs >= least, "training.epochs", epochs, f"at least the run's {least}")
    if earlier.get("status") == "completed" and epochs == least:
        raise UserError(f"{folder}: is completed; a larger training.epochs than {epochs} goes on")
    started_with = earlier.get("overrides") or overrides_of(folder)
    if epochs > least:
        others = [o for o in started_with if not o.startswith("training.epochs=")]
        started_with = [*others, f"training.epochs={epochs}"]
    _train(config, folder, started_with, earlier)


def _train(
    config: Config, folder: Path, overrides: list[str], earlier: dict[str, Any] | None = None
) -> None:
    if isinstance(config.hardware, Spark):
        from har_keras.distributed.spark import run
    else:
        from har_keras.pipeline import run

    with full_or_forbidden_told():
        run(config, folder, overrides, Console(), earlier)


def _quoted(argument: str) -> str:
    """Keep free text and paths as typed: quote the values of such keys for Hydra's grammar."""
    key, equals, value = argument.partition("=")
    quoted = len(value) > 1 and value[0] == value[-1] == "'"
    if not equals or quoted or key.lstrip("+") not in AS_TYPED:
        return argument
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", value)
    escaped = re.sub(r"(\\+)$", r"\1\1", escaped)
    return f"{key}='{escaped}'"
