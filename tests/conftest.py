"""Hypothesis: the same examples at every run, and no time limit, since time here is virtual."""

from hypothesis import settings

settings.register_profile("waypost", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("waypost")
