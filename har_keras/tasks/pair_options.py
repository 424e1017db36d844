"""What every task on pairs has in common: its options, and its data from tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from har_keras.data.cache import digest
from har_keras.data.pairs import Parts, encode
from har_keras.errors import require
from har_keras.tasks import Split, TaskData
from har_keras.tasks.pairs import SOURCE, TARGET, NextWord, Pairs
from har_keras.tasks.translating import require_searchable
from har_keras.tasks.translation_study import Trial


@dataclass
class PairOptions:
    """What the YAML of every task on pairs holds.

    `teacher_forcing`: the share of target tokens that are given in training as they are; in the
    place of the others the model gets what it says itself (scheduled sampling, Bengio et al. 2015,
    arXiv:1506.03099) after the true tokens before them, for which the decoder runs once more
    (Duckworth et al. 2019, arXiv:1906.04331). If `falling` the share is 1 at first and falls
    linearly to that. After each epoch `samples` validation pairs are translated for the eye (0: and
    none for the scores). The test part is translated with a `beam` of hypotheses (1: greedy), whose
    scores are divided by their length to the power of `length_penalty`.
    """

    name: str = ""
    teacher_forcing: float = 1.0
    falling: bool = False
    samples: int = 3
    beam: int = 1
    length_penalty: float = 1.0

    def __post_init__(self) -> None:
        """Check each value by itself."""
        share = self.teacher_forcing
        require(0 <= share <= 1, "task.teacher_forcing", share, "0 to 1")
        require(self.samples >= 0, "task.samples", self.samples, "0 or more")
        require_searchable("task.", self.beam, self.length_penalty)


def task_data(
    config: PairOptions,
    inputs: Pairs,
    pairs: Sequence[tuple[list[str], list[str]]],
    parts: Parts,
    published: bool,
    source: str,
) -> TaskData:
    """The data of a task, from tokens of source and target and the places of each part."""
    groups = np.unique([" ".join(tokens) for tokens, _ in pairs], return_inverse=True)[1]
    vocabularies = inputs.source, inputs.target
    splits, trials = {}, {}
    for name, places in parts._asdict().items():
        members = [pairs[place] for place in places]
        splits[name] = Split(*encode(members, *vocabularies, inputs.timesteps), groups[places])
        sources, targets = ([pair[side] for pair in members] for side in (0, 1))
        trials[name] = Trial(inputs, sources, targets, config.beam, config.length_penalty)
    watched = trials["test" if published else "validation"]
    share = config.teacher_forcing
    teach = partial(own_words, share, config.falling)
    return TaskData(
        train=splits["train"],
        validation=None if published else splits["validation"],
        test=splits["test"],
        inputs=inputs,
        outputs=NextWord(inputs.timesteps, inputs.target),
        source=source,
        sha256=digest(splits["train"].x, splits["test"].x),
        teach=teach if inputs.own_words else None,
        files={SOURCE: inputs.source.to_json(), TARGET: inputs.target.to_json()},
        write=partial(watched.write, config.samples) if config.samples else None,
        study=trials["test"].study,
    )


def own_words(
    share: float,
    falling: bool,
    x: np.ndarray,
    rng: np.random.Generator,
    done: float,
) -> np.ndarray:
    """`x` with target tokens made negative, but for the first: those that are not given.

    A `share` of them is left as it is; if `falling`, as much more as is not `done` (0..1) yet.
    """
    kept = 1 - (1 - share) * done if falling else share
    x = x.copy()
    target = x[:, 1:, 1]
    target[rng.random(target.shape) >= kept] *= -1
    return x
