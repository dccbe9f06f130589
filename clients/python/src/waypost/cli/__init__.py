"""The command `waypost`. `import waypost` loads none of it."""
