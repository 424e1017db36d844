"""What a run shows: metrics, figures, TensorBoard event files, and tables over many runs."""
