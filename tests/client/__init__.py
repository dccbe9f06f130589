"""The browser client outside a browser: its modules in Node, its types."""
