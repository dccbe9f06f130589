"""Sessions, the presence of their hosts, and codes that work once."""
