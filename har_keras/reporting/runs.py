"""Find the run folders below a root, group them over seeds, and rank the groups."""

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from har_keras.run_folder import is_running


class Headline(NamedTuple):
    """What a task is ranked by: a metric, its direction, and a second metric shown beside it."""

    metric: str
    higher_is_better: bool
    second: str


# A run is ranked by the first of these that it has; the loss is in every run.
HEADLINES = (
    Headline("bleu", True, "exact_match"),
    Headline("f1", True, "recall"),
    Headline("bits_per_character", False, "loss"),
    Headline("mae", False, "rmse"),
    Headline("accuracy", True, "macro_f1"),
    Headline("loss", False, "loss"),
)
RESOLVED = ("task", "model", "experiment", "backend")  # run.json states these itself
NOT_TUNED = ("seed", "data.root")


@dataclass(frozen=True)
class Run:
    """One run folder.

    `status` is that of `run.json`, or `damaged` with the reason in `problem`; `record` holds
    `run.json` and `metrics` holds `metrics.json`, empty where unreadable or not there.
    """

    folder: Path
    status: str
    record: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def source(self) -> str:
        """Where the data came from, such as `uci_har` or `simulated`."""
        data = self.record.get("data")
        return str(data.get("source") or "") if isinstance(data, dict) else ""

    @property
    def overrides(self) -> tuple[str, ...]:
        """The command line's overrides, such as `model=gru`."""
        overrides = self.record.get("overrides")
        return tuple(map(str, overrides)) if isinstance(overrides, list) else ()

    @property
    def headline(self) -> Headline:
        """What this run is ranked by."""
        measured = (line for line in HEADLINES if self.value("test", line.metric) is not None)
        return next(measured, HEADLINES[-1])

    def value(self, section: str, name: str) -> float | None:
        """Return a number of `metrics.json`, None if not there.

        `("test", "accuracy")` is in the section `test`, `("", "parameters")` at the top.
        """
        part = self.metrics.get(section) if section else self.metrics
        value = part.get(name) if isinstance(part, dict) else None
        return float(value) if isinstance(value, int | float) else None


@dataclass(frozen=True)
class Group:
    """Completed runs that differ in their seed (and place) only.

    `overrides` are the hyper-parameters that were set by hand, sorted.
    """

    task: str
    model: str
    experiment: str
    backend: str
    source: str
    overrides: tuple[str, ...]
    runs: tuple[Run, ...] = field(default=(), compare=False)

    @property
    def headline(self) -> Headline:
        """What this group is ranked by."""
        return self.runs[0].headline

    @property
    def validated(self) -> bool:
        """Whether it is ranked on validation data, not on test data for want of any."""
        return self.mean("validation", self.headline.metric) is not None

    def mean(self, section: str, name: str) -> float | None:
        """Return the mean over the runs that have the number; None if none has."""
        values = self._values(section, name)
        return statistics.fmean(values) if values else None

    def deviation(self, section: str, name: str) -> float | None:
        """Return the sample standard deviation, None below two values or where one diverged."""
        values = self._values(section, name)
        defined = len(values) > 1 and all(map(math.isfinite, values))
        return statistics.stdev(values) if defined else None

    def _values(self, section: str, name: str) -> list[float]:
        values = (run.value(section, name) for run in self.runs)
        return [value for value in values if value is not None]


def collect(root: Path) -> list[Run]:
    """Find the run folders (those with a `run.json`) in and below `root`, sorted by path."""
    return [_read(path.parent) for path in sorted(root.rglob("run.json"))]


def group(runs: Iterable[Run]) -> list[Group]:
    """Group completed runs over their seeds, ranked within each task and data source.

    Best first by the mean on validation data. Groups without validation data (published
    protocols) come after, by the mean on test data: to be read, not to choose by.
    """
    members: dict[Group, list[Run]] = defaultdict(list)
    for run in runs:
        if run.status == "completed":
            names: dict[str, Any] = {key: str(run.record.get(key) or "") for key in RESOLVED}
            members[Group(**names, source=run.source, overrides=_tuned(run))].append(run)
    groups = (replace(key, runs=tuple(found)) for key, found in members.items())
    return sorted(groups, key=_rank)


def _tuned(run: Run) -> tuple[str, ...]:
    overrides = (override.lstrip("+") for override in run.overrides)
    left_out = RESOLVED + NOT_TUNED
    return tuple(sorted({x for x in overrides if x.partition("=")[0] not in left_out}))


def _rank(group: Group) -> tuple[str, str, str, bool, float]:
    metric, higher_is_better, _ = group.headline
    mean = group.mean("validation" if group.validated else "test", metric)
    if mean is None or math.isnan(mean):
        mean = math.inf
    elif higher_is_better:
        mean = -mean
    return group.task, group.source, metric, not group.validated, mean


def _read(folder: Path) -> Run:
    try:
        record = _object(folder / "run.json")
    except (OSError, ValueError) as error:
        return Run(folder, "damaged", problem=f"run.json: {error}")
    status = str(record.get("status") or "")
    if not status:
        return Run(folder, "damaged", record, problem="run.json: no status")
    if status == "running" and not is_running(folder, record):
        return Run(folder, "interrupted", record, problem="its process is gone")
    try:
        metrics = _object(folder / "metrics.json")
    except (OSError, ValueError) as error:
        if status == "completed":
            return Run(folder, "damaged", record, problem=f"metrics.json: {error}")
        metrics = {}
    return Run(folder, status, record, metrics)


def _object(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"expected an object, got {type(content).__name__}")
    return content
