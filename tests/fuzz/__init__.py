"""Fuzzers: what comes from outside may be anything, and is taken, or refused with an error of our own.

In `make test` each makes some examples, the same at every run. `make soak`, or WAYPOST_FUZZ_SECONDS=300 for them all
together, goes on with new ones; a failure then names the WAYPOST_FUZZ_SEED with which it comes again.
"""
