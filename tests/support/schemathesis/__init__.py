"""Runs schemathesis on the Worker: its settings, and what it must know beside the document."""
