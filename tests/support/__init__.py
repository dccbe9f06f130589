"""Doubles and helpers for the tests."""
