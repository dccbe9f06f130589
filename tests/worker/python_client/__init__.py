"""Programs that the tests of the Python client start: a host in Python, a host and a guest in JavaScript."""
