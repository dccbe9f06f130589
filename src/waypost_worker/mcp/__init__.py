"""The MCP server of a tab: both generations of the protocol on one URL, with one core.

`legacy` (2025-11-25 to 2025-03-26: a handshake, resumable streams) and `modern` (2026-07-28: self-contained requests,
tasks) turn messages into calls of the same `tool_call`, `tool_list` and `resources`, and their results into replies.
"""
