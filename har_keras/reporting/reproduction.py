"""The table of published systems beside ours, from finished runs."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from har_keras.config import Reference
from har_keras.reporting.runs import Run
from har_keras.reporting.tables import number

CAPTION = (
    "Mean ± sample standard deviation over seeds, of the metric named. *Reproduced*: the published"
    " figure lies within two standard deviations of the mean as published; *surpassed*: it lies"
    " below them. Minutes are the median"
    " of a run's training on the machine that ran it."
)


def to_markdown(systems: Mapping[str, Reference], runs: Sequence[Run]) -> str:
    """A row for each system, then what each published protocol does that a sound one does not."""
    header = [
        "experiment",
        "metric",
        "published",
        "as published",
        "reproduced",
        "ours, sound",
        "without recurrence",
        "minutes",
    ]
    rows = [header, ["---"] * len(header)]
    rows += [_row(name, reference, runs) for name, reference in systems.items()]
    lines = ["# Published systems, reproduced", ""]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    lines += ["", CAPTION, "", "## Commands", ""]
    for name, reference in systems.items():
        sound = f", soundly `experiment={reference.sound}`" if reference.sound else ""
        lines.append(
            f"- `python -m har_keras experiment={name} seed=…`{sound}. {reference.unsound}"
        )
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _row(name: str, reference: Reference, runs: Sequence[Run]) -> list[str]:
    own, sound = _of(name, runs), _of(reference.sound, runs)
    values = [v for v in (_value(run, reference.metric) for run in own) if v is not None]
    other = reference.sound_metric if reference.sound else None
    minutes = [run.value("timing", "fit_seconds") or 0.0 for run in own]
    return [
        f"`{name}`",
        f"{reference.metric}; ours {other}" if other else reference.metric,
        reference.published,
        _spread(own, reference.metric),
        _reproduced(values, reference.value),
        _spread(sound, reference.sound_metric or reference.metric),
        _baseline(sound or own, reference.sound_metric or reference.metric),
        f"{statistics.median(minutes) / 60:.1f}" if minutes else "–",
    ]


def _of(experiment: str | None, runs: Iterable[Run]) -> list[Run]:
    completed = (run for run in runs if run.status == "completed")
    return [run for run in completed if experiment and run.record.get("experiment") == experiment]


def _value(run: Run, metric: str) -> float | None:
    return run.value(*metric.split("/"))


def _spread(runs: Sequence[Run], metric: str) -> str:
    """`0.901 ± 0.011 (jax, seeds 0 1 2)` for each backend."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for run in runs:
        value = _value(run, metric)
        if value is not None:
            found[str(run.record["backend"])][int(run.record["seed"])] = value
    parts = []
    for backend, values in found.items():
        mean, seeds = statistics.fmean(values.values()), " ".join(map(str, sorted(values)))
        deviation = f" ± {number(statistics.stdev(values.values()))}" if len(values) > 1 else ""
        noun = "seeds" if len(values) > 1 else "seed"
        parts.append(f"{number(mean)}{deviation} ({backend}, {noun} {seeds})")
    return "; ".join(parts) or "not run"


def _reproduced(values: Sequence[float], published: float | None) -> str:
    if not values or published is None:
        return "–"
    if len(values) == 1:
        return f"one seed, {values[0] - published:+.3f}"
    above = statistics.fmean(values) - published
    if abs(above) <= 2 * statistics.stdev(values):
        return "yes"
    return "surpassed" if above > 0 else "no"


def _baseline(runs: Sequence[Run], metric: str) -> str:
    """The baselines of the runs, the mean of each over the seeds."""
    name = metric.rpartition("/")[2]
    found: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        baselines = run.metrics.get("baselines")
        for baseline, figures in (baselines or {}).items():
            if name in figures:
                found[baseline].append(figures[name])
    parts = (f"{baseline} {number(statistics.fmean(v))}" for baseline, v in found.items())
    return "; ".join(parts) or "–"
