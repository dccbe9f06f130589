"""The version that `/health` reports; a test holds it to pyproject.toml and the changelog."""

VERSION = "0.1.0"
