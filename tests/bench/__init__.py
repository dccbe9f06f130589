"""Tests of bench/: its arithmetic and its reading of what servers say. No time decides anything here."""
