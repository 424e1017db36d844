"""Workers in a ring of TCP connections: the mean of their vectors, the same bits for all."""

import hmac
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.floating]
CONNECTING = 120.0  # seconds
TOKEN = 32  # bytes


class Ring:
    """Each worker sends to the next and receives from the one before.

    All methods are called by all workers in the same order. A neighbour that is gone raises
    `ConnectionError`. `seconds` counts what was spent here, waiting for slower workers included.
    """

    def __init__(
        self, number: int, host: str, token: bytes, exchange: Callable[[str], Sequence[str]]
    ) -> None:
        """Connect worker `number`; `exchange` gives all workers' texts for its own, in order.

        It listens on its own `host` alone, and a peer must know the `token` (32 bytes).
        """
        with socket.create_server((host, 0)) as server:
            addresses = exchange(f"{host}:{server.getsockname()[1]}")
            self.number, self.count, self.seconds = number, len(addresses), 0.0
            following, port = addresses[(number + 1) % self.count].rsplit(":", 1)
            self._out = socket.create_connection((following, int(port)), CONNECTING)
            self._out.sendall(token)
            self._in = _accepted(server, token)
        for connection in (self._out, self._in):
            connection.settimeout(None)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sender = ThreadPoolExecutor(1)

    def close(self) -> None:
        """Leave; the neighbours' next call fails."""
        for connection in (self._out, self._in):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # wakes the sender
            connection.close()
        self._sender.shutdown()

    def mean(self, vector: Vector) -> Vector:
        """The mean of all workers' vectors, which are of one length and dtype.

        A ring all-reduce (Patarasuk & Yuan 2009): every worker sends 2 (n - 1) / n of a vector.
        """
        return self.sum(vector) / np.asarray(self.count, vector.dtype)

    def sum(self, vector: Vector) -> Vector:
        """As `mean`."""
        began = time.perf_counter()
        total = vector.copy()
        chunks = np.array_split(total, self.count)
        last = self.count - 1
        for step in range(2 * last):
            sent = chunks[(self.number - step) % self.count]
            into = chunks[(self.number - step - 1) % self.count]
            received = self._exchanged(sent, into)
            into[:] = into + received if step < last else received
        self.seconds += time.perf_counter() - began
        return total

    def gathered(self, vector: Vector) -> Vector:
        """The vectors (length,) of all workers, (workers, length)."""
        rows = np.zeros((self.count, len(vector)), vector.dtype)
        rows[self.number] = vector
        return self.sum(rows.ravel()).reshape(rows.shape)

    def _exchanged(self, sent: Vector, like: Vector) -> Vector:
        sending = self._sender.submit(self._out.sendall, sent.tobytes())
        received = np.frombuffer(_read(self._in, like.nbytes), like.dtype)
        sending.result()
        return received


def _accepted(server: socket.socket, token: bytes) -> socket.socket:
    """The first connection that knows the token."""
    server.settimeout(CONNECTING)
    while True:
        connection, _ = server.accept()
        connection.settimeout(CONNECTING)
        try:
            if hmac.compare_digest(_read(connection, TOKEN), token):
                return connection
        except OSError:
            pass
        connection.close()


def _read(connection: socket.socket, size: int) -> bytearray:
    content = bytearray(size)
    rest = memoryview(content)
    while rest:
        count = connection.recv_into(rest)
        if not count:
            raise ConnectionResetError("a worker beside this one is gone")
        rest = rest[count:]
    return content
