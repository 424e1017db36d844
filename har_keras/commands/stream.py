"""Label samples as they come on standard input."""

import csv
import os
import select
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from har_keras.commands import options, sensors
from har_keras.data.csv_recordings import BLOCK, CsvReader, located
from har_keras.data.stretch import Cut
from har_keras.data.windower import Windower, require_windows
from har_keras.errors import UserError
from har_keras.inference import LoadedRun, describe

OPTIONS = ("run", "rate")
NAME = "standard input"


def main(arguments: list[str]) -> None:
    """`run=<run folder>`; `rate=`, `backend=` and `hardware.*=` if wanted.

    Reads CSV from standard input, a header line first, and prints a line a window as soon as it is
    known. Computes in one thread unless the run or `hardware.threads=` says otherwise. Raises
    `UserError` for a run or for samples that cannot be used.
    """
    typed, overrides = options.read(arguments, OPTIONS, sensors.OF_THE_RUN)
    rate = options.rate(typed)
    description = describe(Path(typed["run"]).expanduser())
    config = sensors.configured(description, overrides)
    if config.hardware.threads is None:
        config.hardware.threads = 1  # PyTorch with more on a busy CPU: 30 times slower
    preprocessing = description.preprocessing
    if sys.stdin.isatty():
        raise UserError("standard input is a terminal, expected samples: … < samples.csv")
    windower = Windower(preprocessing, rate)
    reader = CsvReader(NAME, preprocessing.columns, untimed=rate is not None)
    source = sys.stdin.fileno()
    cuts = _cuts(source, reader, windower)
    there = select.select([source], [], [], 0)[0]
    early = [next(cuts)] if there else []  # a mistake shows before Keras starts
    run = sensors.opened(config, description)
    _warm_up(run)
    print("ready", file=sys.stderr, flush=True)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(sensors.HEADER)
    sys.stdout.flush()
    for cut in chain(early, cuts):
        if len(cut.x):
            writer.writerows(sensors.rows(run.label(cut.start, cut.x)))
            sys.stdout.flush()
    if not reader.timed and rate is None:
        print(sensors.steady(preprocessing.rate), file=sys.stderr)
    if windower.gaps:
        print(sensors.gaps(windower), file=sys.stderr)


def _warm_up(run: LoadedRun) -> None:
    """Have everything imported and compiled, so that the first label is not late."""
    p = run.preprocessing
    Windower(p).push(None, np.zeros((2, len(p.columns))))
    run.label(np.zeros(1), np.zeros((1, p.window, p.features), np.float32))


def _cuts(source: int, reader: CsvReader, windower: Windower) -> Iterator[Cut]:
    windows = 0

    while chunk := os.read(source, BLOCK):
        rows = reader.push(chunk)
        with located(NAME, rows):
            cut = windower.push(rows.time, rows.x)
        windows += len(cut.x)
        yield cut
    rows = reader.close()
    with located(NAME, rows):
        for cut in (windower.push(rows.time, rows.x), windower.close()):
            windows += len(cut.x)
            yield cut
        require_windows(windows, windower)
