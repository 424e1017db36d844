"""The task of one worker, in a Python process of Spark's: start or go on with the run."""

import json
import os
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from rich.console import Console

from har_keras import backend, pipeline, run_folder
from har_keras.backend import Spark
from har_keras.config import Config
from har_keras.errors import UserError
from har_keras.reporting.tensorboard import TensorBoard
from har_keras.tasks import TaskData

DYING = 30.0  # seconds that a worker of an earlier attempt is waited for


@dataclass(frozen=True)
class Job:
    """What the driver tells each worker; `driver` is the address that hears from it."""

    config: Config
    folder: Path
    overrides: list[str]
    arguments: list[str]
    working_folder: Path
    driver: tuple[str, int]
    token: bytes
    terminal: bool
    width: int


class Driver:
    """The line to the driver: a file that is printed there."""

    def __init__(self, job: Job) -> None:
        """Connect."""
        self.connection = socket.create_connection(job.driver)
        self.connection.sendall(job.token)

    def tell(self, kind: str, text: str) -> None:
        """Send one line of JSON."""
        self.connection.sendall(json.dumps([kind, text]).encode() + b"\n")

    def write(self, text: str) -> None:
        """Have it printed."""
        self.tell("text", text)

    def flush(self) -> None:
        """Nothing waits here."""


def work(job: Job, _: Iterator[Any]) -> Iterator[None]:
    """One task of the barrier stage; raise `ConnectionError` where another worker is lost.

    The stage is then run again. Any other error ends the run: the driver is told.
    """
    from pyspark import BarrierTaskContext

    context = BarrierTaskContext.get()
    driver = Driver(job)
    host = context.getTaskInfos()[context.partitionId()].address.rpartition(":")[0]
    try:
        with run_folder.full_or_forbidden_told():
            train(job, context, host, driver)
    except ConnectionError:
        raise
    except UserError as error:
        driver.tell("refused", f"{error} (worker {context.partitionId()}, {host})")
        raise
    except Exception:
        driver.tell("broken", traceback.format_exc())
        raise
    return iter(())


def train(job: Job, context: Any, host: str, driver: Any) -> None:
    """Take part as worker `context.partitionId()`, at `host`; `driver` is a file to print to."""
    config, number = job.config, context.partitionId()
    hardware = cast(Spark, config.hardware)
    if not job.folder.is_dir():
        raise UserError(
            f"{job.folder}: no such folder on this machine, expected a run folder that all workers"
            " share; choose one on a shared file system with hydra.run.dir=…"
        )
    with suppress(OSError):
        os.chdir(job.working_folder)
    sys.argv[1:] = job.arguments
    backend.check(config.backend, config.hardware)
    backend.start(config.backend, config.hardware, config.seed)
    from har_keras.distributed import synchronous
    from har_keras.distributed.ring import Ring
    from har_keras.distributed.share import Share

    if hardware.strategy == "synchronous":
        synchronous.join(number, hardware.workers, host, context.allGather)
    with closing(Ring(number, host, job.token, context.allGather)) as ring:
        if number:
            _follow(Share(config, ring, pipeline.load(config)), job)
        else:
            _lead(partial(Share, config, ring), job, driver)
        ring.sum(np.zeros(1))  # a process group needs all its members until the end


def _follow(share: Any, job: Job) -> None:
    """Train along with the first worker, and write nothing."""
    nothing = TensorBoard(job.folder / "tensorboard")
    model = pipeline.build(job.config, share.whole)
    share.fit(model, job.folder, nothing, Console(quiet=True))


def _lead(share: Any, job: Job, driver: Any) -> None:
    """Do the run, its fit by all workers."""
    console = Console(file=driver, force_terminal=job.terminal, width=job.width)
    _wait_for(job.folder)
    known = job.folder / "run.json"
    earlier = run_folder.read_json(known) if known.exists() else None

    def fit(model: Any, data: TaskData, board: TensorBoard) -> Any:
        return share(data).fit(model, job.folder, board, console)

    pipeline.run(job.config, job.folder, job.overrides, console, earlier, fit)


def _wait_for(folder: Path) -> None:
    """Wait until the worker of an earlier attempt has let go of the run folder."""
    for _ in range(int(DYING / 0.1)):
        try:
            with run_folder.locked(folder):
                return
        except UserError:
            time.sleep(0.1)
