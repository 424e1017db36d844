import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


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
