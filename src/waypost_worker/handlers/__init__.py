"""One file per resource: decode what came, call the domain, encode the answer."""
