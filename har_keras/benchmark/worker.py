"""Times all contenders of one backend: `python -m har_keras.benchmark.worker` with JSON on stdin.

Reads `{"backend", "threads", "jobs": [{"name", "shape", "cell", "kinds"}], "repeats", "seconds",
"peak"}` and prints a JSON line for each contender and mode. `peak`: whether to measure the speed
of a large matrix product. `megabytes` is the most memory so far above the level after the import.
"""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from har_keras import backend
from har_keras.benchmark import contenders
from har_keras.benchmark.config import Shape

PEAK_SIZE = 2048  # rows and columns of the product that measures the peak


def main() -> None:
    """Run the jobs that standard input asks for."""
    order = json.load(sys.stdin)
    backend.start(order["backend"], backend.Hardware(threads=order["threads"]), seed=0)
    before = _memory()
    peak = _peak() if order["peak"] else None
    for job in order["jobs"]:
        shape = Shape(**job["shape"])
        built = {
            kind: contenders.build(kind, order["backend"], job["cell"], shape)
            for kind in job["kinds"]
        }
        for mode in ("train", "predict"):
            calls = {kind: getattr(contender, mode) for kind, contender in built.items()}
            timed = _timed(calls, order["repeats"], order["seconds"])
            for kind, (first, seconds) in timed.items():
                quartiles = statistics.quantiles(seconds, n=4, method="inclusive")
                flops = shape.forward_flops(job["cell"]) * (3 if mode == "train" else 1)
                found: dict[str, Any] = {
                    "backend": order["backend"],
                    "kind": kind,
                    "cell": job["cell"],
                    "mode": mode,
                    "repeats": len(seconds),
                    "first_seconds": first,
                    "lower_quartile": quartiles[0],
                    "median": quartiles[1],
                    "upper_quartile": quartiles[2],
                    "gflops": flops / quartiles[1] / 1e9,
                    "peak_gflops": peak,
                    "megabytes": (_memory() - before) / 1e6,
                }
                print(json.dumps(found | {"name": job["name"]} | job["shape"]), flush=True)


def _timed(
    calls: dict[str, Callable[[], object]], repeats: int, seconds: float
) -> dict[str, tuple[float, list[float]]]:
    """For each call its first time, then its times, taken in turn with the others."""
    first = {kind: _seconds(call) for kind, call in calls.items()}
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {kind: [] for kind in calls}
    for _ in range(repeats):
        for kind, call in calls.items():
            if len(times[kind]) < 3 or sum(times[kind]) < seconds:
                times[kind].append(_seconds(call))
    return {kind: (first[kind], times[kind]) for kind in calls}


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _peak() -> float:
    """GFLOP/s of a large float32 matrix product on the running backend."""
    import keras
    import numpy as np

    square = keras.ops.ones((PEAK_SIZE, PEAK_SIZE), "float32")

    def product() -> Any:
        return np.asarray(keras.ops.convert_to_numpy(keras.ops.matmul(square, square)[:1, :1]))

    product()
    best = min(_seconds(product) for _ in range(7))
    return 2 * PEAK_SIZE**3 / best / 1e9


def _memory() -> float:
    """The most that this process has had in memory, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()
