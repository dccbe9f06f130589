"""`make rollout` and `make rollback`: a new version of a Worker gets its requests in steps, or gives them back.

`versions` is what runs and what was uploaded, `steps` the two commands. A deployment in one step is `tools.deploy`.
"""
