"""The driver of a run on Apache Spark: one barrier stage, a worker a task."""

import hmac
import json
import os
import re
import secrets
import shutil
import socketserver
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from rich.console import Console

from har_keras import pipeline, run_folder
from har_keras.backend import Spark
from har_keras.config import Config
from har_keras.data.fetch import CACHE, user_cache
from har_keras.distributed import worker
from har_keras.distributed.ring import TOKEN
from har_keras.errors import UserError

JAVA = (
    "hardware=spark: needs Java 17 or newer, found none that works; install it (Debian: apt install"
    " openjdk-17-jre-headless) or say where it is with JAVA_HOME"
)
TOO_FEW = (
    "hardware.workers={}: Spark has fewer free cores, expected one for each worker; start more"
    " executors, or fewer workers"
)
NO_MASTER = (
    "hardware.master={}: no master answers there, or it ended the run; start one (spark-class"
    " org.apache.spark.deploy.master.Master), or say where it is"
)
ATTEMPTS = 4
SETTINGS = {
    "spark.app.name": "har_keras",
    "spark.log.level": "OFF",
    "spark.ui.showConsoleProgress": "false",
    "spark.python.worker.reuse": "false",  # a process joins one process group only
    "spark.scheduler.barrier.maxConcurrentTasksCheck.interval": "2s",
    "spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures": "60",  # executors come late
}


def run(
    config: Config,
    folder: Path,
    overrides: list[str],
    console: Console,
    earlier: dict[str, Any] | None = None,
) -> None:
    """As `pipeline.run`, on the workers of a cluster; `earlier` is in the folder they share.

    Raises `UserError` where Spark cannot start or the workers cannot do what is asked.
    """
    hardware = cast(Spark, config.hardware)
    context = _started(hardware)
    hearing = None
    try:
        host = context.getConf().get("spark.driver.host")
        bound = context.getConf().get("spark.driver.bindAddress", host)
        hearing = _Listener(bound, console, context.cancelAllJobs)
        job = worker.Job(
            config=config,
            folder=folder.resolve(),
            overrides=overrides,
            arguments=sys.argv[1:],
            working_folder=Path.cwd(),
            driver=(host, hearing.server_address[1]),
            token=hearing.token,
            terminal=console.is_terminal,
            width=console.width,
        )
        if context.master.startswith("local[") and context.defaultParallelism < hardware.workers:
            raise UserError(TOO_FEW.format(hardware.workers))
        _prepare(config)
        each = range(hardware.workers)
        stage = context.parallelize(each, len(each)).barrier()
        tasks = stage.mapPartitions(partial(worker.work, job))
        _carry_out(tasks.collect, folder / "checkpoints" / "last.npz", hearing)
    except BaseException as error:
        _stop(context)
        told = _explained(error, hearing, hardware.workers, context.master)
        status = "interrupted" if isinstance(told, KeyboardInterrupt) else "failed"
        _settle(folder, status, str(told) or type(told).__name__)
        raise told from (error if told is not error else None)
    finally:
        _stop(context)
        if hearing:
            hearing.server_close()


def _prepare(config: Config) -> None:
    """Have bad data end the run before a worker starts; what is cached, the workers find there.

    Many files are read by the executors, where the task says how (`prepare`).
    """
    prepare = getattr(import_module(f"har_keras.tasks.{config.task.name}"), "prepare", None)
    if prepare is None:
        pipeline.load(config)
        return
    from pyspark.sql import SparkSession

    SparkSession.builder.getOrCreate()
    prepare(config.task)


def _carry_out(stage: Callable[[], Any], checkpoint: Path, hearing: "_Listener") -> None:
    """Run the stage, and again where a worker is lost: Spark retries no stage that gives results.

    Ends with Spark's error when it fails `ATTEMPTS` times without a new checkpoint.
    """
    attempts, known = 0, None
    while True:
        try:
            ThreadPoolExecutor(1).submit(stage).result()  # which a Ctrl-C ends at once
            return
        except Exception as error:
            written = checkpoint.stat().st_mtime_ns if checkpoint.exists() else None
            attempts, known = attempts + 1 if written == known else 1, written
            if hearing.error or "SPARK-24819" in str(error) or attempts == ATTEMPTS:
                raise
            hearing.console.print("a worker was lost, the run goes on from its last checkpoint")


class _Listener(socketserver.ThreadingTCPServer):
    """Prints what the workers say; the first error that one tells stops them all."""

    daemon_threads = True

    def __init__(self, host: str, console: Console, stop: Any) -> None:
        super().__init__((host, 0), _Heard)
        self.token, self.console, self.stop = secrets.token_bytes(TOKEN), console, stop
        self.error: Exception | None = None
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Heard(socketserver.StreamRequestHandler):
    """One worker's line."""

    server: _Listener

    def handle(self) -> None:
        """Until the worker ends."""
        if not hmac.compare_digest(self.rfile.read(TOKEN), self.server.token):
            return
        with suppress(ConnectionError):
            for kind, text in map(json.loads, self.rfile):
                if kind == "text":
                    self.server.console.file.write(text)
                    self.server.console.file.flush()
                elif self.server.error is None:
                    self.server.error = UserError(text) if kind == "refused" else Broken(text)
                    self.server.stop()


class Broken(Exception):
    """A worker's traceback."""


def _started(hardware: Spark) -> Any:
    """Spark's context; raise `UserError` where there is no pyspark, no Java or no master."""
    try:
        from pyspark import SparkConf, SparkContext
        from pyspark.errors import PySparkException
    except ModuleNotFoundError as error:
        raise UserError(
            "hardware=spark: pyspark is not installed, run pip install 'har_keras[spark]'"
        ) from error
    home = os.environ.get("JAVA_HOME")
    if not shutil.which(f"{home}/bin/java" if home else "java"):
        raise UserError(JAVA)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    conf = SparkConf()
    for key, value in SETTINGS.items():
        conf.setIfMissing(key, value)
    conf.setIfMissing("spark.master", f"local[{hardware.workers}]")
    if os.environ.get(CACHE):
        conf.setIfMissing(f"spark.executorEnv.{CACHE}", str(user_cache()))
    if hardware.master:
        conf.setMaster(hardware.master)
    try:
        with warnings.catch_warnings(action="ignore"):  # of the pandas that is installed
            return SparkContext(conf=conf)
    except PySparkException as error:
        raise UserError(JAVA) from error
    except Exception as error:
        raise UserError(f"hardware.master={conf.get('spark.master')}: {_line(error)}") from error


def _stop(context: Any) -> None:
    with suppress(Exception):
        context.stop()


def _explained(
    error: BaseException, hearing: _Listener | None, workers: int, master: str
) -> BaseException:
    """What a user is told of the end of a stage."""
    if isinstance(error, UserError) or not isinstance(error, Exception):
        return error
    if hearing and hearing.error:
        return hearing.error
    if "SPARK-24819" in str(error):
        return UserError(TOO_FEW.format(workers))
    if "stopped SparkContext" in str(error):
        return UserError(NO_MASTER.format(master))
    return UserError(f"the run on Spark came to its end: {_line(error)}")


def _line(error: BaseException) -> str:
    """Of Spark's many lines the one that tells the cause."""
    lines = [line.strip(" :\t") for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if re.match(r"(Caused by: )?[\w.]+(Error|Exception): ", line)]
    return (causes or lines or [type(error).__name__])[-1][:300]


def _settle(folder: Path, status: str, error: str) -> None:
    """Say in `run.json` how a run ended whose workers could not."""
    with suppress(UserError):
        record = run_folder.read_json(folder / "run.json")
        if record["status"] != "completed":
            end = {"status": status, "finished": run_folder.now(), "error": error}
            run_folder.write_json(folder / "run.json", record | end)
