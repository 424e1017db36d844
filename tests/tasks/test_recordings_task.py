from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_keras.data.preprocessing import RAW
from har_keras.errors import UserError
from har_keras.tasks.recordings import Config, draw, load

SMALL = {"window": 10, "step": 5}


def write(path: Path, labels: list[str], subject: str | None, channels: int = 2, **more) -> None:
    """One sample a label, at 50 Hz; channel i counts samples from 100 i."""
    names = [f"c{i}" for i in range(channels)]
    header = ["time", "label", *names, *(["subject"] if subject else [])]
    lines = [",".join(header)]
    for i, label in enumerate(labels):
        cells = [f"{i / 50:.2f}", label, *(str(100 * c + i) for c in range(channels))]
        lines.append(",".join([*cells, *([subject] if subject else [])]))
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four people in five files; p0 has two."""
    for index, person in enumerate(["p0", "p1", "p2", "p3", "p0"]):
        labels = ["sit"] * 23 + ["walk"] * 20 + [""] * 3 + ["sit"] * 12
        write(tmp_path / f"r{index}.csv", labels, person)
    return tmp_path


def given_folder(folder: Path, seed: int = 0, published: bool = False, **values):
    return load(Config(path=str(folder), **SMALL | values), folder, seed, published)


def test_windows_have_one_label(folder: Path) -> None:
    data = given_folder(folder)
    assert data.outputs.classes == ("sit", "walk")
    assert data.source == "recordings"
    assert data.note == ""
    starts = {"sit": {0, 5, 10}, "walk": {25, 30}}
    found = {"sit": set(), "walk": set()}
    for split in data.splits.values():
        for window, label in zip(split.x, split.y, strict=True):
            np.testing.assert_array_equal(window[:, 0], window[0, 0] + np.arange(10))
            found[data.outputs.classes[label]].add(int(window[0, 0]))
    assert found == starts
    assert data.inputs.preprocessing.columns == ("c0", "c1")
    assert (data.inputs.timesteps, data.inputs.features) == (10, 2)
    flat = data.train.x.reshape(-1, 2).astype("float64")
    np.testing.assert_allclose(data.inputs.mean, flat.mean(0))


def test_people_stand_in_one_split(folder: Path) -> None:
    data = given_folder(folder)
    people = [set(split.groups) for split in data.splits.values()]
    assert sum(map(len, people)) == 4 == len(set.union(*people))
    windows = {
        name: sum((s.groups == name).sum() for s in data.splits.values()) for name in ("p0", "p1")
    }
    assert windows["p0"] == 2 * windows["p1"]


def test_seeds_share_the_test_people(folder: Path) -> None:
    first, second = given_folder(folder, seed=0), given_folder(folder, seed=1)
    np.testing.assert_array_equal(first.test.x, second.test.x)
    assert first.sha256 == second.sha256
    validations = {tuple(np.unique(given_folder(folder, s).validation.groups)) for s in range(8)}
    assert len(validations) > 1
    assert given_folder(folder, published=True).validation is None


def test_the_hash_follows_the_data(folder: Path) -> None:
    before = given_folder(folder).sha256
    text = (folder / "r0.csv").read_text()
    (folder / "r0.csv").write_text(text.replace("0.00,sit,0,", "0.00,sit,7,"))
    assert given_folder(folder).sha256 != before


def test_loading_makes_the_path_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    config = Config(path=folder.name, **SMALL)
    load(config, folder, 0, False)
    assert config.path == str(folder)


def test_channels_are_chosen_and_ordered(folder: Path) -> None:
    data = given_folder(folder, channels=["c1"])
    assert data.train.x.shape[-1] == 1
    assert data.train.x.min() >= 100


def test_files_without_subject_and_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(3):
        rows = "\n".join(f"{i}.5,{'on' if k < 30 else 'off'}" for k in range(60))
        (tmp_path / f"r{i}.csv").write_text(f"x,label\n{rows}\n")
    data = given_folder(tmp_path, rate=20.0)
    assert {name for split in data.splits.values() for name in split.groups} == {"r0", "r1", "r2"}
    told = capsys.readouterr().err
    assert "3 of 3 files have no column subject: each is a subject of its own" in told
    assert "taken as sampled at 20 Hz" in told


def test_inertial(tmp_path: Path) -> None:
    for i in range(3):
        lines = [",".join([*RAW[::-1], "label", "note"])]
        lines += ["0,0,0,1,0,0,still,x"] * 200
        (tmp_path / f"r{i}.csv").write_text("\n".join(lines))
    data = load(Config(path=str(tmp_path), filter="inertial"), tmp_path, 0, False)
    assert data.inputs.features == 9
    assert data.inputs.preprocessing.columns == RAW
    np.testing.assert_allclose(data.train.x[0, 0], [0] * 6 + [0, 0, 1], atol=1e-6)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(3, 40),
    st.floats(0.01, 0.99),
    st.floats(0.01, 0.99),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
def test_draw(count: int, test: float, validation: float, seed: int, published: bool) -> None:
    names = np.array([f"p{i}" for i in range(count)])
    drawn = draw(np.repeat(names, 2), test, validation, seed, published)
    assert sorted(np.concatenate(list(drawn.values()))) == sorted(names)
    assert set(drawn) == {"train", "test"} | ({"validation"} if not published else set())
    assert all(len(part) for part in drawn.values())


def test_two_people_are_too_few(tmp_path: Path) -> None:
    for i in range(4):
        write(tmp_path / f"r{i}.csv", ["sit"] * 30, f"p{i % 2}")
    with pytest.raises(UserError, match=r"at least 3 subjects .* found 2: p0, p1"):
        given_folder(tmp_path)


def test_class_without_training(tmp_path: Path) -> None:
    for i in range(4):
        write(tmp_path / f"r{i}.csv", ["sit"] * 30 + ["walk"] * 30, f"p{i}")
    (tested,) = np.unique(given_folder(tmp_path).test.groups)
    write(tmp_path / "more.csv", ["jump"] * 30, str(tested))
    with pytest.raises(UserError, match=f"'jump' is not: only {tested} has it"):
        given_folder(tmp_path)


def test_channels_that_differ(folder: Path) -> None:
    write(folder / "r9.csv", ["sit"] * 30, "p9", channels=3)
    with pytest.raises(UserError, match=r"r9.csv: has the channels c0, c1, c2, expected .*c0, c1"):
        given_folder(folder)
    assert given_folder(folder, channels=["c0", "c1"]).train.x.shape[-1] == 2


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"path": ""}, "task.path=: expected a folder"),
        ({"test_share": 1.0}, "task.test_share=1.0: expected above 0 and below 1"),
        ({"validation_share": 0.0}, "task.validation_share"),
        ({"label": "time"}, "expected other columns"),
        ({"label": "who", "subject": "who"}, "expected other columns"),
        ({"window": 0}, "task.window=0"),
        ({"step": 300}, "task.step=300"),
        ({"rate": -1.0}, "task.rate=-1.0"),
        ({"filter": "kalman"}, "task.filter=kalman"),
        ({"filter": "inertial", "channels": ["a"]}, "task.filter=inertial: expected columns"),
    ],
)
def test_bad_values(values: dict, expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        Config(**{"path": "x"} | values)
