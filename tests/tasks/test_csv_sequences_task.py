from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from har_keras import config
from har_keras.data.csv_sequences import Format
from har_keras.errors import UserError
from har_keras.tasks.classification import ClassPerSequence
from har_keras.tasks.csv_sequences import Config, load
from har_keras.tasks.sequences import Sequences, from_record
from har_keras.tasks.step_classification import ClassOfEachStep
from har_keras.training import initial_weights
from har_keras.training.step_accuracy import StepAccuracy

CLASSES = ("down", "up")


def write(path: Path, rows: int, *labels: str) -> None:
    """`rows` rows that count from 1, a label each; the last label for all that are left."""
    path.parent.mkdir(exist_ok=True)
    named = [*labels, *labels[-1:] * rows][:rows]
    lines = [f"{i},{10 * i},{label}" for i, label in enumerate(named, 1)]
    path.write_text("\n".join(["a,b,label", *lines]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty files of each class, of 2 to 6 rows."""
    for i in range(40):
        write(tmp_path / f"{i:02}.csv", 2 + i % 5, CLASSES[i % 2])
    return tmp_path


def read(folder: Path, seed: int = 0, published: bool = False, **values: Any):
    return load(Config(path=str(folder), readers=1, **values), folder, seed, published)


def test_shares_of_each_class(folder: Path) -> None:
    data = read(folder)
    assert [len(split.x) for split in data.splits.values()] == [24, 6, 10]
    for split in data.splits.values():
        assert len(set(np.bincount(split.y))) == 1
    files = [set(split.groups) for split in data.splits.values()]
    assert sum(map(len, files)) == len(set.union(*files)) == 40
    other = read(folder, seed=1)
    np.testing.assert_array_equal(other.test.groups, data.test.groups)
    assert set(other.validation.groups) != files[1]
    assert other.sha256 == data.sha256
    assert read(folder, published=True).validation is None
    first = folder / "00.csv"
    first.write_text(first.read_text().replace("a,b,", "b,a,"))
    assert read(folder).sha256 != data.sha256


def test_short_sequences_are_padded(folder: Path) -> None:
    data = read(folder)
    assert data.inputs.shape == data.train.x.shape[1:] == (6, 2)
    assert data.inputs.ragged
    lengths = []
    for x, path in zip(data.train.x, data.train.groups, strict=True):
        length = 2 + int(Path(path).stem) % 5
        np.testing.assert_array_equal(x[:length, 1], 10 * np.arange(1, length + 1))
        assert np.isnan(x[length:]).all()
        lengths.append(length)
    rows = np.concatenate([np.arange(1, length + 1) for length in lengths])
    np.testing.assert_allclose(data.inputs.mean, [rows.mean(), 10 * rows.mean()])
    np.testing.assert_allclose(data.inputs.variance, [rows.var(), 100 * rows.var()])
    assert read(folder, normalize=False).inputs.mean is None


def test_a_class_a_step(tmp_path: Path) -> None:
    for i in range(12):
        write(tmp_path / f"{i:02}.csv", 3 + i % 2, "up", "", "down")
    data = read(tmp_path, labels="step")
    assert data.outputs == ClassOfEachStep(CLASSES, timesteps=4)
    for x, y in zip(data.test.x, data.test.y, strict=True):
        assert y.tolist() == [1, -1, 0, -1 if np.isnan(x[3, 0]) else 0]


def test_own_folders(tmp_path: Path) -> None:
    for name in ("train/a", "train/b", "train/c", "train/d", "test/a"):
        for label in CLASSES:
            write(tmp_path / f"{name}_{label}.csv", 3, label)
    data = read(tmp_path, validation_share=0.5)
    assert [len(split.x) for split in data.splits.values()] == [4, 4, 2]
    assert {Path(path).parent.name for path in data.test.groups} == {"test"}
    assert not data.inputs.ragged
    write(tmp_path / "validation/x.csv", 3, "up")
    data = read(tmp_path)
    assert [len(split.x) for split in data.splits.values()] == [8, 1, 2]
    write(tmp_path / "x.csv", 3, "up")
    with pytest.raises(UserError, match=r"x\.csv: expected a folder train, validation, test, as"):
        read(tmp_path)


def test_unusable_splits(tmp_path: Path) -> None:
    for i in range(3):
        write(tmp_path / f"train/{i}.csv", 3, "up")
    with pytest.raises(UserError, match="too few files, none of 3 for test"):
        read(tmp_path)
    write(tmp_path / "test/x.csv", 3, "down")
    with pytest.raises(UserError, match="every class in the training files, 'down' is not"):
        read(tmp_path, validation_share=0.4)


@pytest.mark.parametrize("labels", ["sequence", "step"])
def test_one_class_is_none(tmp_path: Path, labels: str) -> None:
    for i in range(9):
        write(tmp_path / f"{i}.csv", 3, "up")
    with pytest.raises(UserError, match="labels of at least two classes, found up"):
        read(tmp_path, labels=labels)


@pytest.mark.parametrize("classes", [2, ["0", "1"], [0, 1], None])
def test_numbered_classes(tmp_path: Path, classes: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(20):
        write(tmp_path / f"{i:02}.csv", 2, str(i % 2))
    assert read(tmp_path, classes=classes).outputs.classes == ("0", "1")
    write(tmp_path / "x.csv", 2, "2")
    if classes is None:
        return
    with pytest.raises(UserError, match="1 of 21 files"):
        read(tmp_path, classes=classes)
    assert "x.csv, line 2: label is '2', not one of 0, 1" in capsys.readouterr().err
    assert len(read(tmp_path, classes=classes, on_bad="skip").outputs.classes) == 2


def test_paths_become_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    settings = Config(path="*.csv", readers=1)
    assert len(load(settings, folder, 0, False).test.x) == 10
    assert settings.path == str(folder / "*.csv")


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"path": ""}, "task.path=: expected a folder"),
        ({"labels": "row"}, "task.labels=row: expected one of sequence, step"),
        ({"on_bad": "ignore"}, "task.on_bad=ignore: expected one of stop, skip"),
        ({"test_share": 1.0}, "task.test_share=1.0: expected above 0 and below 1"),
        ({"header": -1}, "task.header=-1: expected 0 or more lines"),
        ({"delimiter": "::"}, "task.delimiter=::: expected one character, or null"),
        ({"readers": 0}, "task.readers=0: expected at least 1, or null"),
        ({"classes": 1}, "task.classes=1: expected different names, how many"),
        ({"classes": ["up", "up"]}, "task.classes=['up', 'up']: expected different names"),
    ],
)
def test_values(values: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError) as found:
        Config(**{"path": "x"} | values)
    assert line in str(found.value)


def test_values_as_typed() -> None:
    given = ["task=csv_sequences", "task.path='s3://runs/*.csv'"]
    task = config.from_overrides([*given, "task.classes=[up,down]", "task.label=3"]).task
    assert (task.path, task.form.classes) == ("s3://runs/*.csv", ("up", "down"))
    assert task.label == "3"
    assert config.from_overrides([*given, "task.classes=6"]).task.form.classes == tuple("012345")


def outputs(name: str, inputs: Sequences, x: np.ndarray, described: Any) -> np.ndarray:
    settings = config.from_overrides([f"model={name}", "model.units=3"]).model
    model = import_module(f"har_keras.models.{settings.family}").build(settings, inputs, described)
    initial_weights.draw(model, 0, {})
    return convert_to_numpy(model(x))


@pytest.mark.parametrize("per_step", [False, True], ids=["sequence", "step"])
@pytest.mark.parametrize("name", [n for n in config.choices("model") if n != "encoder_decoder"])
def test_each_encoder_leaves_padding_out_or_says_why_not(name: str, per_step: bool) -> None:
    rng = np.random.default_rng(0)
    given: dict[str, Any] = {"mean": (1.0, 2.0), "variance": (4.0, 9.0)}
    x = np.full((2, 12, 2), np.nan, np.float32)
    for i, length in enumerate((8, 5)):
        x[i, :length] = rng.normal(1, 2, (length, 2))
    described = ClassOfEachStep(CLASSES, timesteps=8) if per_step else ClassPerSequence(CLASSES)
    ragged = Sequences(12, 2, **given, ragged=True)
    if name == "gru_ensemble" or (per_step and name == "conv_lstm"):
        with pytest.raises(UserError, match=f"model={name}: expected another model"):
            outputs(name, ragged, x, described)
        return
    found = outputs(name, ragged, x, described)
    assert np.isfinite(found).all()
    whole = outputs(name, Sequences(8, 2, **given), x[:1, :8], described)
    if name != "conv_lstm":  # whose convolutions look past the end
        np.testing.assert_allclose(found[:1, :8], whole, atol=1e-5)


def test_figures_are_over_steps_that_count() -> None:
    described = ClassOfEachStep(CLASSES, timesteps=3)
    truth = np.array([[0, 1, -1], [1, -1, -1]])
    logits = np.array([[[5, 0], [5, 0], [0, 5]], [[0, 5], [5, 0], [5, 0]]], np.float32)
    assert described.metrics(truth, logits)["accuracy"] == pytest.approx(2 / 3)
    rows = list(described.prediction_rows(truth, logits))
    assert rows[0] == ["index", "step", "truth", "prediction", *CLASSES]
    assert [row[:4] for row in rows[1:]] == [
        [0, 0, "down", "down"],
        [0, 1, "up", "down"],
        [1, 0, "up", "up"],
    ]
    assert set(described.figures(truth, logits, np.arange(2), "")) == {"confusion", "per_class"}
    assert described.precision_recall(truth, logits)["up"][0].tolist() == [False, True, True]
    assert list(described.told(truth, logits)) == []
    metric = StepAccuracy()
    metric.update_state(truth, logits)
    assert float(metric.result()) == pytest.approx(2 / 3)
    loss = convert_to_numpy(described.loss()(truth, logits))
    assert loss == pytest.approx(described.metrics(truth, logits)["loss"], rel=1e-5)


def test_a_saved_mask(tmp_path: Path) -> None:
    start, steps = Sequences(4, 2, ragged=True).open()
    keras.Model(start, steps).save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    x = np.array([[[1, 2], [3, 4], [np.nan] * 2, [np.nan] * 2]], np.float32)
    np.testing.assert_array_equal(convert_to_numpy(model(x)), np.nan_to_num(x))


def test_the_record_tells_all(tmp_path: Path) -> None:
    form = Format("kind", True, ("a", "b"), CLASSES, ";", 0)
    inputs = Sequences(4, 2, ragged=True, form=form)
    record = {"inputs": inputs.describe()}
    assert from_record(tmp_path, record) == inputs
    for change in ({"shape": [4]}, {"shape": [4, 3]}, {"format": {"label": 1}}, {"ragged": None}):
        edited = {k: v for k, v in (record["inputs"] | change).items() if v is not None}
        with pytest.raises(UserError, match=r"run\.json: inputs: .*; was it edited\?"):
            from_record(tmp_path, {"inputs": edited})
