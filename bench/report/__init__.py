"""The figures as a table, as JSON, and in the docs."""
