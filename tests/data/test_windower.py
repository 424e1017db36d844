import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_keras.data import signals
from har_keras.data.preprocessing import Preprocessing
from har_keras.data.windower import BadSample, Windower, cut, joined
from har_keras.errors import UserError

INERTIAL = Preprocessing()
PLAIN = Preprocessing(("a", "b"), 50, 32, 16, "none")
light = settings(max_examples=40, deadline=None)


def motion(time: np.ndarray) -> np.ndarray:
    """A phone held upright that sways: (timesteps, 6), g and rad/s."""
    phase = 2 * np.pi * time[:, None] * [0.7, 1.1, 1.9, 0.5, 2.3, 3.1] + np.arange(6)
    return 0.2 * np.sin(phase) + [0.1, 0.0, 0.97, 0, 0, 0]


@st.composite
def streams(draw):
    """Times with jitter and gaps, samples, a preprocessing, and where to cut into chunks."""
    plain = draw(st.booleans())
    rate = draw(st.sampled_from([45.0, 50.0, 60.0, 100.0, 130.0, 200.0]))
    length = draw(st.integers(2, 900))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    intervals = rng.uniform(0.7, 1.3, length) if draw(st.booleans()) else np.ones(length)
    intervals[rng.uniform(size=length) < draw(st.sampled_from([0, 0.004]))] = 100
    time = draw(st.sampled_from([0.0, 1.7e9])) + np.cumsum(intervals) / rate
    x = motion(time)[:, :2] if plain else motion(time)
    places = draw(st.lists(st.integers(0, length), max_size=12))
    return PLAIN if plain else INERTIAL, time, x, sorted(places)


@light
@given(streams(), st.booleans())
def test_chunks_change_nothing(stream, timed: bool) -> None:
    """A live stream gives to the bit what the whole recording gives."""
    preprocessing, time, x, places = stream

    def windows_of(places: list[int]):
        windower = Windower(preprocessing, None if timed else 100)
        ends = [*places, len(x)]
        cuts = [
            windower.push(time[a:b] if timed else None, x[a:b])
            for a, b in zip([0, *places], ends, strict=True)
        ]
        return joined([*cuts, windower.close()]), windower

    whole, one = windows_of([])
    parts, many = windows_of(places)
    np.testing.assert_array_equal(parts.x, whole.x)
    np.testing.assert_array_equal(parts.start, whole.start)
    assert (many.gaps, many.first_gap, many.raw_rate) == (one.gaps, one.first_gap, one.raw_rate)
    assert whole.x.dtype == np.float32
    assert whole.x.shape == (
        len(whole.start),
        preprocessing.window,
        preprocessing.features,
    )
    if timed:
        seconds = whole.start + (preprocessing.window - 1) / preprocessing.rate
        assert (whole.start >= time[0]).all()
        assert (seconds <= time[-1] + 1e-3).all()


@light
@given(st.integers(1, 700), st.integers(0, 99))
def test_sample_by_sample(length: int, seed: int) -> None:
    x = motion(np.arange(length) / 50) + np.random.default_rng(seed).normal(0, 0.05, (length, 6))
    windower = Windower(INERTIAL)
    cuts = [windower.push(None, row[None]) for row in x]
    whole = Windower(INERTIAL)
    expected = joined([whole.push(None, x), whole.close()])
    np.testing.assert_array_equal(joined([*cuts, windower.close()]).x, expected.x)


@pytest.mark.parametrize("timed", [True, False])
def test_50_hz_gives_the_windows_of_training(timed: bool) -> None:
    time = np.round(np.arange(1000) * 0.02, 2)
    x = motion(time) + np.random.default_rng(0).normal(0, 0.1, (1000, 6))
    total, rotation = signals.denoise(x[:, :3]), signals.denoise(x[:, 3:])
    nine = np.concatenate([total - signals.gravity(total), rotation, total], -1, dtype=np.float32)
    found, windower = cut(INERTIAL, time if timed else None, x)
    np.testing.assert_array_equal(found.x, signals.windows(nine))
    np.testing.assert_allclose(found.start, 1.28 * np.arange(len(found.x)))
    assert windower.raw_rate == pytest.approx(50)
    plain, _ = cut(PLAIN, time if timed else None, x[:, :2])
    np.testing.assert_array_equal(plain.x, signals.windows(x[:, :2].astype("f4"), 32, 16))


@pytest.mark.parametrize("rate", [100, 250, 1000])
@pytest.mark.parametrize("preprocessing", [INERTIAL, PLAIN])
def test_faster_sensors_give_the_same_windows(rate: int, preprocessing: Preprocessing) -> None:
    columns = len(preprocessing.columns)
    slow, _ = cut(preprocessing, None, motion(np.arange(1500) / 50)[:, :columns])
    time = np.arange(30 * rate) / rate
    fast, _ = cut(preprocessing, time, motion(time)[:, :columns])
    assert len(fast.x) == len(slow.x)
    late = slow.start > 10
    np.testing.assert_allclose(fast.x[late], slow.x[late], atol=0.06)


def test_a_fast_sensor_is_not_folded() -> None:
    """What swings at 60 Hz would look like 10 Hz in every twentieth sample of 1 kHz."""
    time = np.arange(10_000) / 1000
    fold = np.sin(2 * np.pi * 60 * time)[:, None] * np.ones(2)
    found, _ = cut(PLAIN, time, fold)
    assert np.abs(found.x[5:]).max() < 0.05


def test_jitter_is_interpolated() -> None:
    rng = np.random.default_rng(0)
    time = np.sort(np.arange(1500) / 50 + rng.uniform(-0.008, 0.008, 1500))
    found, _ = cut(PLAIN, time, np.stack([time, 2 * time], 1))
    expected = found.start[:, None] + np.arange(32) / 50
    np.testing.assert_allclose(found.x[..., 0], expected, atol=1e-5)


def test_no_window_spans_a_gap() -> None:
    time = np.arange(600) / 50.0
    time[200:] += 3
    time[210:] += 0.17
    x = np.where(time < 5, 1.0, 2.0)[:, None] * np.ones(2)
    found, windower = cut(PLAIN, time, x)
    assert windower.gaps == 1
    assert windower.first_gap == pytest.approx((199 / 50, 3.02))
    assert all(len(np.unique(window)) == 1 for window in found.x)
    alone, _ = cut(PLAIN, time[200:], x[200:])
    np.testing.assert_array_equal(found.x[-len(alone.x) :], alone.x)


def test_buffers_do_not_grow() -> None:
    windower = Windower(INERTIAL)

    def held() -> int:
        stretch = windower._stretch
        return stretch._buffer.nbytes + stretch._knot[1].nbytes + len(windower._first)

    chunk = motion(np.arange(1000) / 50)
    sizes = []
    for i in range(200):
        windower.push(np.arange(i * 1000, (i + 1) * 1000) / 50, chunk)
        sizes.append(held())
    assert max(sizes) <= 128 * 9 * 4 + 48 + 10
    assert not windower._waiting
    assert windower._stretch._buffer.base is None


def change(x: np.ndarray, columns: slice, factor: float) -> np.ndarray:
    x = x.copy()
    x[:, columns] *= factor
    return x


TIME = np.arange(800) / 50
X = motion(TIME)
LINEAR = X - [0.1, 0, 0.97, 0, 0, 0]
WRONG = {
    "m/s²": (TIME, change(X, slice(3), 9.80665), "looks like m/s², divide by 9.80665"),
    "mg": (TIME, change(X, slice(3), 1000), "looks like mg"),
    "counts": (TIME, change(X, slice(3), 16384), "divide by the sensor's count"),
    "linear": (TIME, change(LINEAR, slice(3), 0.2), "gravity seems to have been taken out"),
    "swapped": (TIME, change(X, slice(3, 6), 0.1)[:, [3, 4, 5, 0, 1, 2]], "to be swapped"),
    "deg/s": (TIME, change(X, slice(3, 6), 180 / np.pi * 2), "degrees per second"),
    "ms": (TIME * 1e3, X, "looks like milliseconds, divide by 1e3"),
    "us": (TIME * 1e6, X, "looks like microseconds"),
    "ns": (TIME * 1e9, X, "looks like nanoseconds"),
    "1 Hz": (TIME * 50, X, "expected at least 40 Hz, found 1 Hz"),
    "0.01 Hz": (TIME * 5000, X, "expected at least 40 Hz, found 0.01 Hz"),
    "1 GHz": (TIME / 2e7, X, "expected at most 1e\\+06 Hz, found 1e\\+09 Hz"),
    "short": (TIME[:100], X[:100], "2.56 s, 128 samples at 50 Hz\\), found 100 samples"),
    "one": (TIME[:1], X[:1], "found 1 samples"),
    "shape": (TIME, X[:, :5], "shape \\(timesteps, 6\\)"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_recordings(kind: str) -> None:
    time, x, expected = WRONG[kind]
    with pytest.raises(UserError, match=expected):
        cut(INERTIAL, time, x)


def test_units_are_watched_throughout_a_recording() -> None:
    """Degrees a second show only where somebody moves."""
    still = np.tile([0, 0, 1.0, 0, 0, 0], (1000, 1))
    with pytest.raises(UserError, match="degrees"):
        cut(INERTIAL, None, np.concatenate([still, change(X, slice(3, 6), 180 / np.pi * 2)]))


@pytest.mark.parametrize(
    ("row", "time", "value", "expected"),
    [
        (300, None, np.nan, "sample 301: acc_x is nan"),
        (300, 5.0, 1.0, "sample 301: time 5.0 after 5.98, .*sort .* remove duplicates"),
        (300, 5.98, 1.0, "sample 301: time 5.98 after 5.98"),
        (300, np.nan, 1.0, "sample 301: time is nan"),
        (0, None, np.inf, "sample 1: acc_x is inf"),
        (9, None, -1e300, "sample 10: acc_x is -1e\\+300"),
        (9, 1e300, 1.0, "sample 10: time is 1e\\+300"),
    ],
)
def test_bad_sample(row: int, time: float | None, value: float, expected: str) -> None:
    times, x = TIME.copy(), X.copy()
    times[row] = times[row] if time is None else time
    x[row, 0] = value
    with pytest.raises(BadSample, match=expected):
        cut(INERTIAL, times, x)


def test_given_rate_and_times_that_disagree() -> None:
    with pytest.raises(UserError, match="rate=100: the times say 50 Hz"):
        cut(INERTIAL, TIME, X, rate=100)


def test_gap_before_every_window() -> None:
    time = TIME + np.arange(800) // 100
    with pytest.raises(UserError, match="between two gaps"):
        cut(INERTIAL, time, X)


@pytest.mark.real_data
@pytest.mark.skipif("HAR_KERAS_DATA" not in os.environ, reason="HAR_KERAS_DATA is not set")
def test_gravity_of_the_real_recordings() -> None:
    """Our filter is the authors': stitch the test windows together again and take gravity out."""
    from har_keras.data import uci_har
    from har_keras.data.fetch import user_cache

    x = uci_har.load(Path(os.environ["HAR_KERAS_DATA"]), user_cache()).test.signals
    follows = (x[1:, :64] == x[:-1, 64:]).all((1, 2))
    stretches = np.split(x, np.flatnonzero(~follows) + 1)
    furthest = []
    for stretch in stretches:
        stitched = np.concatenate([stretch[0], *stretch[1:, 64:]]).astype("float64")
        body, total = stitched[:, :3], stitched[:, 6:]
        furthest.append(np.abs(total - signals.gravity(total) - body)[500:])
    assert sum(map(len, furthest)) > 50_000
    assert np.concatenate(furthest).max() < 5e-4
