"""Bad requests: one table for every level.

`table` lists them, `sending` makes requests of them, and `verdict` holds a reply against what the table says. They are
held against the application in process, and against the Worker over HTTP. Bodies that come slowly, in chunks or not at
all are in the tests of the Worker alone.
"""
