"""What fuzzers draw: texts and bytes that are almost right."""
