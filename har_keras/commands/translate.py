"""Say what a finished run on pairs makes of texts: translations, or dates as ISO 8601."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from har_keras.commands import finished, options, predicted
from har_keras.data.labelled_texts import read_texts
from har_keras.errors import UserError
from har_keras.run_folder import read_finished
from har_keras.tasks import pairs
from har_keras.tasks.translating import require_searchable, search

OPTIONS = ("run", "text", "input", "output", "format", "beam", "length_penalty")
OF_THE_RUN = ("backend", "hardware.")


def main(arguments: list[str]) -> None:
    """`run=<run folder>` and `text=<text>`, or `input=<file>` with a text a line.

    Prints a translation a line; `format=csv|json` and `output=<file>` give text, translation and
    score. `beam=5`, `length_penalty=1`, `backend=`, `hardware.*=`. Raises `UserError` for a run or
    for texts that cannot be used.
    """
    typed, overrides = options.read(arguments, OPTIONS, OF_THE_RUN)
    if ("text" in typed) == ("input" in typed):
        raise UserError("text=, input=: expected one of them, a text or a file of texts")
    beam = options.whole(typed, "beam", 5, 1, 100)
    penalty = options.real(typed, "length_penalty", 1.0)
    require_searchable("", beam, penalty)
    folder = Path(typed["run"]).expanduser()
    record, _ = read_finished(folder)
    output = record.get("outputs") or {}
    if output.get("kind") != "translation":
        raise UserError(
            f"{folder}: expected a run that learned to translate (task=translate, task=dates),"
            f" found one of task={record.get('task')}"
        )
    inputs = pairs.from_record(folder, record)
    target = predicted.Target.read(typed, folder)
    source = Path(typed["input"]).expanduser() if "input" in typed else None
    texts = [typed["text"]] if source is None else read_texts(source)
    if not texts:
        raise UserError(f"input={source}: holds no text, expected one a line")
    model = finished.model(folder, record, overrides, inputs.shape, output["shape"])
    target.write(rows(texts, inputs, model, beam, penalty), source, show)


def rows(
    texts: list[str], inputs: pairs.Pairs, model: Any, beam: int, penalty: float
) -> Iterator[dict[str, Any]]:
    """By text: its translation and the score of that; nothing is made of nothing."""
    documents = [inputs.tokens(text) for text in texts]
    source = inputs.encode(documents)
    found = search(model, source, source.shape[1], beam, penalty)
    said = inputs.said(found.ids)
    for text, document, tokens, score in zip(texts, documents, said, found.scores, strict=True):
        translation = inputs.written(tokens) if document else ""
        yield {"text": text, "translation": translation, "score": float(score)}


def show(found: list[dict[str, Any]]) -> None:
    """Print a translation a line."""
    for row in found:
        print(row["translation"])
