"""Let a language model write, character by character."""

import sys
from itertools import chain, islice
from pathlib import Path

import numpy as np

from har_keras.commands import finished, options
from har_keras.data.text import FIRST
from har_keras.errors import UserError
from har_keras.run_folder import read_finished
from har_keras.tasks.tokens import vocabulary_of
from har_keras.tasks.writing import continued, encoded, require_drawable

OPTIONS = ("run", "prefix", "length", "temperature", "top_p", "seed")
OF_THE_RUN = ("backend", "hardware.")


def main(arguments: list[str]) -> None:
    """`run=<run folder>`; `prefix=`, `length=300`, `temperature=1`, `top_p=1`, `seed=0`.

    Prints the prefix (a character at random if there is none) and as many characters as `length`
    says after it, each as soon as it is drawn; `backend=`, `hardware.*=`. Raises `UserError` for a
    run that cannot write and for values that cannot be.
    """
    typed, overrides = options.read(arguments, OPTIONS, OF_THE_RUN)
    length = options.whole(typed, "length", 300, 1, 10**9)
    seed = options.whole(typed, "seed", 0, 0, 2**32 - 1)
    temperature, top_p = (options.real(typed, key, 1.0) for key in ("temperature", "top_p"))
    require_drawable("", temperature, top_p)
    folder = Path(typed["run"]).expanduser()
    record, _ = read_finished(folder)
    output = record.get("outputs") or {}
    if output.get("kind") != "characters":
        raise UserError(
            f"{folder}: expected a run that learned to write (task=char_lm, task=recite), found one"
            f" of task={record.get('task')}"
        )
    vocabulary = vocabulary_of(folder)
    past = encoded(typed.get("prefix", ""), vocabulary, "prefix")
    rng = np.random.default_rng(seed)
    past = past or [int(rng.integers(FIRST, vocabulary.size))]
    shape = (record["inputs"]["timesteps"],)
    model = finished.model(folder, record, overrides, shape, output["shape"])
    from har_keras.layers.stepper import Stepper

    step = Stepper(model)
    drawn = islice(continued(step, past, rng, temperature, top_p), length)
    names = vocabulary.names
    for index in chain(past, drawn):
        sys.stdout.write(names[index])
        sys.stdout.flush()
    sys.stdout.write("\n")
