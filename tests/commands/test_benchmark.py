import csv
import os
from pathlib import Path

import pytest

from har_keras.benchmark import contenders, results
from har_keras.benchmark.config import Shape, present
from har_keras.commands.benchmark import configured, orders

TINY = "{batch: 4, timesteps: 6, features: 3, units: 5, depth: 2, mask: true}"


def test_own_layers_and_all_peers_are_timed(har_keras, tmp_path: Path) -> None:
    backend = os.environ.get("KERAS_BACKEND") or present()[0]
    small = ("~benchmark", f"+shapes.S={TINY}", "cells=[lstm,gru]", "repeats=3", "output=out")
    done = har_keras("benchmark", *small, f"backends=[{backend}]", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "benchmark.csv").open() as file:
        rows = list(csv.DictReader(file))
    kinds = contenders.names(backend, peers=True)
    found = [(row["cell"], row["mode"], row["kind"]) for row in rows]
    assert found == [
        (cell, mode, kind)
        for cell in ("lstm", "gru")
        for mode in ("train", "predict")
        for kind in kinds
    ]
    for row in rows:
        assert 0 < float(row["lower_quartile"]) <= float(row["median"])
        assert float(row["median"]) <= float(row["upper_quartile"])
    table = (tmp_path / "out" / "benchmark.md").read_text()
    assert table.count("\n") == 2 + len(rows)
    pictures = {path.name for path in (tmp_path / "out").glob("*.png")}
    assert pictures == {"growth_train.png", "growth_predict.png"}


def row(kind: str, backend: str, median: float) -> dict[str, object]:
    named = {"name": "S", "cell": "lstm", "mode": "train", "kind": kind, "backend": backend}
    times = dict.fromkeys(("lower_quartile", "median", "upper_quartile", "first_seconds"), median)
    return named | times | {"gflops": 1.0, "peak_gflops": 4.0, "megabytes": None}


def test_ratios_are_to_the_fastest_peer() -> None:
    rows = [
        row("own", "jax", 2.0),
        row("keras", "jax", 4.0),
        row("scan", "jax", 3.0),
        row("own", "torch", 0.5),
        row("keras", "torch", 1.0),
    ]
    header, lines = results.table(rows)
    ratios = [line[header.index("to peers") :][:2] for line in lines]
    assert ratios[0] == ["0.67", "2.00"]
    assert ratios[1] == ["1.33", "4.00"]
    assert ratios[3] == ["0.50", "0.50"]
    assert lines[0][header.index("of peak")] == "25%"


def test_arithmetic_of_a_pass() -> None:
    shape = Shape(batch=2, timesteps=3, features=5, units=7, depth=2)
    assert shape.forward_flops("lstm") == 2 * 3 * (2 * (5 + 7) * 28 + 2 * (7 + 7) * 28)


def test_masked_rows_are_padded_on_the_left() -> None:
    x, _, lengths = contenders.data(Shape(batch=50, timesteps=20, mask=True))
    assert ((x != 0).all(-1).sum(1) == lengths).all()
    assert (x[:, -1] != 0).all()


@pytest.mark.parametrize("name", ["bars", "growth"])
def test_shipped_shapes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = configured([f"benchmark={name}"])
    for order in orders(config):
        assert len(order["jobs"]) == len(config.shapes) * len(config.cells)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("cells=[lstmm]", "did you mean 'lstm'?"),
        ("backends=[theano]", "expected one of jax"),
        ("repeats=2", "repeats=2: expected at least 3"),
        ("shapes.A.batch=0", "shapes.A.batch=0: expected a whole number, at least 1"),
        ("shapes.A.batch=many", "shapes.A.batch=many: expected a whole number"),
        ("+shapes.A.unit=3", "did you mean 'units'?"),
        ("+shapes.S=3", "shapes.S=3: expected {batch, timesteps"),
        ("benchmark=bar", "did you mean 'bars'?"),
        ("repeat=5", "did you mean 'repeats'?"),
    ],
)
def test_mistakes(refuse, argument: str, expected: str, tmp_path: Path) -> None:
    assert expected in refuse("benchmark", argument)
    assert not list(tmp_path.iterdir())
