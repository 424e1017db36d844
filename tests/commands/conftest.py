import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from har_keras.__main__ import main
from har_keras.data.preprocessing import RAW


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run a command line that must be refused and return its line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", "jax"))

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["har_keras", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        line = str(stopped.value)
        assert line.startswith("har_keras: ")
        assert "\n" not in line
        assert len(line) < 400
        return line

    return run


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, capsys):
    """What a command prints of a run folder, in this process, where Keras runs already."""

    def run(folder: Path, command: str, *arguments: str) -> str:
        record = json.loads((folder / "run.json").read_text())
        monkeypatch.setenv("KERAS_BACKEND", record["backend"])
        monkeypatch.setattr(sys, "argv", ["har_keras", command, f"run={folder}", *arguments])
        main()
        return capsys.readouterr().out

    return run


def _motion(time: np.ndarray) -> np.ndarray:
    """A phone held upright that sways: (timesteps, 6), g and rad/s."""
    phase = 2 * np.pi * time[:, None] * [0.7, 1.1, 1.9, 0.5, 2.3, 3.1] + np.arange(6)
    return 0.2 * np.sin(phase) + [0.1, 0.0, 0.97, 0, 0, 0]


def _write(path: Path, time: np.ndarray, x: np.ndarray, columns: tuple[str, ...] = RAW) -> Path:
    """A recording as CSV, with two decimals of a second and six of the sensors."""
    rows = (
        ",".join((f"{t:.10g}", *(f"{v:.6f}" for v in row))) for t, row in zip(time, x, strict=True)
    )
    path.write_text("\n".join([",".join(("time", *columns)), *rows, ""]))
    return path


@pytest.fixture
def motion():
    return _motion


@pytest.fixture
def write():
    return _write


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of six channels at 50 Hz."""
    time = np.arange(1000) / 50
    return _write(tmp_path_factory.mktemp("recordings") / "phone.csv", time, _motion(time))


@pytest.fixture(scope="session")
def loaded(finished):
    """The finished run at work in this process."""
    import har_keras

    return har_keras.load_run(finished[0])
