import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

ARGUMENTS = (
    "task.source=simulated",
    "model=lstm",
    "model.units=4",
    "training.epochs=2",
    "training.batch_size=1008",
)
BACKEND = os.environ.get("KERAS_BACKEND", "jax")
SCRIPT = """
import sys
if {two} and {backend!r} == "tensorflow":
    import tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from har_keras.__main__ import main
sys.argv = ["har_keras", *{arguments!r}]
main()
"""


def validation_losses(folder: Path, *arguments: str) -> list[float]:
    two = len(arguments) > 0
    folder.mkdir()
    script = SCRIPT.format(two=two, backend=BACKEND, arguments=[*ARGUMENTS, *arguments])
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"} if two else {}
    subprocess.run([sys.executable, "-c", script], cwd=folder, env=os.environ | flags, check=True)
    (history,) = folder.rglob("history.csv")
    with history.open() as file:
        return [float(row["val_loss"]) for row in csv.DictReader(file)]


@pytest.mark.skipif(BACKEND == "torch", reason="torch refuses data_parallel, see test_bad_inputs")
def test_two_devices_learn_what_one_does(tmp_path: Path) -> None:
    two = validation_losses(
        tmp_path / "two", "hardware=data_parallel", "training.gradient_flow=true"
    )
    assert two == pytest.approx(validation_losses(tmp_path / "one"), rel=3e-4)
