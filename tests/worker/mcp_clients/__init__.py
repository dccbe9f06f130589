"""Third-party clients of the MCP server, and the tab that they call; test_mcp_clients_*.py runs them.

From npm the official conformance runner, both generations of the TypeScript SDK and the Inspector's command line, from
PyPI the Python SDK; their versions are pinned in package.json and pyproject.toml.
"""
