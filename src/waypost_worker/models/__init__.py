"""The model port, its providers, and how their services are asked."""
