"""The console and the client in a real browser, against the real Worker."""
