"""Datasets as NumPy arrays: found or fetched, checked, cached, or simulated."""
