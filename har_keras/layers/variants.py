"""Recurrent cells that Keras does not have, on the frame of those that it has."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from har_keras.layers.cell import product
from har_keras.layers.cells import GRUCell, LSTMCell


@keras.saving.register_keras_serializable("har_keras")
class GravesLSTMCell(LSTMCell):
    """LSTM whose gates see the cell through peepholes (Graves 2013, arXiv:1308.0850, eqs 7-11).

    i_t = σ(W_i x_t + U_i h_{t-1} + p_i ⊙ c_{t-1} + b_i)
    f_t = σ(W_f x_t + U_f h_{t-1} + p_f ⊙ c_{t-1} + b_f)
    g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
    o_t = σ(W_o x_t + U_o h_{t-1} + p_o ⊙ c_t + b_o)
    h_t = o_t ⊙ tanh(c_t)

    After the weights of `LSTMCell` comes `peephole`, (3, units), with rows i, f, o. It starts at
    zero, as a plain LSTM.
    """

    peephole_initializer = keras.initializers.Zeros()

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights."""
        super().build(input_shape)
        self.peephole = self._weight("peephole", (3, self.units), self.peephole_initializer)

    def recur(
        self, projected: Any, states: list[Any], masks: list[Any] | None = None
    ) -> tuple[Any, list[Any]]:
        """One step."""
        h, c = states
        pi, pf, po = self.peephole[0], self.peephole[1], self.peephole[2]
        gates = projected + product(h, self.recurrent_kernel, masks)
        i, f, g, o = ops.split(gates, 4, axis=-1)
        i, f = self.recurrent_activation(i + pi * c), self.recurrent_activation(f + pf * c)
        c = f * c + i * self.activation(g)
        h = self.recurrent_activation(o + po * c) * self.activation(c)
        return h, [h, c]


@keras.saving.register_keras_serializable("har_keras")
class LayerNormLSTMCell(LSTMCell):
    """Layer-normalised LSTM (Ba, Kiros & Hinton 2016, arXiv:1607.06450, appendix).

    (i_t, f_t, g_t, o_t) = LN(W x_t) ⊙ α_1 + LN(U h_{t-1}) ⊙ α_2 + b
    c_t = σ(f_t) ⊙ c_{t-1} + σ(i_t) ⊙ tanh(g_t)
    h_t = σ(o_t) ⊙ tanh(LN(c_t) ⊙ α_3 + β_3)

    LN(a) = (a - mean of a) / √(variance of a + 1e-5), over all four gates together as in the paper,
    whose β_1 and β_2 only add to b. After the weights of `LSTMCell` come `gain`, α_1 and α_2 as
    (2, 4·units), `cell_gain`, α_3, and `cell_bias`, β_3.
    """

    gain_initializer = cell_gain_initializer = keras.initializers.Ones()
    cell_bias_initializer = keras.initializers.Zeros()

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights."""
        super().build(input_shape)
        self.gain = self._weight("gain", (2, 4 * self.units), self.gain_initializer)
        self.cell_gain = self._weight("cell_gain", (self.units,), self.cell_gain_initializer)
        self.cell_bias = self._weight("cell_bias", (self.units,), self.cell_bias_initializer)

    def project(self, inputs: Any, masks: list[Any] | None = None) -> Any:
        """`LN(W x_t) ⊙ α_1 + b`."""
        projected = _normalised(product(inputs, self.kernel, masks)) * self.gain[0]
        return projected if self.bias is None else projected + self.bias

    def recur(
        self, projected: Any, states: list[Any], masks: list[Any] | None = None
    ) -> tuple[Any, list[Any]]:
        """One step."""
        h, c = states
        recurrent = _normalised(product(h, self.recurrent_kernel, masks)) * self.gain[1]
        i, f, g, o = ops.split(projected + recurrent, 4, axis=-1)
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        seen = _normalised(c) * self.cell_gain + self.cell_bias
        h = self.recurrent_activation(o) * self.activation(seen)
        return h, [h, c]


@keras.saving.register_keras_serializable("har_keras")
class LayerNormGRUCell(GRUCell):
    """Layer-normalised GRU (Ba, Kiros & Hinton 2016, arXiv:1607.06450, appendix).

    (z_t, r_t) = σ(LN(W_zr x_t) ⊙ α_1 + b_zr + LN(U_zr h_{t-1}) ⊙ α_2 + d_zr)
    g_t = tanh(LN(W_g x_t) ⊙ α_3 + b_g + r_t ⊙ (LN(U_g h_{t-1}) ⊙ α_4 + d_g))
    h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ g_t

    LN as in `LayerNormLSTMCell`, over both gates together and over the candidate. b and d, the rows
    of `bias`, are the paper's β; its z_t is 1 - z_t here. After the weights of `GRUCell` comes
    `gain`, (2, 3·units): (α_1, α_3) and (α_2, α_4). The reset stands after the product only.
    """

    gain_initializer = keras.initializers.Ones()

    def __init__(self, units: int, *arguments: Any, **kwargs: Any) -> None:
        """Raise `ValueError` for `reset_after=False`, which the paper does not have."""
        super().__init__(units, *arguments, **kwargs)
        if not self.reset_after:
            raise ValueError("reset_after=False: a layer-normalised GRU resets after the product")

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights."""
        super().build(input_shape)
        self.gain = self._weight("gain", (2, 3 * self.units), self.gain_initializer)

    def _affine(self, row: int, vectors: Any, kernel: Any, masks: list[Any] | None) -> Any:
        products = product(vectors, kernel, masks)
        parts = products[..., : 2 * self.units], products[..., 2 * self.units :]
        scaled = ops.concatenate([_normalised(a) for a in parts], axis=-1) * self.gain[row]
        return scaled if self.bias is None else scaled + self.bias[row]


def _normalised(a: Any) -> Any:
    deviation = a - ops.mean(a, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(deviation), axis=-1, keepdims=True)
    return deviation * ops.rsqrt(variance + 1e-5)
