import os
from pathlib import Path

import numpy as np
import pytest

from har_keras import pipeline
from har_keras.config import from_overrides

KINDS = ("normal", "cyclic", "increasing", "decreasing", "upward_shift", "downward_shift")
TABLE = Path(os.environ.get("HAR_KERAS_DATA", ""), "synthetic_control", "synthetic_control.data")


@pytest.mark.real_data
@pytest.mark.skipif(not TABLE.exists(), reason="needs synthetic_control (HAR_KERAS_DATA)")
def test_charts_in_files_of_their_own(tmp_path: Path) -> None:
    table = np.loadtxt(TABLE)
    for i, row in enumerate(table):
        lines = ["value,label", *(f"{value},{KINDS[i // 100]}" for value in row)]
        (tmp_path / f"{i:03}.csv").write_text("\n".join(lines))
    config = from_overrides(["task=csv_sequences", f"task.path={tmp_path}"])
    data = pipeline.load(config)
    assert data.outputs.classes == tuple(sorted(KINDS))
    assert [len(split.x) for split in data.splits.values()] == [360, 90, 150]
    for split in data.splits.values():
        assert len(set(np.bincount(split.y))) == 1
        rows = [int(Path(path).stem) for path in split.groups]
        np.testing.assert_array_equal(split.x[:][..., 0], table[rows].astype("float32"))
