"""Tokens, rate limits, the throttle of guesses, and whose address counts."""
