"""One module a model family: an encoder for the task's input, closed by the task's head.

A module holds `Config` (the schema of its YAML files) and `build`. It is read before the backend is
chosen, so it imports Keras inside functions only.
"""
