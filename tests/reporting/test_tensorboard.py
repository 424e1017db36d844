import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format
from tensorboard import context
from tensorboard.backend.event_processing import plugin_event_multiplexer
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context
from tensorboard.plugins.hparams.get_experiment import Handler as GetExperiment
from tensorboard.plugins.hparams.list_session_groups import Handler as ListSessionGroups
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from tensorboard.util.tensor_util import make_ndarray

from har_keras.reporting import figures
from har_keras.reporting.tensorboard import TensorBoard


def read(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder), {"histograms": 0, "scalars": 0, "images": 0}).Reload()


def hparams_tab(logdir: Path) -> tuple[Any, Any]:
    """Ask the HParams plugin for its columns and rows."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer().AddRunsFromDirectory(str(logdir))
    multiplexer.Reload()
    provider = MultiplexerDataProvider(multiplexer, str(logdir))
    plugin = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    ask = context.RequestContext(), plugin, ""
    experiment = GetExperiment(*ask, api_pb2.GetExperimentRequest()).run()
    statuses = [api_pb2.STATUS_SUCCESS, api_pb2.STATUS_UNKNOWN]
    rows = api_pb2.ListSessionGroupsRequest(
        allowed_statuses=statuses, start_index=0, slice_size=100
    )
    return experiment, ListSessionGroups(*ask, rows).run().session_groups


def test_scalars_of_all_splits_overlay_and_unused_splits_make_no_folder(tmp_path: Path) -> None:
    with TensorBoard(tmp_path / "tensorboard") as board:
        assert not (tmp_path / "tensorboard").exists()
        for step in range(3):
            board.scalars("train", {"accuracy": step / 10, "loss": 1.5}, step)
        board.scalars("test", {"accuracy": 0.25}, 2)
    assert sorted(path.name for path in (tmp_path / "tensorboard").iterdir()) == ["test", "train"]
    train, test = (read(tmp_path / "tensorboard" / split) for split in ("train", "test"))
    assert train.Tags()["scalars"] == ["accuracy", "loss"]
    points = [(point.step, point.value) for point in train.Scalars("accuracy")]
    assert points == [(0, 0), (1, pytest.approx(0.1)), (2, pytest.approx(0.2))]
    assert test.Scalars("accuracy")[0].value == 0.25


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    with TensorBoard(tmp_path) as board:
        board.scalars("train", {"loss": float("nan"), "norm": float("inf")}, 1)
        board.histogram("train", "kernel", [1.0, float("nan"), float("-inf"), 3.0], 1)
        board.histogram("train", "diverged", np.full(5, np.nan), 1)
        board.histogram("train", "empty", np.empty((0, 3)), 1)
        board.histogram("train", "huge", np.float32([-3e38, 3e38]), 1)
        board.hparams({"a": float("nan")}, {"test/loss": float("nan"), "test/accuracy": 0.5})
    events = read(tmp_path / "train")
    assert np.isnan(events.Scalars("loss")[0].value)
    assert events.Tags()["histograms"] == ["kernel", "huge"]
    histogram = events.Histograms("kernel")[0].histogram_value
    assert (histogram.num, histogram.sum, histogram.min, histogram.max) == (2, 4, 1, 3)
    _, (row,) = hparams_tab(tmp_path)
    assert [metric.name.tag for metric in row.metric_values] == ["test/accuracy"]


def test_histograms_keep_every_value(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(10, 20))
    with TensorBoard(tmp_path) as board:
        board.histogram("train", "kernel", values.astype("float32"), 7)
        board.histogram("train", "constant", np.zeros(4, dtype="float16"), 7)
    events = read(tmp_path / "train")
    (event,) = events.Histograms("kernel")
    assert event.step == 7
    assert sum(event.histogram_value.bucket) == 200
    assert event.histogram_value.sum == pytest.approx(values.sum(), rel=1e-4)
    assert sum(events.Histograms("constant")[0].histogram_value.bucket) == 4


def test_images_are_the_figure_as_png(tmp_path: Path) -> None:
    figure = figures.per_group([0, 1], [0, 1], [1, 2])
    with TensorBoard(tmp_path) as board:
        board.image("test", "figures/groups", figure, 3)
    (image,) = read(tmp_path / "test").Images("figures/groups")
    assert image.encoded_image_string.startswith(b"\x89PNG")
    assert (image.step, image.width, image.height) == (3, 700, 200)


def test_text_is_markdown_of_the_text_plugin(tmp_path: Path) -> None:
    with TensorBoard(tmp_path) as board:
        board.text("train", "config", "**model**: gru", step=2)
    events = read(tmp_path / "train")
    assert events.PluginTagToContent("text").keys() == {"config"}
    (event,) = events.Tensors("config")
    assert (event.step, list(event.tensor_proto.string_val)) == (2, [b"**model**: gru"])


def test_hparams_of_a_sweep(tmp_path: Path) -> None:
    jobs = [
        ({"model": "lstm", "learning_rate": 0.001, "bidirectional": True}, 0.90),
        ({"model": "lstm", "learning_rate": 0.01, "bidirectional": False}, 0.92),
        ({"model": "gru", "learning_rate": 0.001, "reset_after": True}, 0.91),
        ({"model": "gru", "learning_rate": 0.01, "reset_after": True}, 0.94),
    ]
    for number, (hyper_parameters, accuracy) in enumerate(jobs):
        with TensorBoard(tmp_path / f"sweeps/today/{number}/tensorboard") as board:
            board.scalars("train", {"loss": 1.0, "learning_rate": 0.1}, 1)
            board.scalars("test", {"accuracy": accuracy}, 1)
            board.hparams(hyper_parameters, {"test/accuracy": accuracy})
    experiment, rows = hparams_tab(tmp_path)
    assert {info.name for info in experiment.hparam_infos} == set().union(*(job for job, _ in jobs))
    assert [info.name.tag for info in experiment.metric_infos] == ["test/accuracy"]
    found = {
        row.name: (
            {name: value.bool_value or value.number_value or value.string_value or False
             for name, value in row.hparams.items()},
            row.metric_values[0].value,
        )
        for row in rows
    }  # fmt: skip
    assert found == {
        f"sweeps/today/{number}/tensorboard/hparams": (job, pytest.approx(accuracy))
        for number, (job, accuracy) in enumerate(jobs)
    }
    assert {session.status for row in rows for session in row.sessions} == {api_pb2.STATUS_SUCCESS}


def test_hparams_of_one_run_seen_from_its_own_folder(tmp_path: Path) -> None:
    with TensorBoard(tmp_path) as board:
        board.hparams({"units": 32}, {"test/accuracy": 0.5})
    _, (row,) = hparams_tab(tmp_path)
    assert row.hparams["units"].number_value == 32
    assert row.metric_values[0].value == 0.5


def test_hparams_of_another_type_are_refused(tmp_path: Path) -> None:
    with TensorBoard(tmp_path) as board, pytest.raises(TypeError, match="units"):
        board.hparams({"units": None}, {})


def test_events_are_on_disk_at_once_and_a_second_start_adds_to_them(tmp_path: Path) -> None:
    killed = TensorBoard(tmp_path)
    killed.scalars("train", {"loss": 1.0}, 1)
    with TensorBoard(tmp_path) as board:
        board.scalars("train", {"loss": 0.5}, 2)
        assert [point.value for point in read(tmp_path / "train").Scalars("loss")] == [1.0, 0.5]
    killed.close()


def test_a_resumed_run_takes_the_place_of_what_was_cut_off(tmp_path: Path) -> None:
    for start, values in (None, [0.1, 0.2, 0.3]), (3, [0.4, 0.5]):
        with TensorBoard(tmp_path) as board:
            if start is not None:
                board.purge(start)
            for step, value in enumerate(values, start=start or 1):
                board.scalars("train", {"loss": value}, step)
            board.hparams({"units": start or 1}, {"test/loss": values[-1]})
    points = [
        (event.step, round(event.value, 3)) for event in read(tmp_path / "train").Scalars("loss")
    ]
    assert points == [(1, 0.1), (2, 0.2), (3, 0.4), (4, 0.5)]
    final = read(tmp_path / "hparams").Scalars("test/loss")
    assert [round(event.value, 3) for event in final] == [0.5]


def test_nothing_imports_tensorflow_or_keras(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from har_keras.reporting import comparison, figures, metrics, runs, tables
from har_keras.reporting.tensorboard import TensorBoard
with TensorBoard(Path(sys.argv[1])) as board:
    board.scalars("train", {"loss": 1.0}, 0)
    board.histogram("train", "kernel", [1.0, 2.0], 0)
    board.image("test", "groups", figures.per_group([0], [0], [1]), 0)
    board.text("train", "config", "text")
    board.hparams({"a": 1}, {"test/accuracy": 1.0})
loaded = {"tensorflow", "keras", "matplotlib.pyplot"} & set(sys.modules)
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program, tmp_path], check=True)


def test_graphs_of_keras_models(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    layers = keras.layers
    signals = keras.Input((8, 3), name="signals")
    x = layers.Normalization(mean=0.0, variance=1.0, name="normalization")(signals)
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="bidirectional")(x)
    sequence, *state = layers.LSTM(8, return_sequences=True, return_state=True, name="first")(x)
    x = layers.LSTM(8, return_sequences=True, name="second")(sequence, initial_state=state)
    x = layers.Concatenate(name="pool")(
        [layers.GlobalAveragePooling1D(name="mean")(x), layers.GlobalMaxPooling1D(name="max")(x)]
    )
    x = layers.Dropout(0.5, name="dropout")(x)
    model = keras.Model(signals, layers.Dense(6, name="activity")(x))
    with TensorBoard(tmp_path) as board:
        board.graph(model)
    nodes = {node.name: node for node in read(tmp_path / "train").Graph().node}
    assert list(nodes["pool"].input) == ["mean", "max"]
    assert list(nodes["second"].input) == ["first"]
    assert nodes["bidirectional"].op == "Bidirectional"
    sizes = [dim.size for dim in nodes["pool"].attr["_output_shapes"].list.shape[0].dim]
    assert sizes == [-1, 16]
    assert nodes["activity"].attr["parameters"].i == 16 * 6 + 6


def test_a_model_that_cannot_be_drawn_is_written_as_text(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")

    class Opaque(keras.Model):
        def call(self, inputs: Any) -> Any:
            return inputs

    with TensorBoard(tmp_path) as board:
        board.graph(Opaque(name="opaque"))
        board.graph(keras.Sequential([keras.layers.Dense(3)], name="unbuilt"))
    texts = [
        event.tensor_proto.string_val[0] for event in read(tmp_path / "train").Tensors("model")
    ]
    assert b"opaque" in texts[0]
    assert b"unbuilt" in texts[1]


def test_precision_over_recall(tmp_path: Path) -> None:
    truth = np.array([True, True, False, False])
    with TensorBoard(tmp_path) as board:
        board.precision_recall("test", "spam", truth, [1.0, 0.4, 0.6, 0.0], 3)
    (event,) = read(tmp_path / "test").Tensors("spam")
    assert event.step == 3
    counts = make_ndarray(event.tensor_proto)
    assert counts.shape == (6, 201)
    assert counts[:, 0].tolist() == [2, 2, 0, 0, 0.5, 1]
    assert counts[:, 100].tolist() == [1, 1, 1, 1, 0.5, 0.5]
    assert counts[:, -1].tolist() == [1, 0, 2, 1, 1, 0.5]


def test_words_of_the_projector(tmp_path: Path) -> None:
    words = ["<padding>", "a b", "", "\u2028"]
    with TensorBoard(tmp_path) as board:
        board.embedding("train", "embedding", words, np.eye(4, 3))
    names = (tmp_path / "train" / "embedding_words.tsv").read_text(encoding="utf-8").split("\n")
    assert len(names) == len(words) + 1
    assert names[:2] == words[:2]
    assert all(names[:4])
    vectors = np.loadtxt(tmp_path / "train" / "embedding.tsv")
    assert vectors.shape == (4, 3)
    config = text_format.Parse(
        (tmp_path / "train" / "projector_config.pbtxt").read_text(), ProjectorConfig()
    )
    assert config.embeddings[0].tensor_path == "embedding.tsv"
