"""Pretrained word vectors from a file: word2vec (text and binary) and GloVe."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from har_keras.data.text import FIRST, Vocabulary
from har_keras.errors import UserError

EXPECTED = "expected word vectors: word2vec (text or binary) or GloVe"
LONGEST = 1 << 16  # bytes of a word or of a header
SCALE = 0.05  # of the vectors drawn for words that the file lacks, as Keras's own


class Vectors(NamedTuple):
    """`matrix` float32 (ids of the vocabulary, width); `found` of its words were in the file."""

    matrix: NDArray[np.float32]
    found: int


def embeddings(
    name: str | None, root: Path, vocabulary: Vocabulary, seed: int, width: int
) -> tuple[NDArray[np.float32] | None, int]:
    """Where the embeddings of a vocabulary start, and how wide they are: `width` without a file.

    The file `name` is looked for here, then in `root`; how many words it has is printed. Raises
    `UserError` as `read` does.
    """
    if name is None:
        return None, width
    path = Path(name).expanduser()
    path = path if path.is_file() else root / path
    found = read(path, vocabulary, seed)
    print(coverage(found, vocabulary, path), flush=True)
    return found.matrix, found.matrix.shape[1]


def read(path: Path, vocabulary: Vocabulary, seed: int) -> Vectors:
    """Vectors for the words of a vocabulary; those not in the file are drawn uniformly by `seed`.

    Raises `UserError` for a file that is none of the three formats, and for one without any word.
    """
    known: dict[int, NDArray[np.float32]] = {}
    try:
        with path.open("rb") as file:
            for word, vector in _entries(file):
                index = vocabulary.ids.get(word)
                if index is not None and index not in known:
                    known[index] = vector
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}, {EXPECTED}") from error
    except ValueError as error:
        raise UserError(f"{path}: {error}; {EXPECTED}") from error
    if not known:
        raise UserError(f"{path}: holds no word of the vocabulary, {EXPECTED} of its language")
    width = len(next(iter(known.values())))
    rng = np.random.default_rng(seed)
    matrix = rng.uniform(-SCALE, SCALE, (vocabulary.size, width)).astype(np.float32)
    matrix[0] = 0
    for index, vector in known.items():
        matrix[index] = vector
    return Vectors(matrix, len(known))


def coverage(vectors: Vectors, vocabulary: Vocabulary, path: Path) -> str:
    """One line about how many words have a vector."""
    share = vectors.found / max(1, vocabulary.size - FIRST)
    return f"{path}: vectors for {vectors.found} of {len(vocabulary.words)} words ({share:.1%})"


def _entries(file: IO[bytes]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    first = file.readline(LONGEST)
    fields = first.split()
    if len(fields) == 2 and all(field.isdigit() for field in fields):
        count, width = int(fields[0]), int(fields[1])
        place = file.tell()
        line = file.readline(LONGEST)
        file.seek(place)
        if _is_text(line, width):
            yield from _lines(file, width, 2)
        else:
            yield from _binary(file, count, width)
    elif len(fields) > 2:
        yield from _lines(chain([first], file), len(fields) - 1, 1)
    else:
        raise ValueError(f"line 1 is {first[:40]!r}")


def _is_text(line: bytes, width: int) -> bool:
    try:
        return len([float(field) for field in line.split()[-width:]]) == width
    except ValueError:
        return False


def _lines(
    lines: Iterator[bytes] | IO[bytes], width: int, start: int
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for number, line in enumerate(lines, start):
        fields = line.rstrip().split(b" ")
        try:
            vector = np.array(fields[-width:], dtype=np.float32)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        if len(fields) <= width:
            raise ValueError(f"line {number}: {len(fields) - 1} numbers, not {width}")
        yield b" ".join(fields[:-width]).decode("utf-8", "replace"), vector


def _binary(file: IO[bytes], count: int, width: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for number in range(1, count + 1):
        word = bytearray()
        while (byte := file.read(1)) not in (b" ", b""):
            word += byte
            if len(word) > LONGEST:
                raise ValueError(f"entry {number} has no end")
        values = file.read(4 * width)
        if len(values) < 4 * width:
            raise ValueError(f"breaks off in entry {number} of {count}")
        yield word.strip().decode("utf-8", "replace"), np.frombuffer(values, "<f4")
