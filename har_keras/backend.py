"""Picks the Keras backend, its threads, device and precision before Keras is imported.

Nobody else reads `KERAS_BACKEND`.
"""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from har_keras.errors import UserError, require, require_choice

BACKENDS = ("jax", "tensorflow", "torch")
PRECISIONS = ("float32", "float64", "mixed_bfloat16", "mixed_float16")
KERNELS = ("auto", "fast", "reference")


@dataclass
class Hardware:
    """Schema of `conf/hardware/`."""

    name: str = "auto"
    device: str = "auto"
    data_parallel: bool = False
    precision: str = "float32"
    kernel: str = "auto"
    threads: int | None = None
    jit: bool | None = None

    def __post_init__(self) -> None:
        """Check each value by itself."""
        require_choice("hardware.device", self.device, ("auto", "cpu", "gpu"))
        require_choice("hardware.precision", self.precision, PRECISIONS)
        require_choice("hardware.kernel", self.kernel, KERNELS)
        if self.threads is not None:
            require(self.threads > 0, "hardware.threads", self.threads, "at least 1, or null")


STRATEGIES = ("averaging", "synchronous")


@dataclass
class Spark(Hardware):
    """Schema of `conf/hardware/spark.yaml`.

    `master`: as Spark names it; null: what spark-submit says, else this machine. A batch is
    `batch_size_per_worker` samples of each of `workers`, which have `prefetch` batches ready.
    `strategy`: `averaging` of weights and the optimizer's state after every `averaging_frequency`
    updates, or `synchronous`: the workers' gradients are averaged at each update.
    """

    master: str | None = None
    workers: int = 2
    strategy: str = "averaging"
    averaging_frequency: int = 5
    batch_size_per_worker: int = 8
    prefetch: int = 2

    def __post_init__(self) -> None:
        """Check each value by itself."""
        super().__post_init__()
        require_choice("hardware.strategy", self.strategy, STRATEGIES)
        for key in ("workers", "averaging_frequency", "batch_size_per_worker"):
            require(getattr(self, key) > 0, f"hardware.{key}", getattr(self, key), "at least 1")
        require(self.prefetch >= 0, "hardware.prefetch", self.prefetch, "0 or more")


def installed(name: str) -> bool:
    """Whether a backend can be imported; imports nothing."""
    return PathFinder.find_spec(name) is not None


def default(*preferred: str) -> str:
    """`KERAS_BACKEND`, else the first installed of `preferred`, jax, tensorflow, torch."""
    candidates = (name for name in (*preferred, *BACKENDS) if installed(name))
    return os.environ.get("KERAS_BACKEND") or next(candidates, BACKENDS[0])


def check(name: str, hardware: Hardware) -> None:
    """Raise `UserError` where this backend is unknown, not installed or cannot do what is asked."""
    require_choice("backend", name, BACKENDS)
    if not installed(name):
        raise UserError(f"backend={name}: not installed, run pip install 'har_keras[{name}]'")
    if isinstance(hardware, Spark) and hardware.data_parallel:
        raise UserError(
            "hardware.data_parallel=true: expected false with hardware=spark, whose workers share"
            " each batch already"
        )
    if hardware.data_parallel and name == "torch":
        raise UserError(
            "hardware.data_parallel=true: works with backend=jax or tensorflow, not torch;"
            " choose one of these or hardware=auto"
        )
    if isinstance(hardware, Spark) and hardware.strategy == "synchronous" and name == "tensorflow":
        raise UserError(
            "hardware.strategy=synchronous: works with backend=jax or torch, not tensorflow; choose"
            " one of these or hardware.strategy=averaging"
        )


def start(name: str, hardware: Hardware, seed: int) -> None:
    """Import Keras with this backend; seed its generators, set device, precision and kernels."""
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = name
        _set_environment(hardware)
        _keep_freed_memory()
        sys.meta_path.insert(0, _OnlyBackend(name))
    with _silent_stderr() if name == "tensorflow" else nullcontext():
        import keras

    if keras.backend.backend() != name:
        raise UserError(
            f"backend={name}: this process already runs {keras.backend.backend()};"
            " start a process for each backend"
        )
    from har_keras.layers import kernels

    kernels.choice = hardware.kernel
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(hardware.precision)
    if hardware.device == "gpu" and not _gpus(name):
        raise UserError(
            f"hardware.device=gpu: {name} sees no GPU here; use hardware=cpu or install"
            f" {name} with GPU support"
        )


def join(preferred: str) -> None:
    """Import Keras into a user's own process: as it runs there, else with `default(preferred)`.

    Unlike `start`, it hides no other backend and touches no generator, device or precision.
    """
    if "keras" not in sys.modules:
        name = default(preferred)
        check(name, Hardware())
        os.environ["KERAS_BACKEND"] = name
        with _silent_stderr() if name == "tensorflow" else nullcontext():
            import_module("keras")


class _OnlyBackend:
    """Hides the other backends from imports: Keras loads any that it finds, at seconds each."""

    def __init__(self, name: str) -> None:
        self.hidden = set(BACKENDS) - {name}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in self.hidden else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        raise ModuleNotFoundError(f"{spec.name} is not the backend of this process", name=spec.name)

    def exec_module(self, module: Any) -> None:
        """Never reached; import asks for it."""


def _set_environment(hardware: Hardware) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if hardware.device == "cpu":
        os.environ.update(JAX_PLATFORMS="cpu", CUDA_VISIBLE_DEVICES="-1")
    if hardware.precision == "float64":
        os.environ["JAX_ENABLE_X64"] = "1"
    if hardware.threads is not None:
        os.environ.update(thread_variables(hardware.threads))


def thread_variables(threads: int) -> dict[str, str]:
    """The environment variables that bound each backend's threads on a CPU."""
    names = ("NPROC", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return dict.fromkeys(names, str(threads))


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Drop what TensorFlow's libraries write while they load, before any log level counts."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _keep_freed_memory() -> None:
    """Have glibc reuse large buffers instead of returning them to the system after each step.

    Fresh pages cost more than the arithmetic on them: a third of an LSTM's training step on a CPU.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        m_trim_threshold, m_mmap_max, m_arena_max = -1, -4, -8
        libc.mallopt(m_arena_max, 1)
        libc.mallopt(m_mmap_max, 0)
        libc.mallopt(m_trim_threshold, 2**31 - 1)


def _gpus(name: str) -> list[str]:
    if name == "torch":
        import torch

        return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    if name == "jax":
        import jax

        return [d.device_kind for d in jax.devices() if d.platform != "cpu"]
    import tensorflow as tf

    details = tf.config.experimental.get_device_details
    return [details(d).get("device_name", d.name) for d in tf.config.list_physical_devices("GPU")]


def device(name: str) -> str:
    """The devices that Keras computes on, for people: `NVIDIA H100` or `cpu, 2 cores`."""
    return ", ".join(_gpus(name)) or f"cpu, {os.cpu_count()} cores"


def parallel_devices(name: str, hardware: Hardware) -> int:
    """How many devices share a batch."""
    if not hardware.data_parallel:
        return 1
    if name == "tensorflow":
        return len(_logical_devices())
    import jax

    return jax.device_count()


def _logical_devices() -> list[str]:
    import tensorflow as tf

    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in devices]


def distribution(name: str, hardware: Hardware) -> AbstractContextManager[Any]:
    """The context in which to build and fit: one device, or data-parallel over all local ones."""
    if not hardware.data_parallel:
        return nullcontext()
    if name == "tensorflow":
        import tensorflow as tf

        return tf.distribute.MirroredStrategy(_logical_devices()).scope()
    import keras

    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    return nullcontext()
