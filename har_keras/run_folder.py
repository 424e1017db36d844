"""The run folder: what a run writes, and how it is read again.

`run.json` tells what the run is and how it stands, `metrics.json` what it reached. Every file
appears whole or not at all. A run holds a lock on its folder, which ends with its process.
"""

import errno
import fcntl
import json
import os
import platform
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from har_keras import __version__
from har_keras.errors import UserError

FULL_OR_FORBIDDEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it when the block ends without an error."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def full_or_forbidden_told() -> Iterator[None]:
    """Raise `UserError` where the block cannot write: a full disk, a folder of another's."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL_OR_FORBIDDEN:
            raise
        raise UserError(f"{error.filename or 'the output'}: {error.strerror}") from error


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON."""
    with whole(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raise `UserError` where the file is missing or damaged."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file, expected a finished run folder") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: expected JSON, but {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected an object, found {type(content).__name__}")
    return content


def read_finished(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """`run.json` and `metrics.json` of a completed run; raise `UserError` for any other folder."""
    record = read_json(folder / "run.json")
    status = record.get("status")
    if status != "completed":
        raise UserError(f"{folder}: expected a completed run, its status is {status}")
    missing = {"backend", "data"} - set(record)
    if missing:
        raise UserError(f"{folder / 'run.json'}: expected the key {missing.pop()}")
    metrics = read_json(folder / "metrics.json")
    for split in ("train", "test"):
        if not isinstance(metrics.get(split), dict):
            raise UserError(f"{folder / 'metrics.json'}: expected the figures of {split}")
    return record, metrics


@dataclass
class Run:
    """A run in progress: its folder and what `run.json` says."""

    folder: Path
    record: dict[str, Any]

    def note(self, **facts: Any) -> None:
        """Add facts to `run.json`."""
        self.record.update(facts)
        write_json(self.folder / "run.json", self.record)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder; raise `UserError` where another process of this machine holds it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"{folder}: another process is writing this run; wait for its end, or stop it"
            ) from error
        yield
    finally:
        os.close(descriptor)


def is_running(folder: Path, record: dict[str, Any]) -> bool:
    """Whether the run's process lives; a run of another machine is taken at its word."""
    if record.get("status") != "running":
        return False
    if record.get("host") != socket.gethostname():
        return True
    try:
        with locked(folder):
            return False
    except UserError:
        return True


@contextmanager
def recorded(folder: Path, facts: dict[str, Any]) -> Iterator[Run]:
    """A run whose `run.json` ends as completed, interrupted or failed, however the block ends.

    `facts` of a run that is resumed are its old `run.json`: what it says of its start stays.
    Raises `UserError` where another process writes this run.
    """
    with locked(folder):
        run = Run(folder, {})
        start = {
            "versions": _versions(facts["backend"]),
            "git_commit": _git_commit(),
            "command": shlex.join(["python", "-m", "har_keras", *sys.argv[1:]]),
            "started": now(),
        }
        process = {"host": socket.gethostname(), "pid": os.getpid()}
        state = {"status": "running", "finished": None, "error": None}
        run.note(**state | start | facts | process | state)
        try:
            yield run
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt)
            status = "interrupted" if stopped else "failed"
            with suppress(OSError):
                run.note(status=status, finished=now(), error=str(error) or type(error).__name__)
            raise
        run.note(status="completed", finished=now())


def now() -> str:
    """The time with its zone, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _versions(backend: str) -> dict[str, str]:
    found = {"python": platform.python_version(), "har_keras": __version__}
    for name in ("keras", backend, "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def _git_commit() -> str | None:
    project = Path(__file__).parent.parent
    if not (project / ".git").exists():
        return None
    command = ["git", "-C", str(project), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
