"""How often streams poll KV, what one invocation may spend, and the isolate's local channel."""
