import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from har_keras.reporting import tables

PATH = "/home/somebody/projects/har_keras/outputs/har/bidirectional_lstm/jax/2026-11-20_23-33-31/"


def printed(width: int = 80, **changed: Any) -> str:
    console = Console(width=width, file=io.StringIO())
    arguments = {
        "title": "har · bilstm [jax]",
        "rows": {
            "train": {"accuracy": 0.98, "loss": 0.05},
            "validation": {"accuracy": 0.93125, "weighted_precision": 0.9, "loss": 0.2},
            "test": {},
        },
        "facts": {"time": "1 min 3 s", "run folder": PATH, "TensorBoard": f"tb --logdir {PATH}"},
    }
    tables.summary(console, **arguments | changed)
    return console.file.getvalue()


def test_metrics_by_split() -> None:
    lines = printed().splitlines()
    assert lines[0].strip() == "har · bilstm [jax]"
    cells = [
        [cell.strip() for cell in line.strip("│┃").split("│")] for line in lines if "│" in line
    ]
    assert cells == [
        ["accuracy", "0.9800", "0.9313"],
        ["loss", "0.0500", "0.2000"],
        ["weighted precision", "–", "0.9000"],
    ]
    assert "test" not in printed()


def test_paths_stand_unbroken_on_their_own_lines() -> None:
    lines = printed(width=40).splitlines()
    assert f"  {PATH}" in lines
    assert f"  tb --logdir {PATH}" in lines
    assert "time         1 min 3 s" in lines


def test_the_table_fits_80_columns() -> None:
    metrics = ("accuracy", "macro_f1", "weighted_precision", "weighted_recall", "loss")
    rows = {split: dict.fromkeys(metrics, 0.5) for split in ("train", "validation", "test")}
    assert max(map(len, printed(rows=rows, facts={}).splitlines())) <= 80


@given(st.floats(-1e300, 1e300))
def test_numbers_keep_four_digits(value: float) -> None:
    assert float(tables.number(value)) == pytest.approx(value, rel=5e-4, abs=5e-5)


def test_undefined_numbers_are_printed() -> None:
    assert [tables.number(float(x)) for x in ("nan", "inf", "-inf")] == ["nan", "inf", "-inf"]
