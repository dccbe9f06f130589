"""The MCP server, unit by unit and over the application."""
