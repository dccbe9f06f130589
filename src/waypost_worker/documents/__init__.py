"""Documents and pages, with versions and ETags."""
