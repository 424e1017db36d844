"""A tagger without a network: a conditional random field on features of words."""

from collections.abc import Sequence

from har_keras.data.tagged import Sentence
from har_keras.reporting import tagging
from har_keras.tasks.words import shape

ITERATIONS = 60


def scores(train: Sequence[Sentence], test: Sequence[Sentence]) -> dict[str, float]:
    """Span metrics on `test` of a CRF for each layer of tags, trained on `train`."""
    from sklearn_crfsuite import CRF

    features = [described(sentence.tokens) for sentence in train]
    new = [described(sentence.tokens) for sentence in test]
    found = []
    for layer in range(len(train[0].tags)):
        crf = CRF(algorithm="lbfgs", c1=0.1, c2=0.05, max_iterations=ITERATIONS)
        crf.fit(features, [sentence.tags[layer] for sentence in train])
        found.append(crf.predict(new))
    truth = [list(map(list, sentence.tags)) for sentence in test]
    return tagging.spans(truth, [list(map(list, tags)) for tags in zip(*found, strict=True)])


def described(tokens: Sequence[str]) -> list[list[str]]:
    """Features of each token: its word, parts and shape, and those of its neighbours."""
    words = [token.lower() for token in tokens]
    rows = []
    for i, word in enumerate(words):
        row = ["bias", f"shape={shape(tokens[i])}"]
        row += [f"prefix={word[:n]}" for n in (2, 3, 4)] + [
            f"suffix={word[-n:]}" for n in (2, 3, 4)
        ]
        for offset in (-3, -2, -1, 0, 1, 2, 3):
            inside = 0 <= i + offset < len(words)
            near = words[i + offset] if inside else "<end>"
            row += [f"{offset}:word={near}", f"{offset}:suffix={near[-3:]}"]
        for offset in (-2, -1, 0, 1):
            pair = "|".join(words[max(0, i + offset) : i + offset + 2])
            row.append(f"{offset}:pair={pair}")
        rows.append(row)
    return rows
