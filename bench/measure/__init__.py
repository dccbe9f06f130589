"""How something is measured."""
