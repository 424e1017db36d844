"""Downloads, and the folder they are kept in."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from har_keras.errors import UserError

if TYPE_CHECKING:
    from rich.progress import Progress

CACHE = "HAR_KERAS_CACHE"  # environment variable
TIMEOUT = 30.0  # seconds without a byte
CHUNK = 1 << 16  # bytes


def user_cache() -> Path:
    """Folder of downloads and parsed data: HAR_KERAS_CACHE, else the system's place for caches."""
    if chosen := os.environ.get(CACHE):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("har_keras", appauthor=False))


def fetch(url: str, folder: Path, file_name: str, timeout: float = TIMEOUT) -> Path:
    """Download `url` to `folder / file_name`, unless it is there, and return that path.

    The file appears under its name only when it is whole. A progress bar is drawn on standard
    error if that is a terminal. `timeout` is in seconds, for the connection and for every read.

    Raises:
        UserError: the server or the folder refused, or the download broke off.
    """
    path = folder / file_name
    if path.exists():
        return path
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    by_hand = f"download it by hand to {path}, or set HAR_KERAS_DATA (data.root) to its folder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _progress() as progress:
            bar = _PoochBar(progress, file_name)
            download = pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK, timeout=timeout)
            pooch.retrieve(url, None, file_name, folder, downloader=download)
    except requests.RequestException as error:
        if error.response is not None:
            error.response.close()
        raise UserError(
            f"could not download {url}: {_reason(error, timeout)}; {by_hand}"
        ) from error
    except OSError as error:
        raise UserError(
            f"could not store {url} in {folder}: {error.strerror or error}; "
            "set HAR_KERAS_CACHE to a folder with room that can be written"
        ) from error
    return path


def _reason(error: Exception, timeout: float) -> str:
    import requests

    match error:
        case requests.HTTPError(response=response) if response is not None:
            return f"the server answered {response.status_code} {response.reason}"
        case requests.Timeout():
            return f"no answer within {timeout:g} s"
        case requests.exceptions.ChunkedEncodingError():
            return "the connection broke off before the end"
        case requests.ConnectionError():
            cause = str(error)
            if "timed out" in cause:
                return f"no data for {timeout:g} s"
            if "resol" in cause:
                return "the server's name was not found (is there a network?)"
            if "refused" in cause:
                return "the connection was refused"
    return " ".join(str(error).split()) or type(error).__name__


def _progress() -> "Progress":
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True)
    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


class _PoochBar:
    """What pooch asks of a progress bar (total, update, reset, close), drawn by rich."""

    def __init__(self, progress: "Progress", description: str) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=None)

    @property
    def total(self) -> float | None:
        return self._progress.tasks[self._task].total

    @total.setter
    def total(self, size: int) -> None:
        self._progress.update(self._task, total=size or None)

    def update(self, size: int) -> None:
        self._progress.advance(self._task, size)

    def reset(self) -> None:
        self._progress.reset(self._task)

    def close(self) -> None:
        self._progress.refresh()
