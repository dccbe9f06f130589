"""The supported revisions of the protocol, and the names of its headers and `_meta` keys."""

from waypost_worker.mcp.jsonrpc import UNSUPPORTED_VERSION, RpcError

MODERN = "2026-07-28"
LATEST_LEGACY = "2025-11-25"
WITH_BATCHES = "2025-03-26"
"""The only revision with JSON-RPC batches."""

LEGACY = (LATEST_LEGACY, "2025-06-18", WITH_BATCHES)
SUPPORTED = (MODERN, *LEGACY)
ASSUMED = WITH_BATCHES
"""The revision of a legacy request that names none (2025-11-25, basic/transports, "Protocol Version Header")."""

VERSION_HEADER = "mcp-protocol-version"
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
SERVER_INFO_KEY = "io.modelcontextprotocol/serverInfo"
SUBSCRIPTION_KEY = "io.modelcontextprotocol/subscriptionId"
TASKS_EXTENSION = "io.modelcontextprotocol/tasks"


def unsupported(requested: str) -> RpcError:
    """The error -32022: the revision is not supported; its data lists those that are."""
    data = {"supported": list(SUPPORTED), "requested": requested}
    return RpcError(UNSUPPORTED_VERSION, "Unsupported protocol version", data, status=400)


def has_priming(version: str) -> bool:
    """Whether clients of `version` accept an event with an id and no data; older clients fail to parse it."""
    return version >= LATEST_LEGACY
