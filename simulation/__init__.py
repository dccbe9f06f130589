"""The domain on a model of an eventually consistent KV, in virtual time: `python -m tests.simulation --runs 1000`.

`model_kv` is KV as documented; `cluster` puts isolates and a network in front of it; `actors` are producers, guests and
a host as a careful client would be written; `scenario` lets them meet; `checks` says what must hold in the end.
"""
