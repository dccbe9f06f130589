"""`make rollout`: a new version of a Worker gets its requests in steps.

`versions` is what runs and what was uploaded, `steps` one step. A deployment at once is `tools.deploy`, and the way
back `make rollback` (`tools.care`).
"""
