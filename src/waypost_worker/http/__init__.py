"""HTTP messages, routing, bodies, queries, CORS and cross-origin checks."""
