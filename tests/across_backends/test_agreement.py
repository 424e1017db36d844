"""What must be equal on every backend. Needs all three in one environment: `tox -e across`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from har_keras.backend import BACKENDS, installed
from har_keras.config import choices

pytestmark = pytest.mark.skipif(
    not all(map(installed, BACKENDS)), reason="needs JAX, TensorFlow and torch together"
)
ENCODERS = [name for name in choices("model") if name != "encoder_decoder"]
SCRIPT = Path(__file__).with_name("one_backend.py")
FIRST, *OTHERS = BACKENDS


def on(backend: str, *arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def losses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[float]]]:
    folder = tmp_path_factory.mktemp("losses")
    for backend in BACKENDS:
        on(backend, "first_losses", folder / backend)
    return {backend: json.loads((folder / backend).read_text()) for backend in BACKENDS}


@pytest.fixture(scope="module")
def probabilities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, np.ndarray]]:
    folder = tmp_path_factory.mktemp("models")
    for task in ("save", "predict"):
        for backend in BACKENDS:
            on(backend, task, folder)
    return {backend: dict(np.load(folder / f"{backend}.npz")) for backend in BACKENDS}


@pytest.mark.parametrize("backend", OTHERS)
def test_first_training_losses_agree(losses, backend: str) -> None:
    assert set(losses[FIRST]) >= {f"model={name}" for name in ENCODERS}
    assert any("model=encoder_decoder" in name for name in losses[FIRST])
    assert set(losses[FIRST]) >= {f"model=gru optimizer={name}" for name in choices("optimizer")}
    for name, expected in losses[FIRST].items():
        assert len(expected) == 20
        np.testing.assert_allclose(losses[backend][name], expected, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("backend", OTHERS)
def test_saved_models_predict_the_same_everywhere(probabilities, backend: str) -> None:
    assert len(probabilities[FIRST]) == len(ENCODERS) * len(BACKENDS)
    for name, expected in probabilities[FIRST].items():
        np.testing.assert_allclose(probabilities[backend][name], expected, atol=1e-5, err_msg=name)
