import pytest

from har_keras.config import Reference
from har_keras.reporting.reproduction import to_markdown
from har_keras.reporting.runs import Run


def run(experiment: str, seed: int, accuracy: float, status: str = "completed") -> Run:
    record = {"experiment": experiment, "backend": "jax", "seed": seed}
    figures = {"test": {"accuracy": accuracy}, "timing": {"fit_seconds": 90}}
    return Run(None, status, record, figures | {"baselines": {"linear": {"accuracy": 0.5}}})


def cells(reference: Reference, *runs: Run) -> list[str]:
    text = to_markdown({"theirs": reference}, runs)
    row = next(line for line in text.splitlines() if line.startswith("| `theirs`"))
    return [cell.strip() for cell in row.split("|")[1:-1]]


@pytest.mark.parametrize(
    ("accuracies", "told"),
    [
        ((0.88, 0.92), "yes"),
        ((0.80, 0.81), "no"),
        ((0.98, 0.99), "surpassed"),
        ((0.85,), "one seed, -0.050"),
        ((), "–"),
    ],
)
def test_whether_a_published_figure_is_reproduced(accuracies, told: str) -> None:
    reference = Reference(published="90 %", value=0.9)
    runs = [run("theirs", seed, accuracy) for seed, accuracy in enumerate(accuracies)]
    assert cells(reference, *runs, run("theirs", 9, 0.1, "failed"))[4] == told


def test_ours_stands_beside_it_with_what_needs_no_recurrence() -> None:
    reference = Reference(published="90 %", value=0.9, sound="ours")
    row = cells(reference, run("theirs", 0, 0.8), run("ours", 0, 0.7), run("ours", 1, 0.8))
    assert row[1:4] == ["test/accuracy", "90 %", "0.8000 (jax, seed 0)"]
    assert row[5:] == ["0.7500 ± 0.0707 (jax, seeds 0 1)", "linear 0.5000", "1.5"]


def test_a_metric_of_ours_that_differs_is_named() -> None:
    reference = Reference(metric="validation/accuracy", sound="ours", sound_metric="test/accuracy")
    row = cells(reference, run("ours", 0, 0.7))
    assert row[1] == "validation/accuracy; ours test/accuracy"
    assert row[5] == "0.7000 (jax, seed 0)"
