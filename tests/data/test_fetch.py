from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from har_keras.data.fetch import fetch, user_cache
from har_keras.errors import UserError

if TYPE_CHECKING:
    from conftest import Server


def test_fetches_once(server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    server.content = bytes(200_000)
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        assert fetch(f"{server.url}/file", folder, "name") == folder / "name"
    assert (folder / "name").read_bytes() == server.content
    assert server.requests == 1
    assert capfd.readouterr() == ("", "")


def test_progress_on_a_terminal(
    server: Server,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    server.content = bytes(200_000)
    fetch(f"{server.url}/file", tmp_path, "name")
    out, err = capfd.readouterr()
    assert out == ""
    assert "200.0/200.0 kB" in err


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("missing", "404 Not Found"),
        ("broken", "500 Internal Server Error"),
        ("truncated", "broke off"),
        ("silent", "within 0.2 s"),
        ("stalled", "no data for 0.2 s"),
    ],
)
def test_faults_and_restart(server: Server, tmp_path: Path, fault: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason) as raised:
        fetch(
            f"{server.url}/{fault}",
            tmp_path,
            "name",
            timeout=0.2 if fault in ("silent", "stalled") else 30,
        )
    message = str(raised.value)
    assert f"{server.url}/{fault}" in message
    assert "by hand" in message
    assert "\n" not in message
    assert not list(tmp_path.iterdir())
    assert fetch(server.url, tmp_path, "name").read_bytes() == b"whole"


def test_connection_refused(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(UserError, match="refused"):
        fetch(f"http://127.0.0.1:{port}/file", tmp_path, "name")


def test_unknown_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(UserError, match="name was not found"):
        fetch("http://nowhere.invalid/file", tmp_path, "name")


@pytest.mark.parametrize("url", ["nonsense", "gopher://x/y", "http://"])
def test_not_a_web_address(tmp_path: Path, url: str) -> None:
    with pytest.raises(UserError, match="could not download"):
        fetch(url, tmp_path, "name")


def test_folder_that_cannot_be_made(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="HAR_KERAS_CACHE"):
        fetch(server.url, tmp_path / "file", "name")


def test_user_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HAR_KERAS_CACHE", str(tmp_path))
    assert user_cache() == tmp_path
    monkeypatch.delenv("HAR_KERAS_CACHE")
    assert user_cache().name == "har_keras"
