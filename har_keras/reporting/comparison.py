"""Tables that compare runs: for the console, for Markdown and as CSV."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from har_keras.reporting.runs import Group, Run, group
from har_keras.reporting.tables import number

RECORDED = ("task", "model", "experiment", "protocol", "backend", "seed", "started", "finished")


def to_console(runs: Sequence[Run], console: Console) -> None:
    """Print a table of groups for each task and data source, then the runs left out of them."""
    for section in _sections(runs):
        table = Table(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            title=Text(section.title, style="bold"),
            title_justify="left",
            caption=Text(section.caption),
            caption_justify="left",
        )
        table.add_column(section.header[0], overflow="fold")
        for name in section.header[1:]:
            table.add_column(name.replace(" ", "\n"), justify="right")
        for row in section.rows:
            table.add_row(*(Text(cell.replace(" ± ", "\n± ")) for cell in row))
        console.print(table)
    for run in runs:
        if run.status != "completed":
            text = f"{run.status}: {run.folder}" + (f" ({run.problem})" if run.problem else "")
            console.print(Text(text), soft_wrap=True)
    if not runs:
        console.print("no run folders")


def to_markdown(runs: Sequence[Run]) -> str:
    """Return the tables of `to_console` in Markdown."""
    lines: list[str] = []
    for section in _sections(runs):
        rows = [section.header, ["---", *["---:"] * (len(section.header) - 1)], *section.rows]
        lines += [f"### {section.title}", ""]
        cells = ([cell.replace("|", r"\|") for cell in row] for row in rows)
        lines += [f"| {' | '.join(row)} |" for row in cells]
        lines += ["", f"{section.caption}", ""]
    left_out = [run for run in runs if run.status != "completed"]
    if left_out:
        lines += ["### Not completed", ""]
        lines += [f"- {run.status}: `{run.folder}` {run.problem}".rstrip() for run in left_out]
    return "\n".join(lines).rstrip() + "\n"


def to_csv(runs: Sequence[Run]) -> str:
    """Return one row a run with everything that its `metrics.json` holds."""
    records = []
    for run in runs:
        facts = {"folder": run.folder, "status": run.status, "problem": run.problem}
        facts |= {key: run.record.get(key) for key in RECORDED}
        facts |= {"data": run.source, "overrides": " ".join(run.overrides)}
        records.append(facts | dict(_flat(run.metrics)))
    columns = dict.fromkeys(column for record in records for column in record)
    file = io.StringIO()
    writer = csv.DictWriter(file, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return file.getvalue()


class _Section(NamedTuple):
    title: str
    caption: str
    header: list[str]
    rows: list[list[str]]


def _sections(runs: Sequence[Run]) -> Iterator[_Section]:
    parts: dict[tuple[Any, ...], list[Group]] = defaultdict(list)
    for found in group(runs):
        key = (found.task, found.source, found.headline.metric, found.validated)
        parts[key].append(found)
    for groups in parts.values():
        first, headline = groups[0], groups[0].headline
        metric = headline.metric
        data = "SIMULATED data" if first.source == "simulated" else first.source or "unknown data"
        shown = {
            f"validation {metric}": ("validation", metric),
            f"test {metric}": ("test", metric),
            f"test {headline.second}": ("test", headline.second),
            "fit (s)": ("timing", "fit_seconds"),
            "parameters": ("", "parameters"),
        }
        best = "highest" if headline.higher_is_better else "lowest"
        yield _Section(
            title=f"{first.task} on {data}" + ("" if first.validated else ", no validation data"),
            caption=(
                f"Mean ± sample standard deviation over n seeds; {best} mean validation "
                f"{metric} first."
                if first.validated
                else "Mean ± sample standard deviation over n seeds. Published protocol without "
                f"validation data: {best} mean test {metric} first, not a ground for a choice."
            ),
            header=["run", "n", *(name.replace("_", " ") for name in shown)],
            rows=[
                [label, str(len(found.runs)), *(_cell(found, *at) for at in shown.values())]
                for label, found in zip(_labels(groups), groups, strict=True)
            ],
        )


def _labels(groups: Sequence[Group]) -> list[str]:
    """Name groups by what was chosen, options without their config group where that is clear."""
    options = {override.partition("=")[0] for found in groups for override in found.overrides}
    meanings = Counter(option.rpartition(".")[2] for option in options)
    labels = []
    for found in groups:
        names = [found.model, found.backend, found.experiment]
        for override in found.overrides:
            option, equals, value = override.partition("=")
            short = option.rpartition(".")[2]
            names.append((short if meanings[short] == 1 else option) + equals + value)
        labels.append(" ".join(name for name in names if name not in ("", "default", "none")))
    return labels


def _cell(found: Group, section: str, name: str) -> str:
    mean, deviation = found.mean(section, name), found.deviation(section, name)
    if mean is None:
        return "–"
    if name == "parameters":
        return f"{mean:,.0f}"
    if section == "timing":
        return f"{mean:.1f}" + ("" if deviation is None else f" ± {deviation:.1f}")
    return number(mean) + ("" if deviation is None else f" ± {number(deviation)}")


def _flat(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in metrics.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}_")
        elif value is not None:
            yield prefix + name, value
