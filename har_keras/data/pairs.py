"""Pairs of texts: files of them, their ids, and parts that share no source. NumPy only."""

import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile, is_zipfile
from zipfile import Path as ZipPath

import numpy as np
from numpy.typing import NDArray

from har_keras.data.labelled_texts import decoded
from har_keras.data.streams import UNCOUNTED
from har_keras.data.text import FIRST, PADDING, Vocabulary
from har_keras.errors import UserError

GO, END = "<go>", "<end>"
GO_ID, END_ID = FIRST, FIRST + 1
LONG = 10  # words; a source of more is a long one
Tokens = list[str]


class Parts(NamedTuple):
    """Places (int64) of the pairs of each part."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def read(path: Path) -> list[tuple[str, str]]:
    """Source and target of each line of a UTF-8 file, or of the one text in a ZIP file.

    They stand before and after the first tab; what comes after a second one is left out. Raises
    `UserError` that names the first bad line.
    """
    source = _zipped(path) if path.suffix.lower() == ".zip" else path
    try:
        text = decoded(source)
    except (BadZipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path}: expected a whole ZIP file, but {error}") from error
    pairs = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        fields = line.split("\t")
        if len(fields) < 2 or not fields[0].strip() or not fields[1].strip():
            raise UserError(
                f"{source}: line {number}: expected source, tab, target, found {line!r:.60}"
            )
        pairs.append((fields[0], fields[1]))
    return pairs


def _zipped(path: Path) -> ZipPath:
    if not path.is_file() or not is_zipfile(path):
        raise UserError(f"{path}: expected a ZIP file with a text of pairs, found none")
    try:
        files = [
            file for file in ZipPath(path).iterdir() if re.match(r"[^_.].*\.(txt|tsv)", file.name)
        ]
    except BadZipFile as error:
        raise UserError(f"{path}: expected a ZIP file, but {error}") from error
    if len(files) != 1:
        raise UserError(
            f"{path}: expected one .txt or .tsv file of pairs in it, found {len(files)}"
        )
    return files[0]


def words(tokens: Sequence[str]) -> int:
    """How many of the tokens are words and no signs."""
    return sum(bool(re.search(r"\w", token)) for token in tokens)


def apart(
    sources: Sequence[str],
    long: NDArray[np.bool_],
    seed: int,
    validation: int,
    test: tuple[int, int],
) -> Parts:
    """Parts of which no two have a source in common.

    Sources (pairs,) are drawn at random: for the test part, the same for every `seed`, `test[0]`
    of those that are `long` (pairs,), or as many as there are, and `test[1]` of the others;
    `validation` of the rest. The other pairs are for training, in a random order. Raises
    `UserError` where nothing is left for training.
    """
    _, first, groups = np.unique(np.array(sources, object), return_index=True, return_inverse=True)
    order = np.random.default_rng(0).permutation(len(first))
    is_long = long[first][order]
    tested = np.concatenate([order[is_long][: test[0]], order[~is_long][: test[1]]])
    rng = np.random.default_rng([seed, 0])
    rest = rng.permutation(np.setdiff1d(order, tested))
    if len(rest) <= validation or not len(tested):
        raise UserError(
            f"expected more than {sum(test)} distinct sources for testing (task.test_sources) and"
            f" {validation} for validation (task.validation_sources), found {len(first)}; give"
            " more pairs, or set these lower"
        )
    validated = np.isin(groups, rest[:validation])
    is_test = np.isin(groups, tested)
    train = rng.permutation(np.flatnonzero(~is_test & ~validated))
    return Parts(train, np.flatnonzero(validated), np.flatnonzero(is_test))


def encode(
    pairs: Sequence[tuple[Tokens, Tokens]],
    source: Vocabulary,
    target: Vocabulary,
    timesteps: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Ids of source and of `<go>` and target side by side, and what is to be said at each step.

    `x` int32 (pairs, timesteps, 2), `y` int32 (pairs, timesteps): the target and `<end>`, -1 after
    it. What is longer is cut.
    """
    heard = source.encode_all([tokens for tokens, _ in pairs], timesteps)
    given = target.encode_all([[GO, *tokens] for _, tokens in pairs], timesteps)
    y = target.encode_all([[*tokens, END] for _, tokens in pairs], timesteps)
    return np.stack([heard, given], axis=-1), np.where(y == PADDING, np.int32(UNCOUNTED), y)
