from dataclasses import asdict
from pathlib import Path

import pytest

from har_keras.data.preprocessing import RAW, Preprocessing, from_record
from har_keras.errors import UserError

RUN = Path("run.json")


def test_comes_back_from_the_record() -> None:
    own = Preprocessing(("a", "b"), 25.0, 10, 5, "none")
    assert from_record({"preprocessing": asdict(own) | {"columns": ["a", "b"]}}, RUN) == own
    assert own.features == 2
    assert Preprocessing().features == 9
    assert Preprocessing().seconds == 2.56


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"columns": []}, "columns=\\[\\]: expected names"),
        ({"columns": "acc_x"}, "expected names"),
        ({"columns": ["a", "a"], "filter": "none"}, "different names"),
        ({"columns": ["a", "b"]}, "expected columns acc_x, acc_y"),
        ({"columns": RAW[::-1]}, "expected columns acc_x, acc_y"),
        ({"rate": 0}, "rate=0: expected above 0 Hz"),
        ({"rate": "50"}, "rate=50: expected above"),
        ({"rate": float("inf")}, "and finite"),
        ({"rate": 40}, "above 40 Hz"),
        ({"window": 0}, "window=0"),
        ({"window": 12.5}, "window=12.5"),
        ({"step": 129}, "step=129: expected 1 to the window's 128"),
        ({"filter": "inertia"}, "did you mean 'inertial'"),
        ({"speed": 3}, "unexpected keyword argument 'speed'"),
    ],
)
def test_edited_record(edit: dict, expected: str) -> None:
    record = {"preprocessing": asdict(Preprocessing()) | edit}
    with pytest.raises(UserError, match=f"run.json: preprocessing: .*{expected}"):
        from_record(record, RUN)


@pytest.mark.parametrize("record", [{}, {"preprocessing": None}])
def test_run_without_sensors(record: dict) -> None:
    with pytest.raises(UserError, match="expected the key preprocessing"):
        from_record(record, RUN)


def test_record_of_another_kind() -> None:
    with pytest.raises(UserError, match="preprocessing"):
        from_record({"preprocessing": [1, 2]}, RUN)
