import itertools
import struct
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from har_keras.reporting import figures

NAMES = ["walking", "sitting", "lying"]
TRUTH, PREDICTION = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0])


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def size(path: Path) -> tuple[int, int]:
    return struct.unpack(">II", path.read_bytes()[16:24])


def test_curves_of_train_and_validation() -> None:
    history = {
        "loss": [1.0, 0.5, 0.4],
        "val_loss": [1.1, 0.7, 0.8],
        "accuracy": [0.5, 0.7, 0.8],
        "val_accuracy": [0.4, 0.6, 0.5],
        "learning_rate": [0.1, 0.1, 0.1],
    }
    figure = figures.curves(history, best_epoch=2, note="simulated data")
    loss, accuracy = figure.axes
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("epoch", "cross-entropy loss (nats)")
    assert accuracy.get_ylabel() == "accuracy (0–1)"
    assert legend(figure) == ["train", "validation", "best epoch (2)"]
    train, validation, best = accuracy.lines
    np.testing.assert_array_equal(train.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(validation.get_ydata(), history["val_accuracy"])
    assert best.get_xdata()[0] == 2
    assert figure.get_supxlabel() == "simulated data"


def test_curves_of_one_epoch_have_visible_points(tmp_path: Path) -> None:
    history = {"loss": [1.0], "accuracy": [0.5], "test_loss": [1.1], "test_accuracy": [0.4]}
    figure = figures.curves(history, best_epoch=None)
    assert legend(figure) == ["train", "test (watched)"]
    assert all(line.get_marker() != "None" for line in figure.axes[0].lines)
    figures.save(figure, tmp_path / "curves.png")


def test_curves_of_other_metrics_and_diverged_values(tmp_path: Path) -> None:
    history = {"epoch": [4, 5, 6], "mae": [1.0, np.inf, np.nan], "val_mae": [2.0, 3.0, np.nan]}
    figure = figures.curves(history, 4, metrics={"mae": "mean absolute error (kWh)"})
    (axes,) = figure.axes
    assert axes.get_ylabel() == "mean absolute error (kWh)"
    assert list(axes.lines[0].get_xdata()) == [4, 5, 6]
    figures.save(figure, tmp_path / "curves.png")


def test_curves_without_a_known_metric() -> None:
    with pytest.raises(ValueError, match="mae"):
        figures.curves({"mae": [1.0]}, None)


def test_gradient_flow_shows_first_middle_and_last_epoch(tmp_path: Path) -> None:
    rows = [[10.0**-epoch, 1.0, 2.0] for epoch in range(7)]
    norms = {"lstm_1": rows, "lstm_2": [[0.0, np.inf, np.nan]] * 7, "forward": rows, "back": rows}
    figure = figures.gradient_flow(norms, note="simulated data")
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in shown] == list(norms)
    assert legend(figure) == ["epoch 1", "epoch 4", "epoch 7"]
    assert {axes.get_yscale() for axes in shown} == {"log"}
    np.testing.assert_array_equal([line.get_ydata()[0] for line in shown[0].lines], [1, 1e-3, 1e-6])
    assert np.isnan([line.get_ydata() for line in shown[1].lines]).all()
    assert (shown[0].get_xlabel(), shown[0].get_ylabel()) == (
        "time step, in the order taken",
        "norm of ∂loss/∂h",
    )
    figures.save(figure, tmp_path / "gradient_flow.png")
    figures.save(figures.gradient_flow({"gru": [[1.0]]}), tmp_path / "one.png")
    figures.save(figures.gradient_flow({"gru": [[0.0, 0.0]]}), tmp_path / "none.png")


@pytest.mark.parametrize("norms", [{}, {"gru": []}])
def test_gradient_flow_of_nothing(norms: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least one layer and epoch"):
        figures.gradient_flow(norms)


def test_confusion_shows_counts_and_shares_of_the_true_class() -> None:
    axes, bar = figures.confusion(TRUTH, PREDICTION, NAMES).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    assert bar.get_ylabel() == "share of the true class (%)"
    rows = "2, 66.7 %, 1, 33.3 %, 0", "0, 2, 100.0 %, 0", "1, 100.0 %, 0, 0"
    assert ", ".join(texts(axes)) == ", ".join(rows)
    assert [label.get_text() for label in axes.get_yticklabels()] == NAMES


@pytest.mark.parametrize("classes", [2, 20])
def test_confusion_texts_fit_their_cells(classes: int) -> None:
    truth = np.repeat(np.arange(classes - 1), 1000)  # the last class never occurs
    names = [f"WALKING_UPSTAIRS_${k}$" for k in range(classes)]
    figure = figures.confusion(truth, truth, names, note="simulated data")
    figure.draw_without_rendering()
    axes = figure.axes[0]
    (left, _), (right, _) = axes.transData.transform([(0, 0), (1, 0)])
    assert max(text.get_window_extent().width for text in axes.texts) < right - left
    labels = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert all(over.y0 >= under.y1 for over, under in itertools.pairwise(labels))
    assert min(label.x0 for label in labels) > axes.yaxis.label.get_window_extent().x1 > 0


def test_per_class_shows_scores_and_support() -> None:
    figure = figures.per_class(TRUTH, PREDICTION, NAMES)
    (axes,) = figure.axes
    precision, recall, f1 = "0.667 0.667 0.000", "0.667 1.000 0.000", "0.667 0.800 0.000"
    assert " ".join(texts(axes)) == f"{precision} {recall} {f1}"
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["walking\n(n = 3)", "sitting\n(n = 2)", "lying\n(n = 1)"]
    assert legend(figure) == ["precision", "recall", "F1"]
    assert axes.get_xlabel() == "score (0–1)"


def test_per_group_shows_accuracy_windows_and_overall_mean() -> None:
    figure = figures.per_group(TRUTH, PREDICTION, [7, 7, 7, 12, 12, 12], note="simulated data")
    (axes,) = figure.axes
    assert texts(axes) == ["66.7 %   n = 3", "66.7 %   n = 3"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("accuracy (%)", "test subject")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["7", "12"]
    assert legend(figure) == ["all 6 windows: 66.7 %"]


def test_per_group_of_one_perfect_group(tmp_path: Path) -> None:
    figure = figures.per_group(TRUTH, TRUTH, ["a"] * 6, group_name="document")
    figures.save(figure, tmp_path / "groups.png")
    assert figure.axes[0].get_xlim()[1] == 100


@pytest.mark.parametrize("prediction", [[0, 3], [0, -1]])
def test_a_class_without_a_name_is_refused(prediction: list[int]) -> None:
    with pytest.raises(ValueError, match=r"class indices in 0\.\.2"):
        figures.confusion([0, 1], prediction, NAMES)
    with pytest.raises(ValueError, match=r"class indices in 0\.\.2"):
        figures.per_class([0, 1], prediction, NAMES)


@pytest.mark.parametrize("groups", [[1], [[1, 2]]])
def test_groups_of_another_shape_are_refused(groups: list[Any]) -> None:
    with pytest.raises(ValueError, match="one shape"):
        figures.per_group([0, 1], [0, 1], groups)


def test_a_figure_is_saved_whole_and_leaves_settings_alone(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    figure = figures.per_class(TRUTH, PREDICTION, NAMES)
    figures.save(figure, tmp_path / "figures" / "per_class.png")
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["per_class.png"]
    assert size(tmp_path / "figures" / "per_class.png")[0] == 7 * 150
    assert dict(matplotlib.rcParams) == before


def test_a_figure_that_cannot_be_drawn_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = figures.per_class(TRUTH, PREDICTION, NAMES)
    path = tmp_path / "per_class.png"
    path.write_bytes(b"the one before")
    monkeypatch.setattr(figure, "savefig", lambda *_, **__: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        figures.save(figure, path)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [
        ("per_class.png", b"the one before")
    ]
