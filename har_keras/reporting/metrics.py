"""Metrics of finished predictions, computed the same way on every backend."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

SMALLEST_PROBABILITY = 1e-7  # keras.config.epsilon(): the loss equals the one that Keras logs


def classification(truth: ArrayLike, probabilities: ArrayLike) -> dict[str, float]:
    """Score class probabilities.

    The macro average is over the classes that occur in `truth` or are predicted; a class that is
    never predicted has precision 0, one that never occurs has recall 0.

    Args:
        truth: int (samples,), class indices.
        probabilities: float (samples, classes), rows sum to one.

    Returns:
        `accuracy`, `macro_f1`, `weighted_precision`, `weighted_recall`, `weighted_f1` in 0..1 and
        `loss`, the mean cross-entropy in nats.

    Raises:
        ValueError: no samples, shapes that do not fit, or a class index outside 0..classes-1.
    """
    truth, probabilities = np.asarray(truth), np.asarray(probabilities, dtype=np.float64)
    if truth.ndim != 1 or probabilities.ndim != 2 or len(truth) != len(probabilities):
        raise ValueError(
            "expected truth (samples,) and probabilities (samples, classes), "
            f"got {truth.shape} and {probabilities.shape}"
        )
    if not len(truth):
        raise ValueError("expected at least one sample, got none")
    if truth.min() < 0 or truth.max() >= probabilities.shape[1]:
        raise ValueError(
            f"expected class indices in 0..{probabilities.shape[1] - 1}, "
            f"got {truth.min()}..{truth.max()}"
        )
    of_truth = probabilities[np.arange(len(truth)), truth]
    loss = float(-np.log(np.clip(of_truth, SMALLEST_PROBABILITY, 1)).mean())
    return decisions(truth, probabilities.argmax(axis=1)) | {"loss": loss}


def decisions(
    truth: ArrayLike, prediction: ArrayLike, positive: tuple[int, str] | None = None
) -> dict[str, float]:
    """Score class indices, both int (samples,): `classification` without its loss.

    `positive`, an index and a name, adds the precision, recall and F1 of that class (`spam_f1`).
    """
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    averaged = {
        average: precision_recall_fscore_support(
            truth, prediction, average=average, zero_division=0
        )
        for average in ("macro", "weighted")
    }
    figures = {
        "accuracy": accuracy_score(truth, prediction),
        "macro_f1": averaged["macro"][2],
        "weighted_precision": averaged["weighted"][0],
        "weighted_recall": averaged["weighted"][1],
        "weighted_f1": averaged["weighted"][2],
    }
    if positive is not None:
        index, name = positive
        of_it = precision_recall_fscore_support(
            truth == index, prediction == index, average="binary", zero_division=0
        )
        figures |= dict(zip(_of(name), of_it[:3], strict=True))
    return {name: float(value) for name, value in figures.items()}


def _of(name: str) -> list[str]:
    return [f"{name}_{figure}" for figure in ("precision", "recall", "f1")]


def language(surprises: ArrayLike, right: ArrayLike) -> dict[str, float]:
    """Score a language model, both (tokens,): how surprising each was (nats), if it was guessed.

    Returns:
        `loss`, the mean surprise in nats; `bits_per_character`, the same in bits; `perplexity`, its
        exponential; `accuracy` in 0..1.
    """
    loss = float(np.asarray(surprises, np.float64).mean())
    return {
        "loss": loss,
        "bits_per_character": loss / float(np.log(2)),
        "perplexity": float(np.exp(loss)),
        "accuracy": float(np.asarray(right).mean()),
    }


def forecasting(truth: ArrayLike, forecast: ArrayLike, naive_error: float) -> dict[str, float]:
    """Score forecasts, float (samples,) as is the truth, in the units of the series.

    Returns:
        `mae` and `rmse` in those units; `mape`, the mean absolute error in per cent of the truth,
        unless that is 0 somewhere; `mase`, the mean absolute error over `naive_error`, which is
        that of the seasonal naive forecast over the training values (Hyndman and Koehler 2006).

    Raises:
        ValueError: no samples, or arrays of different shapes.
    """
    truth, forecast = np.asarray(truth, np.float64), np.asarray(forecast, np.float64)
    if not truth.size or truth.shape != forecast.shape:
        raise ValueError(f"expected samples of one shape, got {truth.shape} and {forecast.shape}")
    errors = np.abs(forecast - truth)
    found = {"mae": errors.mean(), "rmse": np.sqrt((errors**2).mean())}
    if (truth != 0).all():
        found["mape"] = 100 * (errors / np.abs(truth)).mean()
    if naive_error > 0:
        found["mase"] = errors.mean() / naive_error
    return {name: float(value) for name, value in found.items()}
