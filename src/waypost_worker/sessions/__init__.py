"""Sessions, the presence of their hosts, and single-use codes."""
