"""The KV port, its implementations, and the keys and cursors that are stored in it."""
