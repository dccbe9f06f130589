"""What needs no input or output: requests and replies as values, and flows that say what to send next."""
