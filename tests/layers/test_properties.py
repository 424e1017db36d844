"""Random shapes and options: `KERAS_TESTS_IN_FULL=1` tries 200 of them instead of 25."""

import os
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy

from har_keras.layers import kernels
from har_keras.training.autodiff import gradient_of

EXAMPLES = 200 if "KERAS_TESTS_IN_FULL" in os.environ else 25
DEFAULTS = "tanh", "sigmoid"
NAMES = (
    *("simple_rnn", "lstm", "gru", "gru_reset_before"),
    *("graves_lstm", "layer_norm_lstm", "layer_norm_gru"),
)
OPTIONS = st.fixed_dictionaries(
    {
        "use_bias": st.booleans(),
        "go_backwards": st.booleans(),
        "return_sequences": st.booleans(),
        "return_state": st.booleans(),
        "zero_output_for_mask": st.booleans(),
    }
)
SHAPES = st.tuples(*(st.integers(1, most) for most in (3, 6, 3, 4)))
ACTIVATIONS = st.sampled_from([DEFAULTS, DEFAULTS, DEFAULTS, ("relu", "hard_sigmoid")])
MASKS = st.sampled_from(["none", "left", "right", "gaps", "empty"])


class Probe(keras.Model):
    """A layer whose inputs and initial states are weights, so that they have gradients."""

    def __init__(
        self, layer: Any, shape: tuple[int, ...], mask: np.ndarray | None, states: int
    ) -> None:
        super().__init__()
        batch, timesteps, features, units = shape
        self.layer, self.mask = layer, mask
        layer.build((batch, timesteps, features))
        self.sequences = self.add_weight(shape=(batch, timesteps, features), name="sequences")
        starts = [self.add_weight(shape=(batch, units), name=f"start_{i}") for i in range(states)]
        self.start = starts

    def call(self, shift: Any, training: bool = False) -> Any:
        mask = None if self.mask is None else keras.ops.convert_to_tensor(self.mask)
        start = [*self.start] or None
        found = self.layer(self.sequences + shift, initial_state=start, mask=mask)
        parts = keras.tree.flatten(found)
        return keras.ops.concatenate(
            [keras.ops.reshape(part, (part.shape[0], -1)) for part in parts], axis=-1
        )


def weighted_sum(factors: Any, outputs: Any) -> Any:
    return keras.ops.sum(factors * outputs)


def assert_same_gradients(probe: Probe, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Those of the fast path are those of Keras's loop."""
    probe.compile(loss=weighted_sum)
    shift = np.zeros(probe.sequences.shape, "float32")
    factors = rng.normal(size=probe(shift).shape).astype("float32")
    fast = gradient_of(probe, shift, factors)()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "choice", "reference")
        reference = gradient_of(probe, shift, factors)()
    assert fast.keys() == reference.keys()
    for path, gradient in fast.items():
        np.testing.assert_allclose(gradient, reference[path], atol=1e-4, err_msg=path)
    return fast


def mask_of(kind: str, batch: int, timesteps: int, rng: np.random.Generator) -> Any:
    if kind == "none":
        return None
    lengths, places = rng.integers(1, timesteps + 1, (batch, 1)), np.arange(timesteps)[None]
    mask = {
        "left": places >= timesteps - lengths,
        "right": places < lengths,
        "gaps": rng.random((batch, timesteps)) < 0.6,
        "empty": np.zeros((batch, timesteps), bool),
    }[kind]
    if kind == "empty":
        mask[1:] = True
    return mask


def truth(
    family: Any, layer: Any, x: np.ndarray, mask: np.ndarray | None, start: list[np.ndarray]
) -> np.ndarray:
    """The reference's hidden states (batch, timesteps, units), held where the mask is false.

    Before the first real step Keras gives an initial state or zeros, as the backend has it: NaN.
    """
    direction = -1 if layer.go_backwards else 1
    expected = np.zeros((*x.shape[:2], layer.units))
    for row, sequence in enumerate(x[:, ::direction]):
        is_real = np.ones(len(sequence), bool) if mask is None else mask[row, ::direction]
        states = {name: state[row] for name, state in zip("hc", start, strict=False)}
        (found,) = family.expected(layer, sequence[None, is_real], **states)
        held = np.concatenate([np.full((1, layer.units), np.nan if start else 0), found])
        expected[row] = held[np.cumsum(is_real)]
    if layer.zero_output_for_mask and mask is not None:
        expected = np.where(mask[:, ::direction, None], expected, 0)
    return expected


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(NAMES),
    shape=SHAPES,
    options=OPTIONS,
    activations=ACTIVATIONS,
    kind=MASKS,
    has_start=st.booleans(),
    scale=st.sampled_from([0.01, 1, 10]),
    seed=st.integers(0, 999),
)
def test_any_layer(
    every_family: dict[str, Any],
    name: str,
    shape: tuple[int, ...],
    options: dict[str, bool],
    activations: tuple[str, str],
    kind: str,
    has_start: bool,
    scale: float,
    seed: int,
) -> None:
    """As the reference, as Keras's layer, and its gradients on either path."""
    family, rng = every_family[name], np.random.default_rng(seed)
    batch, timesteps, features, units = shape
    options = options | {"activation": activations[0]}
    if name != "simple_rnn":
        options["recurrent_activation"] = activations[1]
    mask = mask_of(kind, batch, timesteps, rng)
    layer = family.layer(units, **options)
    probe = Probe(layer, shape, mask, family.states if has_start else 0)
    shift = np.zeros((batch, timesteps, features), "float32")
    probe.set_weights([rng.normal(0, 0.5, w.shape) for w in probe.get_weights()])
    probe.sequences.assign(scale * rng.normal(size=probe.sequences.shape))
    outputs = convert_to_numpy(probe(shift))
    x, start = convert_to_numpy(probe.sequences), [convert_to_numpy(s) for s in probe.start]

    if activations == DEFAULTS:
        expected = truth(family, layer, x, mask, start)
        expected = expected if options["return_sequences"] else expected[:, -1:]
        found = outputs[:, : expected[0].size].reshape(expected.shape)
        known = ~np.isnan(expected)
        np.testing.assert_allclose(found[known], expected[known], atol=1e-5)
    if family.keras is not None:
        theirs = family.keras_layer(units, **options)
        again = Probe(theirs, shape, mask, len(start))
        again.set_weights(probe.get_weights())
        np.testing.assert_allclose(outputs, convert_to_numpy(again(shift)), atol=1e-5)
    if layer.kernel_path != "keras loop":
        assert_same_gradients(probe, rng)


HARD = np.array([[0, 0, 1, 1, 1], [1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], dtype=bool)


@pytest.mark.parametrize("units", [1, 2])  # JAX sums the weights' gradient up or not
def test_kernel_as_the_generic_loop(family: Any, units: int, rng: np.random.Generator) -> None:
    """Each case once, by the gradient of everything that a kernel takes."""
    arguments = {"return_sequences": True, "return_state": True, "go_backwards": True}
    probe = Probe(family.layer(units, **arguments), (*HARD.shape, 3, units), HARD, family.states)
    probe.set_weights([rng.normal(0, 0.5, w.shape) for w in probe.get_weights()])
    gradients = assert_same_gradients(probe, rng)
    assert len(gradients) == len(probe.layer.weights) + 1 + family.states
    assert all(np.abs(gradient).max() > 0.01 for gradient in gradients.values())
