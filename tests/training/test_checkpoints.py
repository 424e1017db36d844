import io
import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from rich.console import Console

from har_keras import config, pipeline
from har_keras.errors import UserError
from har_keras.reporting.tensorboard import TensorBoard
from har_keras.tasks import Split, TaskData
from har_keras.tasks.classification import ClassPerSequence
from har_keras.tasks.signals import Signals
from har_keras.training import checkpoints
from har_keras.training.checkpoints import Checkpoints
from har_keras.training.fit import Fitted, fit

EPOCHS = 4
SETTINGS = ("model=gru", "model.units=3", "model.dropout=0.5", "training.batch_size=16")
CASES = {
    "constant": (),
    "plateau": ("optimizer.schedule=plateau", "training.patience=2", "optimizer=sgd"),
    "cosine": (
        "optimizer.schedule=cosine",
        "optimizer=rmsprop",
        "training.l2=0.1",
        "training.gradient_flow=true",
    ),
    "published": ("protocol=published", "training.patience=null", "training.shuffle=false"),
}


def split(seed: int, samples: int) -> Split:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(samples, 6, 2)).astype("float32")
    return Split(x, (x[:, :, 0].mean(1) > 0).astype("int64"), np.zeros(samples, "int64"))


def data(published: bool) -> TaskData:
    validation = None if published else split(1, 20)
    outputs = ClassPerSequence(("low", "high"), groups="subject")
    return TaskData(
        split(0, 40), validation, split(2, 20), Signals(6, 2), outputs, "made up", "0" * 64
    )


def trained(folder: Path, *overrides: str) -> tuple[Fitted, Any]:
    """A model fitted in `folder`, from its last checkpoint if it has one."""
    settings = config.from_overrides([*SETTINGS, f"training.epochs={EPOCHS}", *overrides])
    keras.utils.set_random_seed(settings.seed)
    known = data(settings.protocol == "published")
    model = pipeline.build(settings, known)
    folder.mkdir(exist_ok=True)
    with TensorBoard(folder / "tensorboard") as board:
        return fit(model, known, settings, folder, board, Console(file=io.StringIO())), model


def interrupt(monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    """Have the next fit stop as soon as the checkpoint of an epoch (from 0) is written."""
    whole = Checkpoints.on_epoch_end

    def cut_short(self: Checkpoints, number: int, logs: Any = None) -> None:
        whole(self, number, logs)
        if number == epoch:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "on_epoch_end", cut_short)


def assert_same(one: tuple[Fitted, Any], other: tuple[Fitted, Any]) -> None:
    assert one[0].history == other[0].history
    assert one[0].best_epoch == other[0].best_epoch
    for a, b in zip(one[1].variables, other[1].variables, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (a, b)))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Fitted, Any]]:
    folder = tmp_path_factory.mktemp("plain")
    return folder, trained(folder)


@pytest.fixture(scope="module", params=CASES)
def undisturbed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    overrides = CASES[request.param]
    folder = tmp_path_factory.mktemp("undisturbed")
    return overrides, folder, trained(folder, *overrides)


def test_a_resumed_fit_ends_as_the_undisturbed_one(
    undisturbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides, folder, expected = undisturbed
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        interrupt(patched, epoch=1)
        trained(tmp_path, *overrides)
    keras.random.normal((7,))  # whatever else the process has drawn
    assert_same(trained(tmp_path, *overrides), expected)
    drawn = ["figures/gradient_flow.png"] if "training.gradient_flow=true" in overrides else []
    for name in ["history.csv", *drawn]:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_a_finished_fit_trains_no_more(undisturbed) -> None:
    overrides, folder, expected = undisturbed
    assert_same(trained(folder, *overrides), expected)


def test_killed_between_the_last_and_the_best(
    plain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, expected = plain
    assert expected[0].best_epoch > 1
    write = checkpoints._write

    def cut_short(path: Path, arrays: dict[str, np.ndarray]) -> None:
        epoch = json.loads(str(arrays["state"]))["epoch"]
        if path.name == "best.npz" and epoch == expected[0].best_epoch:
            raise KeyboardInterrupt
        write(path, arrays)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(checkpoints, "_write", cut_short)
        trained(tmp_path)
    assert_same(trained(tmp_path), expected)


def test_an_early_stop_stays(tmp_path: Path) -> None:
    stopping = ("training.patience=1", "optimizer=sgd", "optimizer.learning_rate=1e-30")
    fitted, _ = first = trained(tmp_path, *stopping)
    assert len(fitted.history["loss"]) == 2
    assert_same(trained(tmp_path, *stopping, "training.epochs=9"), first)


def test_more_epochs_go_on(plain, tmp_path: Path) -> None:
    folder = shutil.copytree(plain[0], tmp_path / "run")
    longer, _ = trained(folder, f"training.epochs={EPOCHS + 2}")
    losses = longer.history["loss"]
    assert losses[:EPOCHS] == plain[1][0].history["loss"]
    assert len(losses) == EPOCHS + 2


@pytest.mark.parametrize("edit", ["model.units=4", "optimizer=sgd", "model=lstm"])
def test_another_model_or_optimizer_is_refused(plain, edit: str) -> None:
    with pytest.raises(UserError, match="weights of another model or optimizer"):
        trained(plain[0], edit)


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"PK"])
def test_a_damaged_checkpoint_is_refused(plain, tmp_path: Path, damage: Any) -> None:
    folder = shutil.copytree(plain[0], tmp_path / "run")
    file = folder / "checkpoints" / "last.npz"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(UserError, match=r"last\.npz: expected a whole checkpoint.*start over"):
        trained(folder)


def test_last_and_best_are_kept_and_nothing_else(plain) -> None:
    run, (fitted, _) = plain
    folder = run / "checkpoints"
    assert sorted(path.name for path in folder.iterdir()) == ["best.npz", "last.npz"]
    last, best = (checkpoints.read(folder / f"{name}.npz") for name in ("last", "best"))
    assert last is not None
    assert best is not None
    assert (last.epoch, best.epoch) == (EPOCHS, fitted.best_epoch)
    assert last.callbacks["Log"]["history"] == fitted.history
