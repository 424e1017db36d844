"""Metrics of tagged tokens: spans that agree exactly, and the scores of a published protocol."""

import warnings
from collections.abc import Sequence

import numpy as np
from scipy.special import log_softmax
from seqeval.metrics import classification_report
from sklearn.metrics import precision_recall_fscore_support

Tags = Sequence[Sequence[Sequence[str]]]  # samples, layers, steps


def spans(truth: Tags, predicted: Tags) -> dict[str, float]:
    """Score spans of BIO tags, all layers together: kind, begin and end must agree.

    Returns:
        `precision`, `recall`, `f1` over all spans (micro average), `f1_<kind>` for each kind of
        span in `truth`; 0 where there is nothing to divide by.
    """
    sequences = [[layer for sample in tags for layer in sample] for tags in (truth, predicted)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about kinds that are never predicted
        report = classification_report(*sequences, output_dict=True, zero_division=0)
    names = {"precision": "precision", "recall": "recall", "f1": "f1-score"}
    kinds = [kind for kind in report if not kind.endswith(" avg")]
    found = {ours: float(report["micro avg"][theirs]) for ours, theirs in names.items()}
    return found | {f"f1_{kind}": float(report[kind]["f1-score"]) for kind in kinds}


def loss(truth: np.ndarray, logits: np.ndarray) -> float:
    """Mean cross-entropy (nats) of logits (…, tags) over truth (…), where that is not negative."""
    real = truth >= 0
    log_probabilities = log_softmax(logits[real].astype("float64"), axis=-1)
    return float(-np.take_along_axis(log_probabilities, truth[real][:, None], -1).mean())


def padded(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """The published scores of `ade_bilstm`, from int arrays (samples, timesteps).

    Padding (negative in `truth`) counts as steps of the first class, for that is what an empty
    one-hot row says; the scores of each sentence, weighted by how often a class is **predicted**,
    are averaged over sentences. So a model that tags nothing has precision 1, and its recall is the
    share of steps that are no padding.
    """
    scores = np.array(
        [
            precision_recall_fscore_support(found, labels, average="weighted", zero_division=0)[:3]
            for labels, found in zip(np.maximum(truth, 0), predicted, strict=True)
        ]
    )
    precision, recall, f1 = scores.mean(0)
    return {
        "padded_precision": float(precision),
        "padded_recall": float(recall),
        "padded_f1": float(f1),
        "padded_f1_above_0.6": float((scores[:, 2] > 0.6).mean()),
    }
