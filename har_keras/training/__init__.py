"""Fitting a model: batches, optimizers, initial weights, callbacks."""
