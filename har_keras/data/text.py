"""From a text to whole numbers: cleaning, tokens, a vocabulary. NumPy only.

The id 0 is padding, 1 any token outside the vocabulary.
"""

import html
import json
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from har_keras.errors import UserError

PADDING, UNKNOWN = 0, 1
FIRST = 2  # id of the first word
MOST_PAIRED = 46_340  # ids, so that the number of a pair of them stays below 2^31
SIDES = ("pre", "post")
SIGNS = r"\w+|[^\w\s]"
_FILTERED = str.maketrans(string.ascii_uppercase, string.ascii_lowercase) | str.maketrans(
    dict.fromkeys(f"{string.punctuation}\t\n".replace("'", ""), " ")
)
_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation, " "))


def pair_numbers(ids: Any, size: int) -> Any:
    """Numbers of the pairs of neighbours in an array or a tensor of `size` ids.

    int32 (samples, timesteps) to (samples, timesteps - 1), one number for each pair of two ids.
    """
    return ids[:, :-1] * size + ids[:, 1:]


def unchanged(text: str) -> str:
    """The text as it is."""
    return text


def letters(text: str) -> str:
    """ASCII letters and single spaces, in lower case; digits and `_` go, words close up over them.

    As the published classifier of the SMS Spam Collection.
    """
    ascii_only = text.encode("ascii", "ignore").decode()
    return " ".join(re.sub(r"[^\sA-Za-z]+", "", ascii_only).split()).lower()


def opinions(text: str) -> str:
    """HTML unescaped, @users and URLs dropped, lower case, punctuation to spaces.

    Three or more of one letter become one. As the published classifier of UMICH SI650.
    """
    text = re.sub(r"@\w+|(https?://|www\.)\S+", " ", html.unescape(text)).lower()
    text = re.sub(r"([^\W\d_])\1{2,}", r"\1", text.translate(_PUNCTUATION))
    return " ".join(text.split())


def shapes(text: str) -> str:
    """Lower case, each digit as 0: how long a number is tells more than its value."""
    return re.sub(r"\d", "0", text.lower())


def filtered(text: str) -> str:
    """`<start>`, then ASCII letters in lower case and punctuation to spaces, but for `'`.

    As Keras encodes the IMDB reviews: a `<br />` is a word, br.
    """
    return f"<start> {text.translate(_FILTERED)}"


def folded(text: str) -> str:
    """Lower case, Unicode's compatibility forms as plain ones, ’ as '."""
    return unicodedata.normalize("NFKC", text).lower().replace("’", "'")


def spaced(text: str) -> list[str]:
    """What stands between blanks; other space is part of a word, as in Keras."""
    return [word for word in text.split(" ") if word]


def words_and_signs(text: str) -> list[str]:
    """Words, and every sign that is no part of one by itself."""
    return re.findall(SIGNS, text)


def words_and_clitics(text: str) -> list[str]:
    """Words and signs; what ends in ' or begins with - is a word too: j' ai, avez -vous."""
    return re.findall(r"(?:(?<=\w)-)?\w+'?|[^\w\s]", text)


def sentence(tokens: Iterable[str]) -> str:
    """Tokens of `words_and_clitics` as one writes them; signs that open and close alike stay."""
    return re.sub(r"(?<=\w') | (?=[.,;:!?)…]|-\w)|(?<=\() ", "", " ".join(tokens))


CLEANINGS: dict[str, Callable[[str], str]] = {
    "none": unchanged,
    "letters": letters,
    "opinions": opinions,
    "shapes": shapes,
    "filtered": filtered,
    "folded": folded,
}
TOKENISERS: dict[str, Callable[[str], list[str]]] = {
    "words": str.split,
    "spaced": spaced,
    "words_and_signs": words_and_signs,
    "words_and_clitics": words_and_clitics,
    "characters": list,
}


@dataclass(frozen=True)
class Vocabulary:
    """`words` have the ids 2, 3, … in their order."""

    words: tuple[str, ...]

    @classmethod
    def learn(
        cls, documents: Iterable[Sequence[str]], least: int = 1, most: int | None = None
    ) -> "Vocabulary":
        """The tokens seen at least `least` times, the `most` frequent of them.

        Frequent ones first, equally frequent ones in the order of the alphabet.
        """
        counts = Counter(token for tokens in documents for token in tokens)
        kept = sorted((-n, token) for token, n in counts.items() if n >= least)
        return cls(tuple(token for _, token in kept[:most]))

    @classmethod
    def from_json(cls, text: str, source: str) -> "Vocabulary":
        """What `to_json` wrote to `source`; raise `UserError` for anything else."""
        try:
            words = json.loads(text)["words"]
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(f"{source}: expected a vocabulary, but {error!r:.80}") from error
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise UserError(f"{source}: expected the key words, a list of words")
        return cls(tuple(words))

    def to_json(self) -> str:
        """The two reserved ids and the words from id 2 on."""
        reserved = {"padding": PADDING, "unknown": UNKNOWN, "first": FIRST}
        return json.dumps(reserved | {"words": self.words}, ensure_ascii=False, indent=0)

    @property
    def size(self) -> int:
        """How many ids there are, the two reserved ones among them."""
        return len(self.words) + FIRST

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of each word."""
        return {word: index for index, word in enumerate(self.words, FIRST)}

    @property
    def names(self) -> list[str]:
        """A name for each id."""
        return ["<padding>", "<unknown>", *self.words]

    def encode(
        self, tokens: Sequence[str], timesteps: int, padding: str = "post", keep: str = "first"
    ) -> NDArray[np.int32]:
        """Ids (timesteps,): of the `first` or the `last` tokens, padding `pre` or `post`."""
        kept = tokens[:timesteps] if keep == "first" else tokens[-timesteps:]
        found = [self.ids.get(token, UNKNOWN) for token in kept]
        row = np.zeros(timesteps, np.int32)
        if found:
            row[slice(len(found)) if padding == "post" else slice(-len(found), None)] = found
        return row

    def encode_all(
        self,
        documents: Sequence[Sequence[str]],
        timesteps: int,
        padding: str = "post",
        keep: str = "first",
    ) -> NDArray[np.int32]:
        """`encode` for each document: (documents, timesteps)."""
        rows = [self.encode(tokens, timesteps, padding, keep) for tokens in documents]
        return np.stack(rows) if rows else np.zeros((0, timesteps), np.int32)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The tokens of ids, padding left out."""
        names = self.names
        return [names[index] for index in ids if index != PADDING]
