"""What a trained encoder-decoder is put to: sources whose targets are known."""

import csv
import io
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from har_keras.data.pairs import words
from har_keras.tasks import Findings, Written
from har_keras.tasks.pairs import Pairs
from har_keras.tasks.translating import Found, search

LOOKED_AT = 200  # pairs that are translated after each epoch
MAPS = 4  # of attention

Tokens = list[str]


@dataclass(frozen=True)
class Trial:
    """`sources` and `targets`, tokens of each pair, and how the search goes: see `search`."""

    inputs: Pairs
    sources: list[Tokens]
    targets: list[Tokens]
    beam: int = 1
    length_penalty: float = 1.0

    def study(self, model: Any) -> Findings:
        """Scores of the targets that are found, all of them as a file, and some attention maps."""
        from har_keras.reporting import translation

        found = self._found(model)
        said = self.inputs.said(found.ids)
        of_words = self.inputs.tokeniser != "characters"
        lengths = np.array([words(source) for source in self.sources])
        figures = {}
        metrics = translation.scores(self.targets, said, self.inputs.written)
        if of_words:
            by_length = translation.by_length(self.targets, said, lengths)
            metrics |= {f"bleu_{name}": value for name, (value, _) in by_length.items()}
            figures["bleu_by_length"] = translation.lengths_figure(by_length)
        if found.attention is not None:
            for number, row in enumerate(self._shown(), 1):
                weights = found.attention[row][: len(said[row]), : len(self.sources[row])]
                figures[f"attention_{number}"] = translation.attention(
                    weights, self.sources[row], said[row]
                )
        return Findings({"test": metrics}, figures, {"translations.csv": self._table(said)})

    def write(self, samples: int, model: Any) -> Written:
        """Some pairs for the eye, and the scores of up to 200: greedily, after each epoch."""
        from har_keras.reporting import translation

        few = replace(
            self, sources=self.sources[:LOOKED_AT], targets=self.targets[:LOOKED_AT], beam=1
        )
        said = self.inputs.said(few._found(model).ids)
        scores = translation.scores(few.targets, said, self.inputs.written)
        shown = zip(few.sources[:samples], said, few.targets, strict=False)
        texts = [
            f"{source} → {prediction} ({'right' if prediction == truth else f'true: {truth}'})"
            for source, prediction, truth in (map(self.inputs.written, row) for row in shown)
        ]
        told = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in scores.items())
        return Written(
            [*texts, f"of {len(said)} validation pairs: {told}"],
            {f"validation_{name}": value for name, value in scores.items()},
        )

    def _found(self, model: Any) -> Found:
        source = self.inputs.encode(self.sources)
        return search(model, source, source.shape[1], self.beam, self.length_penalty)

    def _shown(self) -> list[int]:
        """Rows whose attention is drawn: the same whatever was found, of a length that fits."""
        rows = np.random.default_rng(0).permutation(len(self.sources)).tolist()
        fit = [row for row in rows if 4 < len(self.sources[row]) < self.inputs.timesteps]
        return fit[:MAPS]

    def _table(self, said: list[Tokens]) -> str:
        """`translations.csv`: a row a pair."""
        file = io.StringIO(newline="")
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["index", "source", "truth", "prediction", "exact"])
        for index, row in enumerate(zip(self.sources, self.targets, said, strict=True)):
            right = int(row[1] == row[2])
            table.writerow([index, *map(self.inputs.written, row), right])
        return file.getvalue()
