"""Rows of a benchmark as CSV, as a table of ratios, and as a figure."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from har_keras.run_folder import whole

Row = Mapping[str, Any]
GROWING = ("batch", "units", "timesteps")


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """All rows, a column for each field."""
    with whole(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        writer.writerows(rows)


def key(row: Row) -> tuple[str, ...]:
    """What a row is about, apart from the mode."""
    return tuple(str(row[name]) for name in ("name", "cell", "backend", "kind"))


def label(row: Row) -> str:
    """`jax own`, `torch torch.nn` …"""
    return f"{row['backend']} {row['kind']}"


def table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Header and one line for each contender, cell, mode and shape.

    `to peers`: the median over that of the fastest other kind on the same backend; `to all`: over
    the fastest other kind on any backend.
    """
    lines = []
    for row in rows:
        same = [r for r in rows if all(r[k] == row[k] for k in ("name", "cell", "mode"))]
        others = [r for r in same if r["kind"] != "own"]
        here = [r for r in others if r["backend"] == row["backend"]]
        memory = row["megabytes"]
        line = {
            "shape": row["name"],
            "cell": row["cell"],
            "mode": row["mode"],
            "contender": label(row),
            "median ms": f"{1e3 * row['median']:.4g}",
            "quartiles ms": f"{1e3 * row['lower_quartile']:.4g}–{1e3 * row['upper_quartile']:.4g}",
            "to peers": _ratio(row, here),
            "to all": _ratio(row, others),
            "GFLOP/s": f"{row['gflops']:.1f}",
            "of peak": f"{row['gflops'] / row['peak_gflops']:.0%}",
            "first s": f"{row['first_seconds']:.2f}",
            "MB": "–" if memory is None else f"{memory:.0f}",
        }
        lines.append(line)
    return list(lines[0]), [list(line.values()) for line in lines]


def markdown(rows: Sequence[Row]) -> str:
    """The table in Markdown."""
    header, lines = table(rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, ["---"] * len(header), *lines])


def growth(rows: Sequence[Row], mode: str) -> Any:
    """A figure of the median time against what grows between the shapes, log-log."""
    from matplotlib.figure import Figure

    rows = [row for row in rows if row["mode"] == mode]
    growing = [size for size in GROWING if len({row[size] for row in rows}) > 1] or ["batch"]
    cells = list(dict.fromkeys(row["cell"] for row in rows))
    figure = Figure(figsize=(4.2 * len(growing), 3.2 * len(cells)), layout="constrained")
    panels = figure.subplots(len(cells), len(growing), squeeze=False)
    for cell, across in zip(cells, panels, strict=True):
        for size, axes in zip(growing, across, strict=True):
            _panel(axes, [row for row in rows if row["cell"] == cell], size)
            axes.set_title(f"{cell}, {mode}")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _panel(axes: Any, rows: Sequence[Row], size: str) -> None:
    others = [key for key in (*GROWING, "features", "depth", "mask") if key != size]
    for number, name in enumerate(dict.fromkeys(label(row) for row in rows)):
        own = [row for row in rows if label(row) == name]
        alike = {tuple(row[key] for key in others): 0 for row in own}
        for row in own:
            alike[tuple(row[key] for key in others)] += 1
        base = max(alike, key=lambda key: alike[key])
        line = sorted(
            (row[size], 1e3 * row["median"])
            for row in own
            if tuple(row[key] for key in others) == base
        )
        axes.plot(*zip(*line, strict=True), label=name, **_style(number))
    axes.set(xscale="log", yscale="log", xlabel=size, ylabel="time of one call (ms)")


def _style(number: int) -> dict[str, str]:
    """Colours of Okabe and Ito, told apart by their marker too."""
    colours = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#000000")
    return {"color": colours[number % 7], "marker": "osD^vPX"[number % 7]}


def _ratio(row: Row, others: Sequence[Row]) -> str:
    rivals = [other["median"] for other in others if other is not row]
    return f"{row['median'] / min(rivals):.2f}" if rivals else "–"
