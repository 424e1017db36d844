"""The sweep launcher: every job of a multirun in a fresh process, with a backend of its own.

A sweep that is started again in its old folder finds its jobs there by their overrides: completed
ones are taken as they are, the others go on from their last checkpoint.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus, filter_overrides
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from har_keras import backend
from har_keras.config import overrides_of
from har_keras.errors import UserError
from har_keras.reporting.runs import Run
from har_keras.run_folder import is_running, read_finished, read_json


@dataclass
class Options:
    """Schema of `hydra.launcher`: `n_jobs` run at a time and share the cores."""

    _target_: str = "hydra_plugins.har_keras_launcher.ProcessLauncher"
    n_jobs: int = 1


ConfigStore.instance().store(group="hydra/launcher", name="processes", node=Options)


@dataclass
class Job:
    """One job: `state` is waiting, running, completed or failed; `result` says how it stands."""

    folder: Path
    overrides: Sequence[str]
    state: str = "waiting"
    result: str = ""
    objective: float | None = None
    process: subprocess.Popen[bytes] | None = None


class Failed(JobReturn):
    """The return of a failed job; Hydra's own prints a line before it raises."""

    @property  # type: ignore[misc]
    def return_value(self) -> Any:
        """Raise the error."""
        raise self._return_value


class ProcessLauncher(Launcher):
    """Starts `python -m har_keras <overrides>` for each job and shows a line for each."""

    def __init__(self, n_jobs: int) -> None:
        """Raise `UserError` unless `n_jobs` is positive."""
        if n_jobs < 1:
            raise UserError(f"hydra.launcher.n_jobs={n_jobs}: expected at least 1")
        self.n_jobs = n_jobs

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep the sweep's config, which names the folders."""
        self.config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run all jobs, the failing ones too; each returns the value of `training.monitor`.

        The return of a failed job raises `UserError` when it is looked at.
        """
        overrides = [list(filter_overrides(job)) for job in job_overrides]
        jobs = place(Path(str(self.config.hydra.sweep.dir)), overrides, initial_job_idx)
        stopped = threading.Event()
        with ThreadPoolExecutor(self.n_jobs) as pool:
            waiting = [pool.submit(self._run, job, stopped) for job in jobs]
            try:
                show(jobs, waiting)
            except KeyboardInterrupt:
                stopped.set()
                for job in jobs:
                    if job.process is not None:
                        job.process.terminate()
                raise
        failed = [job for job in jobs if job.state == "failed"]
        error = failed and UserError(
            f"{len(failed)} of {len(jobs)} jobs failed, the first in {failed[0].folder}:"
            f" {failed[0].result}; to run them again: -m hydra.sweep.dir={failed[0].folder.parent}"
        )
        return [
            Failed(job.overrides, status=JobStatus.FAILED, _return_value=error)
            if job in failed
            else JobReturn(job.overrides, status=JobStatus.COMPLETED, _return_value=job.objective)
            for job in jobs
        ]

    def _run(self, job: Job, stopped: threading.Event) -> None:
        """Bring a job to its end, whatever an earlier start has left of it."""
        started = (job.folder / "run.json").exists()
        try:
            while started and is_running(job.folder, read_json(job.folder / "run.json")):
                job.state = "running in another process"
                if stopped.wait(1):
                    return
            if not started or read_json(job.folder / "run.json").get("status") != "completed":
                self._train(job, started, stopped)
            if job.state != "failed":
                job.objective, job.result = outcome(job.folder)
                job.state = "completed"
        except (UserError, OSError) as error:
            job.state, job.result = "failed", str(error)

    def _train(self, job: Job, started: bool, stopped: threading.Event) -> None:
        if stopped.is_set():
            return
        job.folder.mkdir(parents=True, exist_ok=True)
        anew = [*job.overrides, f"hydra.run.dir={job.folder}"]
        arguments = [f"training.resume={job.folder}"] if started else anew
        threads = max(1, (os.cpu_count() or 1) // self.n_jobs)
        shared = backend.thread_variables(threads) if self.n_jobs > 1 else {}
        job.state = "running"
        with (job.folder / "console.txt").open("ab") as console:
            job.process = subprocess.Popen(
                [sys.executable, "-m", "har_keras", *arguments],
                stdout=console,
                stderr=subprocess.STDOUT,
                env=os.environ | shared,
                process_group=0,  # a Ctrl-C comes to it from us alone
            )
        if status := job.process.wait():
            lines = (job.folder / "console.txt").read_text(errors="replace").strip().splitlines()
            last = lines[-1].removeprefix("har_keras: ") if lines else ""
            job.state = "failed"
            job.result = f"killed by signal {-status}" if status < 0 else last or f"status {status}"


def place(sweep: Path, jobs: Sequence[list[str]], first: int) -> list[Job]:
    """A folder for each job: that of an earlier job with its overrides, else the next free one."""
    earlier = {
        tuple(sorted(overrides_of(path.parents[1]))): path.parents[1]
        for path in sweep.glob("*/.hydra/overrides.yaml")
    }
    taken = set(earlier.values())
    free = (sweep / str(number) for number in count(first) if sweep / str(number) not in taken)
    keys = [tuple(sorted(overrides)) for overrides in jobs]
    return [
        Job(earlier.pop(key) if key in earlier else next(free), overrides)
        for key, overrides in zip(keys, jobs, strict=True)
    ]


def outcome(folder: Path) -> tuple[float, str]:
    """The validation metric that chose the best epoch, and the figures in words.

    The metric that runs are ranked by stands in where the other is not in `metrics.json`.
    """
    run = Run(folder, "completed", *read_finished(folder))
    monitor = str(OmegaConf.load(folder / ".hydra" / "config.yaml").training.monitor)
    ranked_by = run.headline.metric
    figures = {split: run.value(split, ranked_by) for split in ("validation", "test")}
    told = {split: value for split, value in figures.items() if value is not None}
    objective = run.value(next(iter(told)), monitor.partition("_")[2])
    shown = ", ".join(f"{split} {ranked_by} {value:.4f}" for split, value in told.items())
    return next(iter(told.values())) if objective is None else objective, shown


def show(jobs: Sequence[Job], waiting: Sequence[Future[None]]) -> None:
    """A line for each job until all are done, kept as the final table."""
    console = Console()
    with Live(console=console, auto_refresh=False, transient=not console.is_terminal) as live:
        pending: set[Future[None]] = set(waiting)
        while pending:
            if console.is_terminal:
                live.update(_table(jobs), refresh=True)
            _, pending = wait(pending, timeout=0.5)
        live.update(_table(jobs), refresh=console.is_terminal)
    if not console.is_terminal:
        console.print(_table(jobs))
    for future in waiting:
        future.result()


def _table(jobs: Sequence[Job]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    shared = set.intersection(*(set(job.overrides) for job in jobs)) if len(jobs) > 1 else set()
    for job in jobs:
        result = job.result or (_last_epoch(job.folder) if job.state == "running" else "")
        own = " ".join(override for override in job.overrides if override not in shared)
        cells = (f"#{job.folder.name}", own, job.state, result)
        table.add_row(*(Text(cell, overflow="fold") for cell in cells))
    return table


def _last_epoch(folder: Path) -> str:
    try:
        header, *rows = (folder / "history.csv").read_text().splitlines()
    except (FileNotFoundError, ValueError):
        return ""
    values = dict(zip(header.split(","), rows[-1].split(","), strict=True))
    return f"epoch {values['epoch']}, loss {float(values['loss']):.4f}"
