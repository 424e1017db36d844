import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from har_keras.data.recordings import SIGNALS, WINDOW
from har_keras.data.uci_har import Expected

TINY = Expected(train=12, test=6)
Files = dict[str, bytes]


@pytest.fixture
def tiny() -> Files:
    """The dataset's files, with two windows an activity to train on and one to test."""
    rng = np.random.default_rng(0)
    files = {"README.txt": b"tiny"}
    for part, rows, first_subject in (("train", TINY.train, 1), ("test", TINY.test, 20)):
        for signal in SIGNALS:
            lines = [
                " ".join(f"{value: .7e}" for value in row)
                for row in rng.normal(0, 0.3, (rows, WINDOW))
            ]
            name = f"{part}/Inertial Signals/{signal}_{part}.txt"
            files[name] = ("\r\n".join(lines) + "\r\n").encode()
        row = range(rows)
        files[f"{part}/y_{part}.txt"] = "".join(f"{i % 6 + 1}\n" for i in row).encode()
        subjects = "".join(f"{first_subject + i // 6}\n" for i in row)
        files[f"{part}/subject_{part}.txt"] = subjects.encode()
    return files


def packed(files: Files, top: str = "UCI HAR Dataset/", method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(top + name, content)
    return stream.getvalue()


class _Handler(BaseHTTPRequestHandler):
    server: "Server"

    def do_GET(self) -> None:
        self.server.requests += 1
        match self.path:
            case "/missing":
                self.send_error(404)
            case "/broken":
                self.send_error(500)
            case "/silent":
                self.server.stop.wait(5)
            case "/stalled":
                self._head(1000)
                self.wfile.write(b"0123456789")
                self.wfile.flush()
                self.server.stop.wait(5)
            case "/truncated":
                self._head(1000)
                self.wfile.write(b"0123456789")
            case _:
                self._head(len(self.server.content))
                self.wfile.write(self.server.content)

    def _head(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Serves `content` under any path that does not name a fault."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.content = b"whole"
        self.requests = 0
        self.stop = threading.Event()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "*")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.stop.set()
    server.shutdown()
    thread.join()
    server.server_close()
