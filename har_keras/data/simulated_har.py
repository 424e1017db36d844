"""Simulated recordings in the shape of UCI HAR, for when the real ones cannot be had.

A toy of our own, not a published model: a rigid trunk leans, sways and, when it walks, bobs with
the harmonics of its stride; a phone somewhere at the waist measures specific force and rotation.
From there on the signals are made as the dataset's were (`har_keras.data.signals`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from har_keras.data.recordings import RATE, WINDOW, HarData, Windows, digest
from har_keras.data.signals import denoise, gravity, windows

SUBJECTS, TEST_SUBJECTS = 30, 9
TRIALS = 2  # per person and activity
WINDOWS = 28  # per trial
LEAD = 10 * RATE  # samples dropped, in which the gravity filter forgets its start
TIMESTEPS = LEAD + (WINDOWS + 1) * WINDOW // 2

Floats = NDArray[np.float64]
Shape = tuple[int, int, int]  # people, activities, trials


class Activity(NamedTuple):
    """One activity of an average person; people and trials vary around it."""

    lean: float  # forward, in degrees
    lean_spread: float  # between trials, in degrees
    sway: float  # standard deviation, in rad
    stride: float = 0.0  # Hz; a stride is two steps
    bob: float = 0.0  # amplitude of the acceleration at step frequency, in g
    harmonics: tuple[float, float, float] = (0, 0, 0)  # vertical, of the step, relative to bob
    phases: tuple[float, float, float] = (0, 0, 0)  # of these, in rad
    limp: float = 0.0  # vertical acceleration at stride frequency, relative to bob
    swing: float = 0.0  # rotation of the trunk with the stride, in rad


MOVES = (  # in the order of ACTIVITIES
    Activity(5, 3, 0.02, 0.93, 0.25, (1, 0.40, 0.15), (0, 0.6, 1.0), 0.10, 0.060),
    Activity(13, 3, 0.03, 0.82, 0.21, (1, 0.30, 0.10), (0, 1.6, 0.2), 0.20, 0.075),
    Activity(-6, 3, 0.03, 1.00, 0.31, (1, 0.55, 0.30), (0, 0.0, 2.2), 0.25, 0.070),
    Activity(-15, 4, 0.003),
    Activity(0, 2, 0.006),
    Activity(-88, 12, 0.003),
)


def load(seed: int = 0) -> HarData:
    """Make 7056 training and 3024 test windows, of 21 and 9 people; the same ones for a seed."""
    rng = np.random.default_rng(seed)
    shape = (SUBJECTS, len(MOVES), TRIALS)
    acceleration, rotation = _recordings(rng, shape)
    total = denoise(acceleration)
    raw = np.concatenate([total - gravity(total), denoise(rotation), total], -1, dtype=np.float32)
    cut = np.stack([windows(recording) for recording in raw.reshape(-1, TIMESTEPS, 9)[:, LEAD:]])
    subjects, labels, _, _ = np.indices((*shape, WINDOWS))
    tested = rng.choice(SUBJECTS, TEST_SUBJECTS, replace=False)

    def part(chosen: NDArray[np.bool_]) -> Windows:
        signals = cut.reshape(*chosen.shape, WINDOW, -1)[chosen]
        return Windows(signals, labels[chosen], subjects[chosen] + 1)

    test = part(np.isin(subjects, tested))
    train = part(~np.isin(subjects, tested))
    return HarData(train, test, "simulated", digest(train, test))


def _recordings(rng: np.random.Generator, shape: Shape) -> tuple[Floats, Floats]:
    """What the phone measures: force in g and rotation in rad/s, each (*shape, TIMESTEPS, 3)."""
    stride = _stride(rng, shape)
    turn = _turning(rng, shape, stride)
    force = _force(rng, shape, stride)
    force -= np.cross(turn, force)  # seen from a trunk turned by small angles
    rotation = np.gradient(turn, 1 / RATE, axis=-2)
    to_phone = np.swapaxes(_phone(rng, shape), -1, -2)
    grain = np.exp(rng.normal(0, 0.3, (shape[0], 1, 1, 1, 1)))
    return (
        force @ to_phone + 0.01 * grain * rng.normal(size=force.shape),
        rotation @ to_phone + 0.02 * grain * rng.normal(size=force.shape),
    )


def _stride(rng: np.random.Generator, shape: Shape) -> Floats:
    """Phase of the stride in rad, (*shape, TIMESTEPS); constant where there is no stride."""
    start = rng.uniform(0, 2 * np.pi, (*shape, 1))
    drift = 1 + 0.03 * _wander(rng, shape, seconds=3)
    return start + 2 * np.pi * np.cumsum(_varied(rng, shape, "stride", 0.06) * drift, -1) / RATE


def _force(rng: np.random.Generator, shape: Shape, stride: Floats) -> Floats:
    """Acceleration and gravity along forward, left and up, in g, (*shape, TIMESTEPS, 3)."""
    up = _varied(rng, shape, "limp", 0.4) * _wave(rng, shape, stride)
    forward = np.zeros_like(up)
    for harmonic in range(3):
        strength, phase = (
            np.array([getattr(move, name)[harmonic] for move in MOVES])[:, None, None]
            for name in ("harmonics", "phases")
        )
        angle = 2 * (harmonic + 1) * stride + phase
        up += strength * _wave(rng, shape, angle)
        forward += 0.6 * strength * _wave(rng, shape, angle + 1.3)
    left = 0.5 * _wave(rng, shape, stride) + 0.2 * _wave(rng, shape, 3 * stride)
    bob = _varied(rng, shape, "bob", 0.2) * (1 + 0.1 * _wander(rng, shape, seconds=2))
    return np.stack([bob * forward, bob * left, 1 + bob * up], -1)


def _turning(rng: np.random.Generator, shape: Shape, stride: Floats) -> Floats:
    """Small rotations of the trunk about forward, left and up, in rad, (*shape, TIMESTEPS, 3)."""
    swing = _varied(rng, shape, "swing", 0.2)
    sway = _varied(rng, shape, "sway", 0.3)
    return np.stack(
        [
            size * swing * _wave(rng, shape, times * stride) + sway * _wander(rng, shape, seconds=1)
            for size, times in ((1, 1), (0.5, 2), (1.5, 1))
        ],
        -1,
    )


def _phone(rng: np.random.Generator, shape: Shape) -> Floats:
    """Rotations (*shape, 3, 3) from forward, left and up to the axes of the phone."""
    lean = np.deg2rad(_column("lean") + _column("lean_spread") * rng.normal(size=shape))
    own = rng.normal(size=(3, shape[0], 1, 1)) * np.reshape((4, 3, 12), (3, 1, 1, 1))
    roll, pitch, yaw = np.deg2rad(own + rng.normal(0, 2, (3, *shape)))
    belt = np.array([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]])  # the phone's x axis points up
    return belt @ _rotation(2, yaw) @ _rotation(0, roll) @ _rotation(1, -pitch - lean)


def _column(name: str) -> Floats:
    """A field of all activities, for people and trials to broadcast over, (activities, 1)."""
    return np.array([getattr(move, name) for move in MOVES], np.float64)[:, None]


def _varied(rng: np.random.Generator, shape: Shape, field: str, spread: float) -> Floats:
    """A field of all activities, by log-normal factors of the person and of the trial."""
    factors = rng.normal(0, spread, (shape[0], 1, 1)) + rng.normal(0, spread / 2, shape)
    return (_column(field) * np.exp(factors))[..., None]


def _wave(rng: np.random.Generator, shape: Shape, angle: Floats) -> Floats:
    """Cosine of `angle`, shifted as is this person's way, and a little the trial's."""
    shift = rng.normal(0, 0.25, (shape[0], 1, 1, 1)) + rng.normal(0, 0.1, (*shape, 1))
    return np.cos(angle + shift)


def _wander(rng: np.random.Generator, shape: Shape, seconds: float) -> Floats:
    """Noise of unit variance that forgets itself in `seconds` (AR(1)), (*shape, TIMESTEPS)."""
    from scipy import signal

    keep = np.exp(-1 / (RATE * seconds))
    steps = rng.normal(0, np.sqrt(1 - keep**2), (*shape, TIMESTEPS))
    steps[..., 0] /= np.sqrt(1 - keep**2)
    return signal.lfilter([1], [1, -keep], steps)


def _rotation(axis: int, angle: Floats) -> Floats:
    """Rotation matrices (*angle.shape, 3, 3) about one axis."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((*angle.shape, 3, 3))
    matrix[..., axis, axis] = 1
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angle)
    matrix[..., second, first] = np.sin(angle)
    matrix[..., first, second] = -np.sin(angle)
    return matrix
