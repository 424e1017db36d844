"""TensorBoard event files, written without TensorFlow and flushed event by event."""

import os
import socket
import struct
import textwrap
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.hparams.api_pb2 import STATUS_SUCCESS
from tensorboard.plugins.hparams.plugin_data_pb2 import (
    HParamsPluginData,
    SessionEndInfo,
    SessionStartInfo,
)
from tensorboard.plugins.pr_curve import metadata as pr_metadata
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_tensor_proto

from har_keras.reporting import figures
from har_keras.run_folder import whole

THRESHOLDS = 201  # of a curve of precision over recall


class TensorBoard:
    """The event files of one run, a context manager.

    Each split is a TensorBoard run of its own, `<folder>/train`, `<folder>/validation` and
    `<folder>/test`, so that equal names overlay; a split's folder is made when it is first
    written to. Every event is on disk when its method returns: a killed run keeps its logs.

    The hyper-parameters and the final metrics go to the run `<folder>/hparams`. The HParams tab
    takes as metrics all scalars below a run with hyper-parameters, so it shows the final metrics
    alone; and as no run declares an experiment, the tab joins the hyper-parameters of all runs
    below a logdir, also where they differ in kind.
    """

    def __init__(self, folder: Path) -> None:
        """Write below `folder`, usually `<run>/tensorboard`; nothing is made yet."""
        self.folder = folder
        self._events: dict[str, _EventFile] = {}
        self._first_step: int | None = None

    def purge(self, step: int) -> None:
        """Have TensorBoard forget what an earlier process wrote of `step` and later ones."""
        self._first_step = step

    def scalars(self, split: str, values: Mapping[str, float], step: int) -> None:
        """Write one point a name; NaN and infinity are kept, TensorBoard marks them."""
        summary = Summary()
        for name, value in values.items():
            summary.value.add(tag=name, simple_value=float(value))
        self._write(split, Event(summary=summary, step=step))

    def histogram(self, split: str, name: str, values: ArrayLike, step: int) -> None:
        """Write the distribution of `values`, float of any shape, over 30 bins.

        NaN and infinite values are left out; with nothing left, nothing is written.
        """
        flat = np.asarray(values, dtype=np.float64).ravel()
        flat = flat[np.isfinite(flat)]
        if not len(flat):
            return
        counts, edges = np.histogram(flat, bins=30)
        histogram = HistogramProto(
            min=flat.min(),
            max=flat.max(),
            num=len(flat),
            sum=flat.sum(),
            sum_squares=flat @ flat,
            bucket_limit=edges[1:],
            bucket=counts,
        )
        summary = Summary(value=[Summary.Value(tag=name, histo=histogram)])
        self._write(split, Event(summary=summary, step=step))

    def image(self, split: str, name: str, figure: Figure, step: int) -> None:
        """Write a figure as a picture of 100 dots per inch."""
        png = figures.png(figure, dpi=100)
        width, height = struct.unpack(">II", png[16:24])
        picture = Summary.Image(width=width, height=height, colorspace=4, encoded_image_string=png)
        summary = Summary(value=[Summary.Value(tag=name, image=picture)])
        self._write(split, Event(summary=summary, step=step))

    def text(self, split: str, name: str, markdown: str, step: int = 0) -> None:
        """Write a text in Markdown."""
        value = Summary.Value(
            tag=name,
            metadata=text_metadata.create_summary_metadata(None, None),
            tensor=make_tensor_proto([markdown.encode()]),
        )
        self._write(split, Event(summary=Summary(value=[value]), step=step))

    def precision_recall(
        self, split: str, name: str, truth: ArrayLike, scores: ArrayLike, step: int
    ) -> None:
        """Write a curve of precision over recall at `THRESHOLDS` thresholds from 0 to 1.

        Args:
            split: the run it goes to.
            name: what is looked for, such as a class.
            truth: bool (samples,).
            scores: float (samples,) in 0..1.
            step: of training.
        """
        place = np.floor(np.asarray(scores, float) * (THRESHOLDS - 1)).astype(int)
        truth = np.asarray(truth, bool)
        positive, negative = (
            np.bincount(place[chosen], minlength=THRESHOLDS)[::-1].cumsum()[::-1]
            for chosen in (truth, ~truth)
        )
        found = np.maximum(positive + negative, 1)
        there = max(positive[0], 1)
        counts = (positive, negative, negative[0] - negative, positive[0] - positive)
        rows = np.stack([*counts, positive / found, positive / there]).astype(np.float32)
        value = Summary.Value(
            tag=name,
            metadata=pr_metadata.create_summary_metadata(name, "", THRESHOLDS),
            tensor=make_tensor_proto(rows),
        )
        self._write(split, Event(summary=Summary(value=[value]), step=step))

    def embedding(self, split: str, name: str, words: Sequence[str], vectors: ArrayLike) -> None:
        """Write vectors (words, width) with their words for the Projector tab; once a split."""
        folder = self.folder / split
        folder.mkdir(parents=True, exist_ok=True)
        with whole(folder / f"{name}.tsv") as path:
            np.savetxt(path, np.asarray(vectors), fmt="%.6g", delimiter="\t")
        with whole(folder / f"{name}_words.tsv") as path:
            shown = (" ".join(word.split()) or repr(word) for word in words)
            path.write_text("\n".join(shown) + "\n", encoding="utf-8")
        config = ProjectorConfig()
        found = config.embeddings.add(tensor_name=name, tensor_path=f"{name}.tsv")
        found.metadata_path = f"{name}_words.tsv"
        with whole(folder / "projector_config.pbtxt") as path:
            path.write_text(str(config), encoding="utf-8")

    def hparams(
        self,
        hyper_parameters: Mapping[str, bool | int | float | str],
        metrics: Mapping[str, float],
    ) -> None:
        """Write a row of the HParams tab; call it once, at the end of a run.

        Args:
            hyper_parameters: name → value; runs below one logdir may have different names.
            metrics: name → final value, such as `test/accuracy`; a NaN or infinity is left out,
                as the tab cannot show it.

        Raises:
            TypeError: a hyper-parameter of another type.
        """
        start = SessionStartInfo(start_time_secs=time.time())
        for name, value in hyper_parameters.items():
            if isinstance(value, bool):
                start.hparams[name].bool_value = value
            elif isinstance(value, int | float):
                start.hparams[name].number_value = value
            elif isinstance(value, str):
                start.hparams[name].string_value = value
            else:
                raise TypeError(f"expected bool, int, float or str for {name}, got {value!r}")
        end = SessionEndInfo(status=STATUS_SUCCESS, end_time_secs=time.time())
        summary = Summary()
        for tag, data in (
            (hparams_metadata.SESSION_START_INFO_TAG, HParamsPluginData(session_start_info=start)),
            (hparams_metadata.SESSION_END_INFO_TAG, HParamsPluginData(session_end_info=end)),
        ):
            summary.value.add(
                tag=tag,
                metadata=hparams_metadata.create_summary_metadata(data),
                tensor=hparams_metadata.NULL_TENSOR,
            )
        for name, value in metrics.items():
            if np.isfinite(value):
                summary.value.add(tag=name, simple_value=float(value))
        self._write("hparams", Event(summary=summary, step=0))

    def graph(self, model: Any) -> None:
        """Draw a Keras model's layers in the Graphs tab.

        A model without a layer graph (a subclass of `keras.Model`) is written as the text of its
        `summary()` instead, with the reason.
        """
        try:
            graph = _graph(model)
        except Exception as error:  # a picture must never end a run
            lines: list[str] = []
            model.summary(print_fn=lines.append, line_length=100)
            table = textwrap.indent("\n".join(lines), "    ")
            reason = f"The layers of this model cannot be drawn: {error!r}"
            self.text("train", "model", f"{reason}\n\n{table}")
        else:
            self._write("train", Event(graph_def=graph.SerializeToString()))

    def close(self) -> None:
        """Close the event files; a later write would start new ones."""
        while self._events:
            self._events.popitem()[1].close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the event files."""
        self.close()

    def _write(self, run: str, event: Event) -> None:
        if run not in self._events:
            self._events[run] = _EventFile(self.folder / run)
            if self._first_step is not None:
                log = SessionLog(status=SessionLog.START)
                step = 0 if run == "hparams" else self._first_step
                self._events[run].write(Event(session_log=log, step=step))
        self._events[run].write(event)


class _EventFile:
    started = 0  # tells apart the files that one process starts in one second

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{time.time():.0f}.{socket.gethostname()}.{os.getpid()}.{_EventFile.started}"
        _EventFile.started += 1
        self.file = (folder / f"events.out.tfevents.{name}").open("xb")
        self.records = RecordWriter(self.file)
        self.write(Event(file_version="brain.Event:2"))

    def write(self, event: Event) -> None:
        event.wall_time = time.time()
        self.records.write(event.SerializeToString())
        self.file.flush()

    def close(self) -> None:
        self.file.close()


def _graph(model: Any) -> GraphDef:
    """Return the operations of a functional or sequential model and the shapes between them.

    Walked in memory: `to_json` imports TensorFlow wherever it is installed.
    """
    operations = getattr(model, "_functional", model).operations  # sequential models wrap one
    names = {operation.name for operation in operations}
    graph = GraphDef()
    for operation in operations:
        calls = operation._inbound_nodes
        tensors = (tensor for call in calls for tensor in call.input_tensors)
        sources = dict.fromkeys(tensor._keras_history.operation.name for tensor in tensors)
        node = graph.node.add(
            name=operation.name,
            op=type(operation).__name__,
            input=[source for source in sources if source in names],
        )
        if parameters := getattr(operation, "count_params", int)():
            node.attr["parameters"].i = parameters
        for tensor in calls[0].output_tensors:
            shape = node.attr["_output_shapes"].list.shape.add()
            for size in tensor.shape:
                shape.dim.add(size=-1 if size is None else size)
    return graph
