"""What a user gets wrong: one line on standard error, status 1, nothing written."""

import shutil
import sys
import zipfile
from pathlib import Path

import pytest

CONFIGS = {
    "model=lstmm": "did you mean 'lstm'?",
    "task=hra": "did you mean 'har'?",
    "optimizer=adm": "did you mean 'adam'?",
    "hardware=tpu": "expected one of auto, cpu, data_parallel, gpu",
    "experiment=har_sum": "did you mean 'har_sum_lstm'?",
    "backend=jaxx": "did you mean 'jax'?",
    "model.unitz=3": "did you mean 'units'?",
    "traning.epochs=3": "did you mean 'training'?",
    "+model.unknown=1": "model.unknown: no such key",
    "model.units=many": "model.units=many: expected a whole number",
    "model.units=1.5": "model.units=1.5: expected a whole number",
    "model.units=0": "model.units=0: expected at least 1",
    "model.cell=lstmx": "did you mean 'lstm'?",
    "model.dropout=1": "model.dropout=1.0: expected 0 to below 1",
    "model.pooling=first": "expected one of last, sum, mean, max",
    "model.bidirectional=maybe": "model.bidirectional=maybe: expected true or false",
    "optimizer.learning_rate=-0.1": "optimizer.learning_rate=-0.1: expected above 0",
    "optimizer.learning_rate=fast": "expected a number",
    "optimizer.schedule=cosin": "did you mean 'cosine'?",
    "optimizer.warmup=0.1": "only cosine warms up",
    "optimizer.clip_norm=0": "above 0, or null",
    "training.epochs=0": "expected at least 1",
    "training.batch_size=-5": "expected at least 1",
    "training.patience=0": "at least 1, or null",
    "training.monitor=accuracy": "did you mean 'val_accuracy'?",
    "protocol=published": "a published protocol has no validation set",
    "task.validation_subjects=21": "expected 1 to 20",
    "hardware.threads=0": "at least 1, or null",
    "hardware.precision=float8": "expected one of float32",
    "hardware.kernel=slow": "expected one of auto, fast, reference",
    "seed=-1": "expected 0 to",
    "optimizer.epsilon=-1": "expected above 0",
    "optimizer.learning_rate=inf": "and finite",
    "model.family=recurent": "did you mean 'recurrent'?",
    "model.name=a/b": "letters, digits",
    "model=null": "a group got NoneType, expected a name",
    "model.units=3,4": "-m to try each of several",
    "model.units=(": "cannot be read, expected key=value",
    "optimizer.learning_rate": "cannot be read, expected key=value",
    "--fast": "--help shows",
    "trian": "did you mean 'train'?",
}


@pytest.mark.parametrize("argument", CONFIGS)
def test_config(refuse, tmp_path: Path, argument: str) -> None:
    assert CONFIGS[argument] in refuse(argument)
    assert not list(tmp_path.iterdir())


def test_combination(refuse) -> None:
    assert "nothing to skip" in refuse("model=lstm", "model.residual=true")
    assert "final_learning_rate" in refuse(
        "optimizer.schedule=cosine", "optimizer.final_learning_rate=1"
    )


def test_published_protocol_watches_no_plateau(refuse) -> None:
    line = refuse("experiment=har_sum_lstm", "optimizer.schedule=plateau")
    assert "has no validation set to watch" in line


def test_residual_layers_in_both_directions_have_no_last_step(refuse) -> None:
    line = refuse("model=residual_bilstm", "model.pooling=last")
    assert "model.pooling=last: expected sum, mean or max" in line


def test_folder_of_another_run(refuse, finished) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished[0].rglob("*")}
    assert "holds a run already" in refuse(f"hydra.run.dir={finished[0]}")
    assert {path: path.stat().st_mtime_ns for path in finished[0].rglob("*")} == before


def test_data_parallel_on_torch(refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("har_keras.backend.installed", lambda name: True)
    assert "not torch" in refuse("backend=torch", "hardware=data_parallel")


def test_backend_that_is_not_installed(refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("har_keras.backend.installed", lambda name: name != "torch")
    assert "pip install 'har_keras[torch]'" in refuse("backend=torch")


def test_backend_variable(refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    assert "backend=theano: expected one of" in refuse("training.epochs=1")


ARCHIVES = {
    "not a zip": lambda path: path.write_bytes(b"<html>please log in</html>"),
    "empty": lambda path: path.write_bytes(b""),
    "foreign zip": lambda path: zipfile.ZipFile(path, "w").close(),
    "a folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_archive(har_keras, tmp_path: Path, kind: str) -> None:
    root = tmp_path / "data"
    (root / "uci_har").mkdir(parents=True)
    ARCHIVES[kind](root / "uci_har" / "UCI HAR Dataset.zip")
    done = har_keras("task.source=real", f"data.root={root}", cwd=tmp_path, HTTPS_PROXY=REFUSED)
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("har_keras: ")


REFUSED = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["evaluate"], "run=: expected the folder of a finished run"),
        (["evaluate", "run=nowhere"], "no such file"),
        (["evaluate", "run=nowhere", "ouput=x"], "did you mean 'output'?"),
        (["report", "nowhere"], "no such folder"),
        (["report", "."], "no run folder"),
        (["report", "a", "b"], "expected one folder"),
    ],
)
def test_folder(refuse, arguments: list[str], expected: str) -> None:
    assert expected in refuse(*arguments)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGE = {
    "metrics.json": (_truncate, "expected JSON"),
    "run.json": (Path.unlink, "no such file"),
    "run.json ": (lambda p: p.write_text("[]"), "expected an object, found list"),
    "run.json  ": (lambda p: p.write_text('{"status": "failed"}'), "its status is failed"),
    "metrics.json ": (lambda p: p.write_text("{}"), "expected the figures of train"),
    ".hydra/config.yaml": (lambda p: p.write_text("task: ["), "expected YAML"),
    "model.keras": (_truncate, "expected a saved model"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_run(har_keras, finished, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "run"
    shutil.copytree(finished[0], copy)
    damage, expected = DAMAGE[name]
    damage(copy / name.strip())
    done = har_keras("evaluate", f"run={copy}", cwd=tmp_path)
    assert done.returncode == 1
    assert expected in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_output_that_is_no_folder(refuse, finished, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = f"run={finished[0]}"
    assert "expected a folder" in refuse("evaluate", run, f"output={tmp_path / 'file'}")
    assert "is the run itself" in refuse("evaluate", run, f"output={finished[0]}")


def test_edited_config(refuse, finished, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(finished[0], copy)
    config = copy / ".hydra" / "config.yaml"
    config.write_text(config.read_text().replace("units: 4", "units: -4"))
    assert "model.units=-4: expected at least 1" in refuse("evaluate", f"run={copy}")


def test_output_folder_that_cannot_be_made(har_keras, tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("a file in the way")
    done = har_keras("task.source=simulated", cwd=tmp_path)
    assert done.returncode == 1
    assert "cannot make the run folder" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


SPARK = {
    "hardware.strategy=gossip": "expected one of averaging, synchronous",
    "hardware.workers=0": "hardware.workers=0: expected at least 1",
    "hardware.averaging_frequency=0": "expected at least 1",
    "hardware.prefetch=-1": "expected 0 or more",
    "hardware.worker=3": "did you mean 'workers'?",
    "training.batch_size=64": "hardware.workers=2 times hardware.batch_size_per_worker=8",
    "hardware.data_parallel=true": "whose workers share each batch already",
}


@pytest.mark.parametrize("argument", SPARK)
def test_spark(refuse, tmp_path: Path, argument: str) -> None:
    assert SPARK[argument] in refuse("hardware=spark", "hardware.master=local[2]", argument)
    assert not list(tmp_path.iterdir())


def test_synchronous_gradients_on_tensorflow(refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("har_keras.backend.installed", lambda name: True)
    spark = ("hardware=spark", "hardware.strategy=synchronous")
    assert "not tensorflow" in refuse("backend=tensorflow", *spark)


def test_spark_without_java(refuse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="needs har_keras[spark]")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert "apt install openjdk-17-jre-headless" in refuse("hardware=spark")


def test_spark_without_pyspark(refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    assert "pip install 'har_keras[spark]'" in refuse("hardware=spark")
