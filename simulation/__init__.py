"""The domain on a model of an eventually consistent KV, in virtual time: `python -m simulation --runs 1000`.

`model_kv` is KV as documented; `cluster` adds isolates and a network; `actors` are producers, guests and a host that
behave like careful clients; `scenario` is one run of them all; `checks` are the invariants after it.
"""
