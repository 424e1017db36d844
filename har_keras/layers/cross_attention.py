"""Attention of a decoder's steps on an encoder's."""

from typing import Any

import keras
from keras import ops

KINDS = ("additive", "multiplicative")


@keras.saving.register_keras_serializable("har_keras")
class CrossAttention(keras.layers.Layer):
    """`[queries, steps, real]` gives what each query finds in the steps, and where it looked.

    queries (batch, n, width), steps (batch, m, features), real bool (batch, m): which steps count.
    Returns the context (batch, n, features), Σ_j α_tj h_j, and the weights α (batch, n, m), the
    softmax over j of a score. `kind` is `additive` (Bahdanau et al. 2015, arXiv:1409.0473):
    v · tanh(W q_t + U h_j + b), or `multiplicative` (the "general" one of Luong et al. 2015,
    arXiv:1508.04025): q_t · W h_j.
    """

    def __init__(self, kind: str = "additive", **kwargs: Any) -> None:
        """Raise `ValueError` for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(f"kind={kind!r}: expected one of {', '.join(KINDS)}")
        super().__init__(**kwargs)
        self.kind = kind
        self.supports_masking = True
        self.kernel_initializer = keras.initializers.get("glorot_uniform")
        self.steps_initializer = keras.initializers.get("glorot_uniform")
        self.score_initializer = keras.initializers.get("glorot_uniform")
        self.bias_initializer = keras.initializers.get("zeros")

    def build(self, input_shape: Any) -> None:
        """Create `steps_kernel`, W or U; if additive `kernel`, `score_kernel` (v) and `bias`."""
        (*_, width), (*_, features), _ = input_shape
        shapes: dict[str, tuple[Any, ...]] = {"steps_kernel": (features, width)}
        if self.kind == "additive":
            shapes |= {"kernel": (width, width), "score_kernel": (width, 1), "bias": (width,)}
        for name, shape in shapes.items():
            initializer = getattr(self, f"{name.removesuffix('_kernel')}_initializer")
            weight = self.add_weight(name=name, shape=shape, initializer=initializer)
            setattr(self, name, weight)

    def call(self, inputs: Any) -> tuple[Any, Any]:
        """Look."""
        queries, steps, real = inputs
        keys = ops.matmul(steps, self.steps_kernel)
        if self.kind == "additive":
            asked = (ops.matmul(queries, self.kernel) + self.bias)[:, :, None]
            scores = ops.matmul(ops.tanh(asked + keys[:, None]), self.score_kernel)[..., 0]
        else:
            scores = ops.matmul(queries, ops.swapaxes(keys, 1, 2))
        scores = ops.where(real[:, None], scores, ops.full_like(scores, -1e4))
        weights = ops.softmax(scores, axis=-1)
        return ops.matmul(weights, steps), weights

    def compute_mask(self, inputs: Any, mask: Any = None) -> tuple[None, None]:
        """What is real is told by `real` alone."""
        return None, None

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, Any]:
        """(batch, n, features) and (batch, n, m)."""
        (batch, n, _), (_, m, features), _ = input_shape
        return (batch, n, features), (batch, n, m)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"kind": self.kind}


@keras.saving.register_keras_serializable("har_keras")
class OwnWords(keras.layers.Layer):
    """`[ids, logits]`: a negative id is replaced by what was likeliest at the step before it.

    ids int32 (batch, n), the first never negative; logits (batch, n, words). No gradient passes.
    """

    def __init__(self, **kwargs: Any) -> None:
        """Only Keras's own arguments."""
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Replace."""
        ids, logits = inputs
        said = ops.cast(ops.argmax(logits[:, :-1], axis=-1), ids.dtype)
        said = ops.concatenate([ids[:, :1], said], axis=1)
        return ops.where(ids < 0, said, ids)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """The ids tell it."""

    def compute_output_spec(self, inputs: Any) -> Any:
        """(batch, n) int32."""
        return keras.KerasTensor(inputs[0].shape, inputs[0].dtype)
