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
    Activity(5, 3, 0.02, 0.94, 0.25, (1, 0.40, 0.15), (0, 0.6, 1.0), 0.10, 0.060),
    Activity(13, 3, 0.03, 0.80, 0.20, (1, 0.30, 0.10), (0, 1.6, 0.2), 0.20, 0.075),
    Activity(-6, 3, 0.03, 1.02, 0.34, (1, 0.55, 0.30), (0, 0.0, 2.2), 0.25, 0.070),
    Activity(-15, 4, 0.003),
    Activity(0, 2, 0.012),
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


def _recordings(rng: np.random.Generator, shape: tuple[int, int, int]) -> tuple[Floats, Floats]:
    """Specific force in g and angular velocity in rad/s, each (*shape, TIMESTEPS, 3)."""
    people, _, _ = shape

    def varied(name: str, person: float, trial: float) -> Floats:
        """One number a recording: the activity's, times log-normal factors."""
        spread = rng.normal(0, person, (people, 1, 1)) + rng.normal(0, trial, shape)
        return (_column(name) * np.exp(spread))[..., None]

    drift = 0.03 * _wander(rng, (*shape, 1), seconds=3.0)[..., 0]
    start = rng.uniform(0, 2 * np.pi, (*shape, 1))
    stride = start + 2 * np.pi * np.cumsum(varied("stride", 0.05, 0.02) * (1 + drift), -1) / RATE
    bob = varied("bob", 0.2, 0.1) * (1 + 0.1 * _wander(rng, (*shape, 1), seconds=2.0)[..., 0])
    up = varied("limp", 0.4, 0.2) * np.cos(stride + _style(rng, shape))
    forward = np.zeros_like(up)
    for step in (1, 2, 3):
        strength = np.array([move.harmonics[step - 1] for move in MOVES])[:, None, None]
        phase = np.array([move.phases[step - 1] for move in MOVES])[:, None, None]
        angle = 2 * step * stride + phase + _style(rng, shape)
        up += strength * np.cos(angle)
        forward += 0.6 * strength * np.cos(angle + 1.3)
    side = 0.5 * np.cos(stride + _style(rng, shape)) + 0.2 * np.cos(3 * stride + _style(rng, shape))
    force = bob[..., None] * np.stack([forward, side, up], -1)
    force[..., 2] += 1

    swing = varied("swing", 0.2, 0.1)
    turn = np.stack(
        [
            swing * np.cos(stride + _style(rng, shape)),
            0.5 * swing * np.cos(2 * stride + _style(rng, shape)),
            1.5 * swing * np.cos(stride + _style(rng, shape)),
        ],
        -1,
    )
    turn += varied("sway", 0.2, 0.15)[..., None] * _wander(rng, (*shape, 3), seconds=1.0)
    force -= np.cross(turn, force)  # small angles

    phone = _phone(rng, shape)[..., None, :, :]
    grain = np.exp(rng.normal(0, 0.3, (people, 1, 1, 1, 1)))
    noise = rng.normal(0, 1, (2, *force.shape)) * grain
    rate = np.gradient(turn, 1 / RATE, axis=-2)
    return (
        (phone @ force[..., None])[..., 0] + 0.01 * noise[0],
        (phone @ rate[..., None])[..., 0] + 0.02 * noise[1],
    )


def _column(name: str) -> Floats:
    """A field of all activities, (activities, 1)."""
    return np.array([getattr(move, name) for move in MOVES], np.float64)[:, None]


def _style(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    """Phases in rad that are a person's own, and a little the trial's."""
    own = rng.normal(0, 0.2, (shape[0], 1, 1, 1))
    return own + rng.normal(0, 0.1, (*shape, 1))


def _wander(rng: np.random.Generator, shape: tuple[int, ...], seconds: float) -> Floats:
    """Slow unit-variance noise (an AR(1) process), time inserted as the last axis but one."""
    from scipy import signal

    keep = np.exp(-1 / (RATE * seconds))
    steps = rng.normal(0, np.sqrt(1 - keep**2), (*shape[:-1], TIMESTEPS, shape[-1]))
    steps[..., 0, :] /= np.sqrt(1 - keep**2)
    return signal.lfilter([1], [1, -keep], steps, axis=-2)


def _phone(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    """Rotations (*shape, 3, 3) from the upright trunk's axes (forward, left, up) to the phone's."""
    lean = np.deg2rad(_column("lean") + _column("lean_spread") * rng.normal(0, 1, shape))
    own = np.deg2rad(rng.normal(0, 1, (3, shape[0], 1, 1)) * np.reshape((4, 3, 12), (3, 1, 1, 1)))
    slip = np.deg2rad(rng.normal(0, 2, (3, *shape)))
    roll, pitch, yaw = own + slip
    upright = np.array([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]])  # the phone's x axis points up
    return upright @ _turn(2, yaw) @ _turn(0, roll) @ _turn(1, pitch + lean)


def _turn(axis: int, angle: Floats) -> Floats:
    """Rotation matrices (..., 3, 3) about one axis."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((*angle.shape, 3, 3))
    matrix[..., axis, axis] = 1
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angle)
    matrix[..., second, first] = np.sin(angle)
    matrix[..., first, second] = -np.sin(angle)
    return matrix
