"""Figures of a run, for the screen and for a paper; each function returns a `Figure`.

Colours are Okabe and Ito's and single-hue blues, told apart by every kind of colour vision.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from har_keras.run_folder import whole

BLUE, ORANGE, GREEN, VERMILION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#5F5F5F"
STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "font.size": 10,
    "grid.color": "#DDDDDD",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "text.parse_math": False,
}
LABELS = {"loss": "cross-entropy loss (nats)", "accuracy": "accuracy (0–1)"}
LINES = {
    "": ("train", BLUE, "o", "-"),
    "val_": ("validation", ORANGE, "s", "-"),
    "test_": ("test (watched)", VERMILION, "^", "--"),
}


def curves(
    history: Mapping[str, Sequence[float]],
    best_epoch: int | None,
    metrics: Mapping[str, str] = LABELS,
    note: str | None = None,
) -> Figure:
    """Draw each metric over the epochs, train against validation or the watched test set.

    Args:
        history: metric name, without prefix, with `val_` or with `test_` → one value an epoch.
            Epochs count from 1, or as the key `epoch` says.
        best_epoch: the epoch that was kept, marked by a line.
        metrics: metric name → axis label with unit, one panel each; those not in `history` are
            left out.
        note: shown below, such as "simulated data".

    Raises:
        ValueError: `history` has none of `metrics`.
    """
    panels = {name: label for name, label in metrics.items() if name in history}
    if not panels:
        raise ValueError(f"expected one of {sorted(metrics)} in history, got {sorted(history)}")
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.6 * len(panels), 3.6), layout="constrained")
        row = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, (name, label) in zip(row, panels.items(), strict=True):
            for prefix, (split, colour, marker, line) in LINES.items():
                values = np.asarray(history.get(prefix + name, ()), dtype=float)
                if not len(values):
                    continue
                epochs = history.get("epoch", range(1, len(values) + 1))
                values = np.where(np.isfinite(values), values, np.nan)
                marks: dict[str, Any] = {"markersize": 5, "markevery": max(1, len(values) // 12)}
                axes.plot(epochs, values, marker + line, color=colour, label=split, **marks)
            if best_epoch is not None:
                kept = f"best epoch ({best_epoch})"
                axes.axvline(best_epoch, color=GREY, linestyle=":", label=kept)
            axes.set(xlabel="epoch", ylabel=label)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        lines = {str(line.get_label()): line for axes in figure.axes for line in axes.lines}
        figure.legend(lines.values(), lines, loc="outside upper center", ncols=len(lines))
        _annotate(figure, note)
    return figure


def gradient_flow(
    norms: Mapping[str, Sequence[Sequence[float]]], note: str | None = None
) -> Figure:
    """Draw how the gradient passes through each recurrent layer's steps, on a logarithmic axis.

    Args:
        norms: layer name → one row an epoch, (epochs, timesteps), of the norm of ∂loss/∂h_t. A
            panel each, with the first, the middle and the last epoch; what is not above 0 is left
            out.
        note: as for `confusion`.

    Raises:
        ValueError: no layer, or no epoch.
    """
    if not norms or not all(len(rows) for rows in norms.values()):
        raise ValueError(f"expected norms of at least one layer and epoch, got {dict(norms)}")
    looks = ((BLUE, "-"), (ORANGE, "--"), (VERMILION, "-."))
    columns = min(3, len(norms))
    lines = -(-len(norms) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.6 * columns, 0.5 + 3.1 * lines), layout="constrained")
        panels = figure.subplots(lines, columns, squeeze=False, sharey=True).flat
        for axes, (layer, rows) in zip(panels, norms.items(), strict=False):
            epochs = sorted({0, len(rows) // 2, len(rows) - 1})
            for (colour, line), epoch in zip(looks, epochs, strict=False):
                row = np.asarray(rows[epoch], dtype=float)
                row = np.where(np.isfinite(row) & (row > 0), row, np.nan)
                steps = np.arange(1, len(row) + 1)
                axes.plot(steps, row, line, color=colour, label=f"epoch {epoch + 1}")
            axes.set(title=layer, xlabel="time step, in the order taken", yscale="log")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        for axes in list(figure.axes)[len(norms) :]:
            axes.set_axis_off()
        for axes in figure.axes[::columns]:
            axes.set_ylabel("norm of ∂loss/∂h")
        named = figure.axes[0].get_legend_handles_labels()
        figure.legend(*named, loc="outside upper center", ncols=3)
        _annotate(figure, note)
    return figure


def confusion(
    truth: ArrayLike, prediction: ArrayLike, class_names: Sequence[str], note: str | None = None
) -> Figure:
    """Draw the confusion matrix: counts, and below each its share of the true class.

    Args:
        truth: int (samples,), class indices.
        prediction: int (samples,), class indices.
        class_names: one name a class.
        note: shown below, such as "simulated data".

    Raises:
        ValueError: a class index without a name.
    """
    truth, prediction = _indices(truth, prediction, class_names)
    classes = len(class_names)
    counts = confusion_matrix(truth, prediction, labels=range(classes))
    percent = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = max(4, 2.2 + classes * (0.64 if classes <= 8 else 0.54))
    big, small = (11, 7.5) if classes <= 8 else (8.5, 6.5)
    with matplotlib.rc_context(STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(size + 0.7, size), layout="compressed")
        axes = figure.subplots()
        picture = axes.imshow(percent, cmap="Blues", vmin=0, vmax=100)
        for (row, column), count in np.ndenumerate(counts):
            share = percent[row, column]
            colour = "white" if share > 55 else "black" if count else "#8A8A8A"
            place: dict[str, Any] = {"ha": "center", "color": colour}
            if count:
                axes.text(column, row - 0.02, f"{count}", va="bottom", fontsize=big, **place)
                axes.text(column, row + 0.1, f"{share:.1f} %", va="top", fontsize=small, **place)
            else:
                axes.text(column, row, "0", va="center", fontsize=small, **place)
        axes.set(xlabel="predicted class", ylabel="true class")
        slanted: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
        axes.set_xticks(range(classes), class_names, **slanted)
        axes.set_yticks(range(classes), class_names)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        bar = figure.colorbar(picture, ax=axes, fraction=0.045, pad=0.02)
        bar.set_label("share of the true class (%)")
        bar.outline.set_visible(False)
        _annotate(figure, note)
    return figure


def per_class(
    truth: ArrayLike, prediction: ArrayLike, class_names: Sequence[str], note: str | None = None
) -> Figure:
    """Draw precision, recall and F1 of each class as bars, with the number of its samples.

    The arguments and errors are those of `confusion`.
    """
    truth, prediction = _indices(truth, prediction, class_names)
    classes = np.arange(len(class_names))
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, prediction, labels=classes, zero_division=0
    )
    scores = {"precision": (precision, BLUE), "recall": (recall, ORANGE), "F1": (f1, GREEN)}
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7, 1.3 + 0.55 * len(classes)), layout="constrained")
        axes = figure.subplots()
        for place, (name, (values, colour)) in enumerate(scores.items()):
            bars = axes.barh(classes + 0.27 * (place - 1), values, 0.25, color=colour, label=name)
            axes.bar_label(bars, fmt="%.3f", padding=3, fontsize=7.5)
        named = zip(class_names, support, strict=True)
        axes.set_yticks(classes, [f"{name}\n(n = {n})" for name, n in named])
        axes.set(xlabel="score (0–1)", ylabel="true class (n samples)", xlim=(0, 1.09))
        axes.set_ylim(len(classes) - 0.4, -0.6)
        _rows(axes)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3)
        _annotate(figure, note)
    return figure


def per_group(
    truth: ArrayLike,
    prediction: ArrayLike,
    groups: ArrayLike,
    group_name: str = "test subject",
    note: str | None = None,
) -> Figure:
    """Draw the accuracy of each group as its distance from the accuracy over all windows.

    Args:
        truth: int (samples,), class indices.
        prediction: int (samples,), class indices.
        groups: (samples,), numbers or names, such as the subject of each window.
        group_name: what a group is.
        note: as for `confusion`.

    Raises:
        ValueError: no samples, or arrays of different shapes.
    """
    truth, prediction, groups = np.asarray(truth), np.asarray(prediction), np.asarray(groups)
    if not len(truth) or not truth.shape == prediction.shape == groups.shape:
        raise ValueError(
            "expected truth, prediction and groups of one shape (samples,), "
            f"got {truth.shape}, {prediction.shape} and {groups.shape}"
        )
    right = 100 * (truth == prediction)
    names, group_of = np.unique(groups, return_inverse=True)
    windows = np.bincount(group_of)
    accuracy = np.bincount(group_of, weights=right) / windows
    rows = np.arange(len(names))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7, 1.4 + 0.3 * len(names)), layout="constrained")
        axes = figure.subplots()
        overall = f"all {len(truth)} windows: {right.mean():.1f} %"
        axes.axvline(right.mean(), color=GREY, linestyle="--", label=overall)
        axes.hlines(rows, right.mean(), accuracy, color=BLUE, linewidth=2)
        axes.plot(accuracy, rows, "o", color=BLUE, markersize=7, clip_on=False)
        for row, (value, n) in enumerate(zip(accuracy, windows, strict=True)):
            beside: dict[str, Any] = {
                "transform": axes.get_yaxis_transform(),
                "va": "center",
                "fontsize": 8.5,
            }
            axes.text(1.02, row, f"{value:.1f} %   n = {n}", **beside)
        axes.set_yticks(rows, [str(name) for name in names])
        axes.set(xlabel="accuracy (%)", ylabel=group_name)
        margin = 2 + 0.1 * np.ptp(accuracy)
        axes.set_xlim(max(0, accuracy.min() - margin), min(100, accuracy.max() + margin))
        axes.set_ylim(len(names) - 0.4, -0.6)
        _rows(axes)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center")
        _annotate(figure, note)
    return figure


def png(figure: Figure, dpi: int = 150) -> bytes:
    """Return the figure as a PNG file's bytes, at `dpi` dots per inch."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi)
    return file.getvalue()


def save(figure: Figure, path: Path) -> None:
    """Write the figure as a PNG file of 150 dpi that appears whole; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as unfinished:
        unfinished.write_bytes(png(figure))


def _indices(
    truth: ArrayLike, prediction: ArrayLike, class_names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    both = np.concatenate([truth, prediction])
    if not len(both) or both.min() < 0 or both.max() >= len(class_names):
        named = f"0..{len(class_names) - 1}"
        raise ValueError(f"expected class indices in {named}, got {np.unique(both)}")
    return truth, prediction


def _rows(axes: Axes) -> None:
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def _annotate(figure: Figure, note: str | None) -> None:
    if note:
        figure.supxlabel(note, fontsize=9, color=VERMILION, fontweight="bold")
