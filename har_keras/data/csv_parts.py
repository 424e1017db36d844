"""Many CSV files, read in this process, in several, or on Apache Spark: one sequence a file.

Who reads writes the numbers down, and tells only where they are: they are never all in memory.
"""

import hashlib
import os
import shutil
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from har_keras.data.csv_sequences import BadFile, CsvSequence, Format, read
from har_keras.errors import UserError

if TYPE_CHECKING:
    from rich.progress import Progress

FILES_EACH = 50  # that make it worth while to start a process
PART = 10  # files that a process takes at a time, at least
PARTS = 100  # at most, as each is a file that is kept open
SLICES = 4  # tasks on Spark for each core, at least
SLICE = 200  # files of such a task, at most
NOT_SHARED = (
    "{}: an executor cannot write there ({}), expected a folder that all machines share; choose the"
    " cache with HAR_KERAS_CACHE"
)


@dataclass(frozen=True, eq=False)
class Written:
    """One file whose `steps` x features numbers were written to `part`, from number `start` on.

    `mean` and `variance`, float64 (features,), and `sha256` are of these numbers; the rest is as
    `CsvSequence` has it.
    """

    path: str
    labels: tuple[str, ...]
    columns: tuple[str, ...]
    part: int
    start: int
    steps: int
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    sha256: str


Part = list[Written | BadFile]
Job = tuple[list[str], int, Format, Path]


def write_all(paths: list[str], form: Format, readers: int | None, folder: Path) -> Part:
    """Read all files and write their numbers into `folder`; what is known of each, in their order.

    Through Spark where a session is active, else by as many processes as `readers` says (None: a
    core each), where there are files enough. This process is one of them: while others start, it
    takes back the last files that wait. However many read, the arrays are the same.
    """
    size = max(PART, -(-len(paths) // PARTS))
    parts = [paths[i : i + size] for i in range(0, len(paths), size)]
    jobs = [(part, number, form, folder) for number, part in enumerate(parts)]
    readers = min(readers or os.cpu_count() or 1, len(paths) // FILES_EACH)
    with _progress() as progress:
        bar = progress.add_task(f"reading {len(paths)} files", total=len(jobs))
        done = partial(progress.update, bar)
        if session := _spark():
            found = _by_spark(session.sparkContext, jobs, len(paths) // SLICE, done)
        elif readers > 1:
            found = _by_processes(readers, jobs, done)
        else:
            found = []
            for job in jobs:
                found.append(write_part(*job))
                done(advance=1)
    return [file for part in found for file in part]


def _by_processes(readers: int, jobs: list[Job], done: Callable[..., None]) -> list[Part]:
    with ProcessPoolExecutor(readers - 1, get_context("spawn"), _leave_with_parent) as pool:
        given = [pool.submit(write_part, *job) for job in jobs]
        for future in given:
            future.add_done_callback(lambda _: done(advance=1))
        backwards = reversed(list(zip(given, jobs, strict=True)))
        try:
            own = {future: write_part(*job) for future, job in backwards if future.cancel()}
            return [own[future] if future in own else future.result() for future in given]
        except BaseException:
            shutil.rmtree(jobs[0][-1], ignore_errors=True)
            pool.shutdown(cancel_futures=True)
            raise


def _by_spark(context: Any, jobs: list[Job], tasks: int, done: Callable[..., None]) -> list[Part]:
    """In `tasks` tasks, or more; raise `UserError` where one cannot write."""
    count = context.accumulator(0)

    def counted(job: Job) -> Part | OSError:
        """Tell what cannot be written: raised, it would be tried again."""
        try:
            part = write_part(*job)
        except OSError as error:
            return error
        count.add(1)
        return part

    tasks = min(len(jobs), max(tasks, SLICES * context.defaultParallelism))
    stage = context.parallelize(jobs, tasks).map(counted)
    reading = ThreadPoolExecutor(1).submit(stage.collect)
    while not wait([reading], timeout=0.5).done:
        done(completed=count.value)
    for part in reading.result():
        if isinstance(part, OSError):
            raise UserError(NOT_SHARED.format(jobs[0][-1], part.strerror)) from part
    return reading.result()


def write_part(paths: list[str], number: int, form: Format, folder: Path) -> Part:
    """Read some files one after the other and write their numbers into one file of `folder`.

    It gets its name at the end: on Spark, two may write the same part at once. Raises
    `FileNotFoundError` once the folder is gone.
    """
    unfinished, found = folder / f"{uuid4().hex}.tmp", []
    with unfinished.open("wb") as file:
        for path in paths:
            unfinished.stat()
            found.append(_written(file, number, read(path, form)))
    unfinished.replace(folder / part_name(number))
    return found


def part_name(number: int) -> str:
    """The file of a part: float32, little-endian, and nothing else."""
    return f"{number}.f4"


def _written(file: BinaryIO, number: int, found: CsvSequence | BadFile) -> Written | BadFile:
    if isinstance(found, BadFile):
        return found
    numbers = np.ascontiguousarray(found.x, "<f4")
    start = file.tell() // numbers.itemsize
    file.write(numbers.data)
    exact = found.x.astype(np.float64)
    return Written(
        found.path,
        found.labels,
        found.columns,
        number,
        start,
        len(numbers),
        exact.mean(0),
        exact.var(0),
        hashlib.sha256(numbers.data).hexdigest(),
    )


def _leave_with_parent() -> None:
    """End this process when its parent has ended, however that was, and not by Ctrl-C before."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait() -> None:
        if parent := parent_process():
            parent.join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()


def _spark() -> Any:
    if "pyspark" not in sys.modules:
        return None
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession()


def _progress() -> "Progress":
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True)
    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
