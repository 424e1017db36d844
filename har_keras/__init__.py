"""Recurrent networks on sensor and text sequences: one Keras model, three backends."""

__version__ = "0.1.0"
