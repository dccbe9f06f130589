"""The Model Context Protocol, spoken to clients on behalf of a tab: both generations on one URL, sharing one core.

`legacy` (2025-11-25, 2025-06-18: a handshake, streams that are resumed) and `modern` (2026-07-28: every request by
itself, tasks) turn messages into calls of the same `tool_call`, `tool_list` and `resources`, and their outcomes back.
"""
