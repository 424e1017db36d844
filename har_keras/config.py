"""Typed, validated schema of `conf/`. Imports no Keras, reads no data.

The schema of a task or a model is the dataclass `Config` of its module, found by the module's name:
`conf/task/har.yaml` starts from `har_keras/tasks/har.py`, `conf/model/gru.yaml` (whose `family` is
`recurrent`) from `har_keras/models/recurrent.py`.
"""

import importlib
import os
import pkgutil
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from math import prod
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException, OverrideParseException
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from har_keras import backend
from har_keras.data.fetch import user_cache
from har_keras.errors import UserError, nearest, one_of, require, require_choice
from har_keras.training import initial_weights, optimizers

_PACKAGED = Path(__file__).parent / "conf"
CONF = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parent.parent / "conf"
MONITORS = ("val_loss", "val_accuracy")
WATCHED = "test_loss"  # what a published protocol may stop by, as its authors did


@dataclass
class Data:
    """Where datasets lie; see the README for the layout."""

    root: str = MISSING


@dataclass
class Training:
    """How the weights are found.

    `output_summaries`: TensorBoard also shows what the output layer holds and gives, epoch by
    epoch: mean, deviation, extremes and histograms of its weights, scores and predictions.
    """

    epochs: int = 30
    batch_size: int = 64
    shuffle: bool = True
    patience: int | None = 8
    monitor: str = "val_loss"
    l2: float = 0.0
    gradient_flow: bool = False
    initial_weights: dict[str, str] = field(default_factory=dict)
    output_summaries: bool = False

    def __post_init__(self) -> None:
        """Check each value by itself."""
        require(self.epochs > 0, "training.epochs", self.epochs, "at least 1")
        require(self.batch_size > 0, "training.batch_size", self.batch_size, "at least 1")
        require(self.l2 >= 0, "training.l2", self.l2, "0 or more")
        if self.patience is not None:
            require(self.patience > 0, "training.patience", self.patience, "at least 1, or null")
        require(
            self.monitor.startswith("val_") or self.monitor == WATCHED,
            "training.monitor",
            self.monitor,
            f"a figure of validation data, such as val_loss{nearest(self.monitor, MONITORS)}",
        )
        for pattern, text in self.initial_weights.items():
            initial_weights.parse(f"training.initial_weights.{pattern}", text)


@dataclass
class Reference:
    """What a published system is held against, by `reproduce` alone.

    `published`: the figure as its authors printed it, and `value` as `metric` (`test/accuracy`, a
    split and a name of `metrics.json`) would give it, null where they printed none. `sound`: the
    experiment that runs the task without what is `unsound` here, measured by `sound_metric` where
    that differs. `seeds`, `sound_seeds`: how many are run of each.
    """

    metric: str = "test/accuracy"
    published: str = ""
    value: float | None = None
    unsound: str = ""
    sound: str | None = None
    sound_metric: str | None = None
    seeds: int = 3
    sound_seeds: int = 5

    def __post_init__(self) -> None:
        """Check each value by itself."""
        named = len(self.metric.split("/")) == 2
        require(named, "reference.metric", self.metric, "a split and a metric, test/accuracy")
        for key in ("seeds", "sound_seeds"):
            require(getattr(self, key) > 0, f"reference.{key}", getattr(self, key), "at least 1")


@dataclass
class Config:
    """One run."""

    task: Any = MISSING
    model: Any = MISSING
    optimizer: Any = MISSING
    hardware: backend.Hardware = MISSING
    training: Training = field(default_factory=Training)
    data: Data = field(default_factory=Data)
    backend: str = MISSING
    seed: int = 0
    protocol: str = "sound"
    experiment: str | None = None
    reference: Reference | None = None

    def __post_init__(self) -> None:
        """Check the values against each other."""
        backend.check(self.backend, self.hardware)
        require(0 <= self.seed < 2**32, "seed", self.seed, "0 to 4294967295")
        require_choice("protocol", self.protocol, ("sound", "published"))
        if getattr(self.model, "layers", "own") == "keras":
            allowed = "auto with model.layers=keras, whose layers choose by themselves"
            require(
                self.hardware.kernel == "auto", "hardware.kernel", self.hardware.kernel, allowed
            )
        if isinstance(self.hardware, backend.Spark):
            workers, rows = self.hardware.workers, self.hardware.batch_size_per_worker
            require(
                self.training.batch_size == workers * rows,
                "training.batch_size",
                self.training.batch_size,
                f"hardware.workers={workers} times hardware.batch_size_per_worker={rows}",
            )
        name = self.model.name
        require(bool(re.fullmatch(r"[\w.-]+", name)), "model.name", name, "letters, digits, _ . -")
        if self.protocol == "published" and self.optimizer.schedule == "plateau":
            raise UserError(
                "optimizer.schedule=plateau: a published protocol has no validation set to watch,"
                " expected another schedule (or protocol=sound)"
            )
        by_test = self.training.monitor == WATCHED
        if by_test and self.protocol == "sound":
            raise UserError(
                f"training.monitor={WATCHED}: test data choose nothing, expected a figure of"
                " validation data, such as val_loss (or protocol=published)"
            )
        if self.protocol == "published" and self.training.patience is not None and not by_test:
            raise UserError(
                f"training.patience={self.training.patience}: a published protocol has no"
                " validation set to stop on, expected null (or protocol=sound)"
            )


def _modules(package: str) -> dict[str, Any]:
    folder = Path(__file__).parent / package
    names = [m.name for m in pkgutil.iter_modules([str(folder)])]
    modules = {n: importlib.import_module(f"har_keras.{package}.{n}") for n in names}
    return {name: module for name, module in modules.items() if hasattr(module, "Config")}


@cache
def schemas() -> dict[str, dict[str, type]]:
    """The dataclass behind each group's YAML files: `{"model": {"recurrent": Config, …}, …}`."""
    return {
        "task": {name: module.Config for name, module in _modules("tasks").items()},
        "model": {name: module.Config for name, module in _modules("models").items()},
        "optimizer": {name.__name__.lower(): name for name in optimizers.SCHEMAS},
        "hardware": {"hardware": backend.Hardware, "spark": backend.Spark},
    }


@cache
def new_folder(path: str) -> str:
    """Make a folder that did not exist; `path` with a suffix where another run took it first."""
    for suffix in ["", *(f"_{i}" for i in range(1, 1000))]:
        try:
            Path(path + suffix).mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise UserError(
                f"cannot make the run folder {path}: {error.strerror}; choose a folder that can be"
                " written to with hydra.run.dir=…"
            ) from error
        return path + suffix
    raise UserError(f"{path} and 999 more of that name exist; choose another hydra.run.dir")


def register() -> None:
    """Tell Hydra the schemas and the resolvers that `conf/` uses."""
    store = ConfigStore.instance()
    store.store(name="_config", node=Config)
    for group, members in schemas().items():
        for name, node in members.items():
            store.store(group=group, name=f"_{name}", node=node)
    OmegaConf.register_new_resolver("default_backend", backend.default, replace=True)
    OmegaConf.register_new_resolver(
        "default_data_root",
        lambda: os.environ.get("HAR_KERAS_DATA") or str(user_cache()),
        replace=True,
    )
    OmegaConf.register_new_resolver("times", lambda *factors: prod(factors), replace=True)
    OmegaConf.register_new_resolver("new_folder", new_folder, replace=True)


def typed(cfg: DictConfig) -> Config:
    """The checked dataclasses of a config; raise `UserError` for the first bad key or value."""
    try:
        schema = OmegaConf.structured(Config)
        for group, key in {"task": "name", "model": "family", "optimizer": "name"}.items():
            require_choice(f"{group}.{key}", str(cfg[group][key]), schemas()[group])
            schema[group] = OmegaConf.structured(schemas()[group][cfg[group][key]])
        kind = schemas()["hardware"].get(cfg.hardware.name, backend.Hardware)
        schema.hardware = OmegaConf.structured(kind)
        merged = OmegaConf.merge(schema, OmegaConf.to_container(cfg, resolve=True))
        return cast(Config, OmegaConf.to_object(merged))
    except (OmegaConfBaseException, KeyError, TypeError) as error:
        raise explain(error) from error


def from_overrides(overrides: list[str]) -> Config:
    """Compose `conf/` with Hydra overrides; raise `UserError` for the first mistake."""
    register()
    try:
        with initialize_config_dir(str(CONF.resolve()), version_base="1.3"):
            return typed(compose("config", overrides=overrides))
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise explain(error) from error


def from_run(folder: Path, overrides: Iterable[str] = ()) -> Config:
    """The typed config of a run folder, with `key=value` overrides on top.

    The data lie where `HAR_KERAS_DATA` says, if it says. Raises `UserError` where the folder holds
    no readable config or an override is unknown.
    """
    register()
    path = folder / ".hydra" / "config.yaml"
    try:
        saved = OmegaConf.load(path)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file, expected a run folder") from error
    except (OSError, YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: expected YAML, but {explain(error)}") from error
    if not isinstance(saved, DictConfig):
        raise UserError(f"{path}: expected the config of a run, found something else")
    root = os.environ.get("HAR_KERAS_DATA")
    try:
        return typed(updated(saved, [*([f"data.root={root}"] if root else []), *overrides]))
    except UserError as error:
        raise UserError(f"{error} (in {path}, or typed)") from error


def overrides_of(folder: Path) -> list[str]:
    """The overrides that a run folder was started with; none where Hydra has not written them."""
    path = folder / ".hydra" / "overrides.yaml"
    return [str(override) for override in OmegaConf.load(path)] if path.exists() else []


def updated(cfg: DictConfig, overrides: Iterable[str]) -> DictConfig:
    """`cfg` with `key=value` overrides, values taken as typed; `UserError` for an unknown key."""
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise UserError(f"{override}: expected key=value")
        try:
            OmegaConf.update(cfg, key, value)
        except OmegaConfBaseException as error:
            raise explain(error) from error
    return cfg


def choices(group: str) -> list[str]:
    """The YAML files of a group, by name."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def explain(error: BaseException) -> UserError:
    """One line for what Hydra or OmegaConf raised: key, value, what is allowed, near misses."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    for link in chain:
        if isinstance(link, UserError):
            return link
    text = "\n".join(str(link) for link in chain)
    if match := re.search(r"Could not find '(\w+)/([^'\n]*)'", text):
        group, name = match.groups()
        return UserError(f"{group}={name}: expected {one_of(name, choices(group))}")
    if match := re.search(r"Ambiguous value for argument '(.*)'", text):
        return UserError(f"{match[1]}: expected one value, or -m to try each of several")
    if isinstance(error, OverrideParseException):
        return UserError(
            f"{error.override}: cannot be read, expected key=value (quote: 'key=\"value\"')"
        )
    if match := re.search(r"Config group override must be a string or a list. Got (\w+)", text):
        return UserError(f"a group got {match[1]}, expected a name; --help lists the choices")
    for link in chain:
        key = getattr(link, "full_key", None)
        if not key:
            continue
        fields = list(getattr(getattr(link, "object_type", None), "__dataclass_fields__", {}))
        if "not in" in str(link) and fields:
            allowed = one_of(key.rpartition(".")[2], fields)
            return UserError(f"{key}: no such key, expected {allowed}")
        if match := re.search(r"Value '(.*?)' .* (Integer|Float|bool)\b", str(link)):
            return UserError(f"{key}={match[1]}: expected {_KINDS[match[2]]}")
        return UserError(f"{key}: {str(link).splitlines()[0]}")
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return UserError(" ".join(lines) or type(error).__name__)


_KINDS = {"Integer": "a whole number", "Float": "a number", "bool": "true or false"}
