"""The summary that a run prints at its end."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text


def summary(
    console: Console,
    title: str,
    rows: Mapping[str, Mapping[str, float]],
    facts: Mapping[str, str],
) -> None:
    """Print the metrics by split, then facts of the run.

    A fact that holds a path or does not fit beside its label stands on lines of its own, unbroken
    at any width, so that it can be copied.

    Args:
        console: where to print.
        title: heading of the table.
        rows: split → metric → value; a split with nothing measured is left out.
        facts: label → value, such as the run folder.
    """
    splits = {split: metrics for split, metrics in rows.items() if metrics}
    table = Table(title=Text(title, style="bold"), title_justify="left", header_style="bold")
    table.add_column("metric")
    for split in splits:
        table.add_column(split, justify="right")
    for metric in dict.fromkeys(metric for metrics in splits.values() for metric in metrics):
        values = (metrics.get(metric) for metrics in splits.values())
        table.add_row(metric.replace("_", " "), *("–" if x is None else number(x) for x in values))
    console.print(table)

    width = max((len(label) for label in facts), default=0)
    for label, value in facts.items():
        own_line = "/" in value or "\\" in value or width + 2 + len(value) > console.width
        between = "\n  " if own_line else " " * (width - len(label) + 2)
        text = Text.assemble((label, "bold"), between, value.replace("\n", "\n  "))
        console.print(text, soft_wrap=True)


def markdown(rows: Mapping[str, Mapping[str, float]]) -> str:
    """The table of `summary` in Markdown: a column for each of `rows`."""
    lines = [f"| metric | {' | '.join(rows)} |", "|---" * (len(rows) + 1) + "|"]
    for metric in dict.fromkeys(metric for metrics in rows.values() for metric in metrics):
        values = (metrics.get(metric) for metrics in rows.values())
        cells = ("–" if x is None else number(x) for x in values)
        lines.append(f"| {metric.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def number(value: float) -> str:
    """Return a value with four decimals, or with two from ten on, whole from 10 000 on."""
    decimals = 4 if abs(value) < 10 else 2 if abs(value) < 10_000 else 0
    return f"{value:.{decimals}f}"
