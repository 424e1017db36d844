"""Our recurrent layers against what a user could take instead, on the same shapes in one run."""
