"""The verbs, one idea a file."""
