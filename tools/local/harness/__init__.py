"""Workers for tests and benchmarks: copies of the project, restarts, two isolates on one KV."""
