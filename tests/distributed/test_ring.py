import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest

from har_keras.distributed.ring import TOKEN, Ring

HOST, KNOWN = "127.0.0.1", bytes(TOKEN)


def together(count: int, work: Callable[[Ring], object], stranger: bool = False) -> list[object]:
    """What `work` gives in each of `count` workers, each a thread here."""
    addresses, all_there = [""] * count, threading.Barrier(count)

    def worker(number: int) -> object:
        def exchange(own: str) -> list[str]:
            if stranger:
                port = int(own.rpartition(":")[2])
                with socket.create_connection((HOST, port)) as unknown:
                    unknown.sendall(b"x" * TOKEN)
            addresses[number] = own
            all_there.wait()
            return addresses

        with closing(Ring(number, HOST, KNOWN, exchange)) as ring:
            return work(ring)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(worker, range(count)))


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("length", [1, 4, 100_003])
def test_all_get_the_same_mean(count: int, length: int) -> None:
    vectors = np.random.default_rng(0).normal(size=(count, length)).astype("float32")
    means = together(count, lambda ring: ring.mean(vectors[ring.number]))
    np.testing.assert_allclose(means[0], vectors.mean(0), rtol=1e-4, atol=1e-6)
    for mean in means[1:]:
        np.testing.assert_array_equal(mean, means[0])


def test_gathered_in_order() -> None:
    for rows in together(3, lambda ring: ring.gathered(np.array([ring.number, 7.5]))):
        np.testing.assert_array_equal(rows, [[0, 7.5], [1, 7.5], [2, 7.5]])


def test_a_stranger_is_not_heard() -> None:
    sums = together(2, lambda ring: ring.sum(np.ones(3)), stranger=True)
    np.testing.assert_array_equal(sums, np.full((2, 3), 2))


def test_a_lost_worker() -> None:
    def work(ring: Ring) -> None:
        if ring.number:
            with pytest.raises(ConnectionError):
                ring.sum(np.ones(10_000_000))

    together(3, work)
