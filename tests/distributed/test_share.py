"""Two workers and one process with the same batches, without Spark between them."""

import multiprocessing
import os
import sys
from multiprocessing.queues import Queue
from pathlib import Path

import pytest

from har_keras.config import from_overrides
from har_keras.distributed.worker import Job, train

BACKEND = os.environ.get("KERAS_BACKEND", "jax")
SETTINGS = (
    f"backend={BACKEND}",
    "task=char_lm",
    "task.path=text.txt",
    "task.timesteps=10",
    "task.samples=0",
    "model=graves_lstm",
    "model.units=4",
    "training.epochs=3",
    "training.patience=1",
    "hardware.device=cpu",
    "hardware.threads=1",
)
SPARK = ("hardware=spark", "hardware.batch_size_per_worker=2")


class Context:
    """Spark's barrier context, of two workers."""

    def __init__(self, number: int, inboxes: list["Queue[str]"]) -> None:
        self.number, self.inboxes = number, inboxes

    def partitionId(self) -> int:
        return self.number

    def allGather(self, own: str) -> list[str]:
        self.inboxes[1 - self.number].put(own)
        other = self.inboxes[self.number].get(timeout=200)
        return [own, other] if self.number == 0 else [other, own]


def work(number: int, inboxes: list["Queue[str]"], folder: Path, overrides: list[str]) -> None:
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    config = from_overrides(overrides)
    job = Job(config, folder, overrides, [], folder.parent, ("", 0), bytes(32), False, 80)
    train(job, Context(number, inboxes), "127.0.0.1", sys.stdout)


@pytest.fixture(scope="module")
def place(letters: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spark")
    (folder / "text.txt").write_text(letters)
    return folder


def of_two(place: Path, name: str, *overrides: str) -> Path:
    """The run folder of two workers, each a process of its own."""
    folder = place / name
    folder.mkdir(exist_ok=True)
    fresh = multiprocessing.get_context("spawn")
    inboxes: list[Queue[str]] = [fresh.Queue(), fresh.Queue()]
    arguments = (inboxes, folder, [*SETTINGS, *SPARK, *overrides])
    workers = [fresh.Process(target=work, args=(number, *arguments)) for number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(250)
    assert [worker.exitcode for worker in workers] == [0, 0]
    return folder


CASES = {
    "averaging": ("hardware.averaging_frequency=1", "optimizer=sgd", "optimizer.learning_rate=1"),
    "synchronous": (
        "hardware.strategy=synchronous",
        "optimizer=rmsprop",
        "optimizer.learning_rate=0.01",
        "optimizer.clip_norm=0.1",
        "training.l2=0.001",
    ),
}


@pytest.mark.parametrize("strategy", CASES)
def test_two_workers_learn_what_one_process_does(
    har_keras, training_losses, place: Path, strategy: str
) -> None:
    if (BACKEND, strategy) == ("tensorflow", "synchronous"):
        pytest.skip("TensorFlow has no such strategy, see test_bad_inputs")
    own = [o for o in CASES[strategy] if not o.startswith("hardware")]
    one = (*SETTINGS, *own, "training.batch_size=4", f"hydra.run.dir=one_{strategy}")
    done = har_keras(*one, cwd=place)
    assert done.returncode == 0, done.stderr
    expected = training_losses(place / f"one_{strategy}")
    found = training_losses(of_two(place, strategy, *CASES[strategy]))
    assert found == pytest.approx(expected, abs=1e-5)
    assert expected[-1] < expected[0]
