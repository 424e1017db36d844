"""Put the sequences in CSV files into classes, or their steps, with a finished run."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from har_keras.commands import finished, options, predicted
from har_keras.commands.predict_tokens import outputs
from har_keras.data import csv_corpus
from har_keras.data.csv_corpus import Corpus
from har_keras.data.csv_sequences import files
from har_keras.errors import UserError
from har_keras.run_folder import read_finished
from har_keras.tasks import sequences
from har_keras.tasks.classification import probabilities
from har_keras.tasks.sequences import Sequences

OPTIONS = ("run", "input", "output", "format")
OF_THE_RUN = ("backend", "hardware.")


def main(arguments: list[str]) -> None:
    """`run=<run folder> input=<CSV file, folder, glob or URL>`.

    `format=table|csv|json`, `output=<file>`, `backend=`, `hardware.*=`. The files need no label.
    Gives a row a file, or a step. Raises `UserError` for a run or for files that cannot be used.
    """
    typed, overrides = options.read(arguments, OPTIONS, OF_THE_RUN)
    if "input" not in typed:
        raise UserError("input=: expected CSV files, a sequence each, input=folder or input=a.csv")
    folder = Path(typed["run"]).expanduser()
    record, _ = read_finished(folder)
    inputs, output = sequences.from_record(folder, record), record["outputs"]
    target = predicted.Target.read(typed, folder)
    corpus = _read(typed["input"], inputs)
    model = finished.model(folder, record, overrides, inputs.shape, output["shape"])
    found = probabilities(outputs(model, replace(corpus.x, timesteps=inputs.timesteps)))
    target.write(_rows(corpus, found, output), Path(typed["input"]).expanduser())


def _read(path: str, inputs: Sequences) -> Corpus:
    """The files, all of a length that the model takes."""
    local = path if "://" in path else str(Path(path).expanduser().resolve())
    paths = files(local, "input")
    form = replace(inputs.form, labelled=False)
    corpus = csv_corpus.read(paths, form)
    csv_corpus.refuse(corpus.bad, len(paths))
    wanted = f"{'at most ' if inputs.ragged else ''}{inputs.timesteps}"
    for name, length in zip(corpus.paths, corpus.x.lengths, strict=True):
        if length > inputs.timesteps or (length < inputs.timesteps and not inputs.ragged):
            raise UserError(f"{name}: has {length} rows, expected {wanted} as the run's files have")
    return corpus


def _rows(corpus: Corpus, found: np.ndarray, output: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """By file, with a class a step by that: the class, its probability, and those of all."""
    steps = [None] if found.ndim == 2 else range(found.shape[1])
    for i, (path, length) in enumerate(zip(corpus.paths.tolist(), corpus.x.lengths, strict=True)):
        for step in steps[:length]:
            row = found[i] if step is None else found[i, step]
            by_class = dict(zip(output["classes"], row.tolist(), strict=True))
            best = output["classes"][row.argmax()]
            place = {"file": path} if step is None else {"file": path, "step": step}
            chances = {"probability": by_class[best], "probabilities": by_class}
            yield place | {"prediction": best} | chances
