"""What can be chosen of every task on labelled texts."""

from dataclasses import dataclass

from har_keras.data.text import CLEANINGS, SIDES, TOKENISERS
from har_keras.errors import require, require_choice


@dataclass
class TextOptions:
    """What the YAML of every task on labelled texts holds.

    `cleaning`, `tokeniser`: names in `data.text`. `timesteps`: tokens kept, the `first` or `last`
    (`keep`), padded `pre` or `post` (`padding`). `embedding`: numbers a word; `vectors`: file of
    pretrained ones, here or in `data.root`. `masked`: whether padding is told to the model, so that
    it counts for nothing. `word_dropout`: share of training words, drawn anew for each batch, that
    are taken as unknown. `evidence`: to the head's logit is added what words and pairs tell by
    themselves (`layers.Evidence`), pairs that so many training texts hold; null for none of that.
    `validation_share`: of the texts that are not for testing. `baselines`: whether linear models
    are fitted as well.
    """

    name: str = ""
    cleaning: str = "none"
    tokeniser: str = "words"
    timesteps: int | None = None
    keep: str = "first"
    padding: str = "post"
    embedding: int = 50
    vectors: str | None = None
    vocabulary: str = "train"
    masked: bool = True
    word_dropout: float = 0.0
    evidence: int | None = None
    validation_share: float = 0.15
    baselines: bool = True

    def __post_init__(self) -> None:
        """Check each value by itself."""
        require_choice("task.cleaning", self.cleaning, CLEANINGS)
        require_choice("task.tokeniser", self.tokeniser, TOKENISERS)
        require_choice("task.keep", self.keep, ("first", "last"))
        require_choice("task.padding", self.padding, SIDES)
        require(self.embedding > 0, "task.embedding", self.embedding, "at least 1")
        for key in ("timesteps", "evidence"):
            value = getattr(self, key)
            require(value is None or value > 0, f"task.{key}", value, "at least 1, or null")
        dropped = self.word_dropout
        require(0 <= dropped < 1, "task.word_dropout", dropped, "0 to below 1")
        share = self.validation_share
        require(0 < share < 1, "task.validation_share", share, "above 0 and below 1")
