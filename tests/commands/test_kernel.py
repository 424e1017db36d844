"""`hardware.kernel=`: the same figures on every path, and what is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from har_keras.commands import evaluate, predict
from har_keras.layers import kernels


@pytest.fixture(autouse=True)
def _own_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that runs in this process leaves no choice behind."""
    monkeypatch.setattr(kernels, "choice", kernels.choice)


def path_of(folder: Path) -> str:
    """Which path the one recurrent layer of a run took."""
    return json.loads((folder / "run.json").read_text())["kernel"]["simple_rnn_1"]


def assert_same_figures(folder: Path, finished: Path) -> None:
    figures, stored = (json.loads((f / "metrics.json").read_text()) for f in (folder, finished))
    for split in ("train", "validation", "test"):
        assert figures[split] == pytest.approx(stored[split], abs=1e-5)


def test_predict_and_evaluate(
    finished: tuple[Path, str], recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, found = f"run={finished[0]}", []
    choices = ["auto", "reference", *(["fast"] if path_of(finished[0]) != "keras loop" else [])]
    for choice in choices:
        predict.main([run, f"hardware.kernel={choice}", f"input={recording}"])
        assert kernels.choice == choice
        found.append(
            [float(line.split(",")[3]) for line in capsys.readouterr().out.splitlines()[1:]]
        )
    np.testing.assert_allclose(found[1:], found[:1] * (len(found) - 1), atol=1e-4)
    evaluate.main([run, f"hardware.kernel={choices[-1]}", f"output={tmp_path / 'again'}"])
    assert_same_figures(tmp_path / "again", finished[0])


def test_a_resumed_run(har_keras: Callable, finished: tuple[Path, str], tmp_path: Path) -> None:
    """All its epochs are done, so that its evaluation is all that is left."""
    folder = shutil.copytree(finished[0], tmp_path / "run")
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    done = har_keras(f"training.resume={folder}", "hardware.kernel=reference", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert path_of(folder) == "keras loop"
    assert_same_figures(folder, finished[0])


def test_a_layer_without_a_fast_kernel(har_keras: Callable, tmp_path: Path) -> None:
    options = "model=graves_lstm", "task.source=simulated", "hardware.kernel=fast"
    done = har_keras(*options, cwd=tmp_path)
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert "hardware.kernel=fast: graves_lstm_1 (GravesLSTM) has no fast kernel" in line
    assert "hardware.kernel=auto" in line
    assert "Traceback" not in done.stderr


def test_layers_of_keras_choose_by_themselves(refuse: Callable) -> None:
    line = refuse("model.layers=keras", "hardware.kernel=reference")
    assert "hardware.kernel=reference: expected auto with model.layers=keras" in line
