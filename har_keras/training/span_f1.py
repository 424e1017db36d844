"""A Keras metric: F1 of spans, counted while the model runs."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

NO_BORDER = 2**31 - 1  # a place past all others


class SpanF1(keras.metrics.Metric):
    """F1 of exact spans, micro average over all layers, of the most probable tag of each step.

    Takes truth int (batch, timesteps, layers), negative where a step is padding, and logits
    (batch, timesteps, layers, tags). `tags` are the names of each layer's tags, BIO; an `I-` that
    continues nothing begins a span, as in `har_keras.data.tagged.spans`.
    """

    def __init__(self, tags: Sequence[Sequence[str]], name: str = "f1") -> None:
        """Start from nothing counted."""
        super().__init__(name=name)
        kinds = sorted({tag[2:] for layer in tags for tag in layer})  # that of `O` is "", the first
        self.kinds = [[kinds.index(tag[2:]) for tag in layer] for layer in tags]
        self.begins = [[tag.startswith("B-") for tag in layer] for layer in tags]
        self.counts = {
            count: self.add_variable((), "zeros", name=count)
            for count in ("agreed", "true", "predicted")
        }

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count the spans of a batch."""
        real = ops.cast(y_true, "int32") >= 0
        true = self._spans(ops.where(real, ops.cast(y_true, "int32"), 0), real)
        found = self._spans(ops.cast(ops.argmax(y_pred, axis=-1), "int32"), real)
        agreed = (true[0] == found[0]) & (true[1] == found[1]) & (true[0] > 0)
        counted = {"agreed": agreed, "true": true[0] > 0, "predicted": found[0] > 0}
        for name, spans in counted.items():
            self.counts[name].assign_add(ops.sum(ops.cast(spans, self.dtype)))

    def _spans(self, labels: Any, real: Any) -> tuple[Any, Any]:
        """Kind of the span that begins at each step, 0 where none does, and where it ends."""
        one_hot = ops.one_hot(labels, len(self.kinds[0]), dtype="int32")
        kinds = ops.where(real, ops.sum(one_hot * ops.convert_to_tensor(self.kinds), -1), 0)
        begins = ops.sum(one_hot * ops.cast(self.begins, "int32"), -1) > 0
        before = ops.pad(kinds[:, :-1], [(0, 0), (1, 0), (0, 0)])
        inside = (kinds > 0) & (kinds == before) & ~begins
        places = ops.reshape(ops.arange(ops.shape(labels)[1], dtype="int32"), (1, -1, 1))
        borders = ops.sort(ops.where(inside, NO_BORDER, places), axis=1)
        borders = ops.pad(borders, [(0, 0), (0, 1), (0, 0)], constant_values=NO_BORDER)
        passed = ops.cumsum(ops.cast(~inside, "int32"), axis=1)
        return ops.where(inside, 0, kinds), ops.take_along_axis(borders, passed, axis=1)

    def result(self) -> Any:
        """2·agreed / (true + predicted), 0 where there is no span."""
        total = self.counts["true"] + self.counts["predicted"]
        return ops.divide_no_nan(2 * self.counts["agreed"], total)
