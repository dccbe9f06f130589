"""`make probe URL=…`: measures a deployment from outside, beside what docs/guarantees.md promises.

It is a host and a guest of sessions of its own, on connections of their own, and deletes what it has made.
"""
