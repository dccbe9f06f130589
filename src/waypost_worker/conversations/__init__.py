"""Chat messages, the journal that keeps them, threads, and exports."""
