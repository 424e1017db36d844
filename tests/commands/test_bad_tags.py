from pathlib import Path

import pytest

GOOD = "".join(f"word{i} B-x\nthe O\n\n" for i in range(9))
FILES = {
    "": "expected tagged tokens, found none",
    "word\n": "a.conll:1: expected a token, columns and a tag",
    "word NOUN\n": "found 'word NOUN'",
    "a O\n\nb O\n\nc O\n\nd O\n": "expected spans, found the tag O alone",
    "a B-x\n": "at least 3 documents, found 1",
    "-DOCSTART- O\n\n" + GOOD: "at least 3 documents, found 1",
    "caf\xe9 B-x\n": "expected a UTF-8 file",
}
CONFIGS = {
    "task.annotation=all": "expected one of aligned, first_relation",
    "task.padding=pre": "expected one of masked, counted",
    "task.timesteps=30": "null with task.padding=masked",
    "task.timesteps=many": "expected a whole number",
    "task.embedding=0": "at least 1",
    "task.part_embedding=-1": "at least 1",
    "task.word_dropout=1": "0 to below 1",
    "task.test_share=0": "above 0 and below 1",
    "task.validation_share=1": "above 0 and below 1",
    "task.characters=true": "no such key",
    "task.path=nowhere.conll": "No such file",
    "task.path=.": "Is a directory",
    "task.vectors=nowhere.txt": "expected word vectors",
    "training.monitor=val_accuracy": "expected one of val_loss, val_f1",
    "protocol=published": "expected over 271 sentences",
    "model=conv_lstm": "an output at every step",
}


@pytest.mark.parametrize("text", FILES)
def test_file(refuse, tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.conll"
    path.write_text(text, encoding="latin-1")
    assert FILES[text] in refuse("task=ade", "model=gru", f"task.path={path}")


@pytest.mark.parametrize("argument", CONFIGS)
def test_config(refuse, tmp_path: Path, argument: str) -> None:
    path = tmp_path / "a.conll"
    path.write_text(GOOD)
    more = ["training.patience=null"] if argument.startswith("protocol") else []
    line = refuse("task=ade", "model=gru", f"task.path={path}", argument, *more)
    assert CONFIGS[argument] in line


def test_counted_padding_drops_no_words(refuse) -> None:
    line = refuse("task=ade", "task.padding=counted", "task.word_dropout=0.5")
    assert "0 with task.padding=counted" in line


@pytest.mark.parametrize("text", [None, "", "1|a|b\n", "1|a b|c|0|1|b|2|3\n", "\xe9\n"])
def test_corpus(refuse, tmp_path: Path, text: str | None) -> None:
    (tmp_path / "ade").mkdir()
    if text is not None:
        (tmp_path / "ade" / "DRUG-AE.rel").write_text(text, encoding="latin-1")
    assert "DRUG-AE.rel" in refuse("task=ade", f"data.root={tmp_path}")
