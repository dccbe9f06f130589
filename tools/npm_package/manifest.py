"""The package.json of the npm package."""

from __future__ import annotations

from typing import Any

DESCRIPTION = "Lets AI agents use the page a person has open: the JavaScript client of Waypost."

ENTRIES = {
    ".": "waypost",
    "./react": "react/index",
    "./ai": "ai/index",
    "./storage": "storage/index",
    "./node": "node/index",
}
"""What may be imported, and the path of its module and of its types without their endings. Programs that do not know
`exports`, such as older bundlers of React Native, find the same files by their folders."""

PEERS = {"react": ">=18", "ai": ">=5"}
"""Each is needed by one entry alone, so none is required."""


def manifest(version: str, repository: str = "") -> dict[str, Any]:
    """Return the content of package.json. `repository`: the URL of the repository that publishes, if it is known."""
    entry = ENTRIES["."]
    exports = {path: {"types": f"./{file}.d.ts", "default": f"./{file}.js"} for path, file in ENTRIES.items()}
    # npm accepts a proof of where a package was made only beside the address of that place.
    source = {"repository": {"type": "git", "url": f"git+{repository}.git"}} if repository else {}
    return {
        "name": "waypost",
        "version": version,
        "description": DESCRIPTION,
        "keywords": ["agent", "ai", "ai-sdk", "browser", "mcp", "react", "tools", "webmcp"],
        "license": "Apache-2.0",
        **source,
        "type": "module",
        "sideEffects": False,
        "engines": {"node": ">=20"},
        "main": f"./{entry}.js",
        "types": f"./{entry}.d.ts",
        "exports": {**exports, "./package.json": "./package.json"},
        "peerDependencies": PEERS,
        "peerDependenciesMeta": {name: {"optional": True} for name in PEERS},
    }
