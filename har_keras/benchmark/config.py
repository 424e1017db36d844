"""What is measured: the schema of `conf/benchmark.yaml` and the group `conf/benchmark/`."""

from dataclasses import dataclass, field, fields
from typing import Any

from har_keras.backend import BACKENDS, installed
from har_keras.errors import UserError, require, require_choice

CELLS = ("simple_rnn", "lstm", "gru")


@dataclass
class Shape:
    """`depth` recurrent layers of `units` over (batch, timesteps, features) float32.

    `mask`: the sequences have random lengths and are padded on the left.
    """

    batch: int = 64
    timesteps: int = 128
    features: int = 9
    units: int = 32
    depth: int = 2
    mask: bool = False

    def __post_init__(self) -> None:
        """Check the sizes."""
        for name in ("batch", "timesteps", "features", "units", "depth"):
            size = getattr(self, name)
            whole = isinstance(size, int) and not isinstance(size, bool) and size > 0
            require(whole, name, size, "a whole number, at least 1")
        require(isinstance(self.mask, bool), "mask", self.mask, "true or false")

    def forward_flops(self, cell: str) -> float:
        """Multiplications and additions of the matrix products of one forward pass."""
        gates = {"simple_rnn": 1, "lstm": 4, "gru": 3}[cell]
        inputs = [self.features] + [self.units] * (self.depth - 1)
        per_step = sum(2 * (width + self.units) * gates * self.units for width in inputs)
        return float(self.batch * self.timesteps * per_step)


@dataclass
class Config:
    """One benchmark.

    `backends`: null takes all that are installed. `threads` bounds the CPU threads of each. A
    contender is timed `repeats` times, in turn with the others, or until it has taken `seconds`
    (at least 3 times). `memory`: also measure peak memory, each contender in a process of its own.
    """

    shapes: dict[str, Any] = field(default_factory=dict)
    cells: list[str] = field(default_factory=lambda: ["lstm", "gru"])
    backends: list[str] | None = None
    peers: bool = True
    memory: bool = False
    repeats: int = 15
    seconds: float = 15.0
    threads: int | None = None
    output: str = ""

    def __post_init__(self) -> None:
        """Check each value by itself."""
        for cell in self.cells:
            require_choice("cells", cell, CELLS)
        for backend in self.backends or ():
            require_choice("backends", backend, BACKENDS)
            require(installed(backend), "backends", backend, f"one that is installed: {present()}")
        require(self.repeats >= 3, "repeats", self.repeats, "at least 3")
        require(self.seconds > 0, "seconds", self.seconds, "above 0")
        if self.threads is not None:
            require(self.threads > 0, "threads", self.threads, "at least 1, or null")
        if not self.shapes or not self.cells:
            raise UserError("expected at least one of shapes and one of cells")
        self.shapes = {name: _shape(name, sizes) for name, sizes in self.shapes.items()}


def present() -> list[str]:
    """The backends that are installed."""
    return [backend for backend in BACKENDS if installed(backend)]


def _shape(name: str, sizes: Any) -> Shape:
    allowed = [f.name for f in fields(Shape)]
    require(isinstance(sizes, dict), f"shapes.{name}", sizes, f"{{{', '.join(allowed)}}}")
    for key in sizes:
        require_choice(f"shapes.{name}", key, allowed)
    try:
        return Shape(**sizes)
    except UserError as error:
        raise UserError(f"shapes.{name}.{error}") from error
