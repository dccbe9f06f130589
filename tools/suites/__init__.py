"""Runs the test suites of `make test` and `make verify`, shows how far they are, and ends all of them on Ctrl-C."""
