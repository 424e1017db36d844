from dataclasses import replace

import numpy as np

from har_keras.data.recordings import ACTIVITIES, SIGNALS, Windows, digest


def some(seed: int, kind: type = np.int64) -> Windows:
    rng = np.random.default_rng(seed)
    signals = rng.normal(size=(4, 128, 9)).astype(np.float32)
    return Windows(signals, np.arange(4).astype(kind), np.arange(4).astype(kind))


def test_names() -> None:
    assert len(ACTIVITIES) == 6
    assert SIGNALS[0] == "body_acc_x"
    assert SIGNALS[4] == "body_gyro_y"
    assert SIGNALS[8] == "total_acc_z"


def test_digest_tells_arrays_apart() -> None:
    a, b = some(0), some(1)
    assert digest(a, b) == digest(some(0, np.int32), some(1))
    assert len({digest(a, b), digest(b, a), digest(a, replace(b, labels=b.labels + 1))}) == 3
