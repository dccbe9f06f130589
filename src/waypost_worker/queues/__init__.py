"""Requests and answers of a session: the store, its readers, event streams and long polls."""
