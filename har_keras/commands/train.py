"""Train one model, or a sweep of them (`-m`)."""

import os
import re
import sys
from pathlib import Path

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console

from har_keras import backend
from har_keras.config import CONF, from_overrides, register, typed

AS_TYPED = ("data.root",)


def main(arguments: list[str]) -> None:
    """Check the overrides before anything is written, then hand them to Hydra."""
    arguments = [_quoted(argument) for argument in arguments]
    parsed = get_args_parser().parse_args(arguments)
    if not parsed.multirun:
        from_overrides(parsed.overrides)
    register()
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.argv[1:] = arguments
    hydra.main(version_base="1.3", config_path=str(CONF.resolve()), config_name="config")(_job)()


def _job(cfg: DictConfig) -> None:
    config = typed(cfg)
    backend.start(config.backend, config.hardware, config.seed)
    from har_keras import pipeline

    hydra_config = HydraConfig.get()
    folder = Path(hydra_config.runtime.output_dir)
    folder = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    overrides = list(hydra_config.overrides.task)
    pipeline.run(config, folder, overrides, Console())


def _quoted(argument: str) -> str:
    """Keep free text and paths as typed: quote the values of such keys for Hydra's grammar."""
    key, equals, value = argument.partition("=")
    if not equals or key.lstrip("+") not in AS_TYPED:
        return argument
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", value)
    escaped = re.sub(r"(\\+)$", r"\1\1", escaped)
    return f"{key}='{escaped}'"
