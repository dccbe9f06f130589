"""The runtime: the only package, with src/entry.py, that knows JavaScript."""
