"""Put texts into classes, or their tokens, with a finished run."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from har_keras.commands import finished, options, predicted
from har_keras.data.labelled_texts import read_texts
from har_keras.data.padded import Samples
from har_keras.errors import UserError
from har_keras.run_folder import read_finished
from har_keras.tasks import tokens, words
from har_keras.tasks.classification import probabilities
from har_keras.tasks.tokens import Tokens

OPTIONS = ("run", "text", "input", "output", "format")
OF_THE_RUN = ("backend", "hardware.")
OUTPUTS = {
    "class": "predict_tokens",
    "tags": "predict_tags",
}  # kind of the run's output → module that has its `rows`


def main(arguments: list[str]) -> None:
    """`run=<run folder>` and `text=<text>`, or `input=<file>` with a text a line.

    `format=table|csv|json`, `output=<file>`, `backend=`, `hardware.*=`. Raises `UserError` for a
    run or for texts that cannot be used.
    """
    typed, overrides = options.read(arguments, OPTIONS, OF_THE_RUN)
    if ("text" in typed) == ("input" in typed):
        raise UserError("text=, input=: expected one of them, a text or a file of texts")
    folder = Path(typed["run"]).expanduser()
    record, _ = read_finished(folder)
    reader = words if "parts" in record["inputs"] else tokens
    inputs = reader.from_record(folder, record)
    output = record.get("outputs") or {}
    if output.get("kind") not in OUTPUTS:
        raise UserError(f"{folder / 'run.json'}: outputs: expected one of {', '.join(OUTPUTS)}")
    target = predicted.Target.read(typed, folder)
    source = Path(typed["input"]).expanduser() if "input" in typed else None
    texts = [typed["text"]] if source is None else read_texts(source)
    if not texts:
        raise UserError(f"input={source}: holds no text, expected one a line")
    model = finished.model(folder, record, overrides, inputs.shape, output["shape"])
    module = import_module(f"har_keras.commands.{OUTPUTS[output['kind']]}")
    target.write(module.rows(texts, inputs, output, model), source, getattr(module, "show", None))


def outputs(model: Any, x: Samples) -> np.ndarray:
    """The model's outputs for `x` (samples, timesteps, …), in batches that are filled up."""
    from har_keras.training.batches import EVALUATION_BATCH

    size = min(EVALUATION_BATCH, 1 << (len(x) - 1).bit_length())
    found = []
    for first in range(0, len(x), size):
        batch = x[first : first + size]
        filling = np.zeros((size - len(batch), *batch.shape[1:]), batch.dtype)
        found.append(np.asarray(model.predict_on_batch(np.concatenate([batch, filling]))))
    return np.concatenate(found)[: len(x)]


def rows(
    texts: list[str], inputs: Tokens, output: dict[str, Any], model: Any
) -> Iterator[dict[str, Any]]:
    """By text: the class, its probability, and those of all classes."""
    documents = [inputs.tokens(text) for text in texts]
    found = probabilities(outputs(model, inputs.encode(documents)))
    for text, row in zip(texts, found, strict=True):
        by_class = dict(zip(output["classes"], row.tolist(), strict=True))
        best = output["classes"][row.argmax()]
        yield {
            "text": text,
            "prediction": best,
            "probability": by_class[best],
            "probabilities": by_class,
        }
