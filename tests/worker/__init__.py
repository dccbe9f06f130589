"""Tests of what only the real runtime can show: the Worker in workerd, over HTTP."""
