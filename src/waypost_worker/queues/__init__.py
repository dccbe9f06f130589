"""The requests and responses of a session: the queues, their readers, event streams and long polls."""
