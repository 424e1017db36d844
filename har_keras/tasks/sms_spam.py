"""Spam among text messages: the SMS Spam Collection.

Almeida, Gómez Hidalgo, Yamakami: Contributions to the Study of SMS Spam Filtering, DocEng 2011.
https://doi.org/10.24432/C5CC84
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from har_keras.data.fetch import fetch, user_cache
from har_keras.data.labelled_texts import LabelledTexts, read
from har_keras.data.text import letters
from har_keras.errors import UserError, require
from har_keras.tasks import TaskData
from har_keras.tasks.labelled_texts import TextTask, describe, require_labels, stratified

NAME = "SMSSpamCollection"
DOWNLOAD = "sms+spam+collection.zip"
URL = f"https://archive.ics.uci.edu/static/public/228/{DOWNLOAD}"
CLASSES = {"ham": "ham", "spam": "spam"}
MESSAGES = 5574


@dataclass
class Config(TextTask):
    """Schema of `conf/task/sms_spam.yaml`; `test_share` of the messages are drawn by `seed`.

    `stratified`: as many of each class in every split; the published split is drawn without.
    """

    name: str = "sms_spam"
    test_share: float = 0.25
    stratified: bool = True

    def __post_init__(self) -> None:
        """Check each value by itself."""
        super().__post_init__()
        share = self.test_share
        require(0 < share < 1, "task.test_share", share, "above 0 and below 1")


def load(config: Config, root: Path, seed: int, published: bool) -> TaskData:
    """Read, group, split and describe the messages; raise `UserError` for unusable data."""

    def draw_test(y: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
        rng = np.random.default_rng([seed, 0])
        return stratified(y if config.stratified else np.zeros_like(y), config.test_share, rng)

    path = Path(config.path).expanduser().resolve() if config.path else None
    config.path = str(path or "")
    data = read(path) if path else _collection(root)
    require_labels(data, CLASSES, path or root)
    source = "texts" if path else "sms_spam"
    return describe(config, data, CLASSES, letters, draw_test, root, seed, published, source)


def _collection(root: Path) -> LabelledTexts:
    cache = user_cache()
    for folder in (root / "sms_spam", root, cache):
        if (folder / NAME).is_file():
            return _checked(folder / NAME)
    archive = fetch(URL, cache, DOWNLOAD)
    try:
        with zipfile.ZipFile(archive) as opened:
            content = opened.read(NAME)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        archive.unlink(missing_ok=True)
        raise UserError(f"{URL}: expected a zip archive with {NAME}, but {error}") from error
    (cache / NAME).write_bytes(content)
    return _checked(cache / NAME)


def _checked(path: Path) -> LabelledTexts:
    data = read(path)
    if len(data.texts) != MESSAGES:
        raise UserError(
            f"{path}: expected the {MESSAGES} messages of the collection, found"
            f" {len(data.texts)}; delete it to have it fetched again, or name it: task.path={path}"
        )
    return data
