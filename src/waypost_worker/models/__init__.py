"""The model port, its providers, and the client of their services."""
