"""One request's context: who calls, what the isolate's requests share, and the domain objects made for it."""
