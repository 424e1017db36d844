import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TINY = (
    "task.source=simulated",
    "model=simple_rnn",
    "model.units=4",
    "training.epochs=2",
    "training.batch_size=2048",
)

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["HAR_KERAS_CACHE"] = str(tmp_path_factory.mktemp("cache"))


def shell(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m har_keras …` as a user types it, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "har_keras", *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="session")
def har_keras() -> Shell:
    return shell


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run folder made through the command line on simulated data, and what the console showed."""
    folder = tmp_path_factory.mktemp("runs")
    done = shell(*TINY, cwd=folder)
    assert done.returncode == 0, done.stderr
    (record,) = folder.rglob("run.json")
    return record.parent, done.stdout
