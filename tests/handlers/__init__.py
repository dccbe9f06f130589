"""Tests of the handlers, one file per resource."""
