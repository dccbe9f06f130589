"""The version that `/health` reports; a test holds it to pyproject.toml and the changelog. And which upload runs."""

import msgspec

VERSION = "0.1.0"


class DeployedVersion(msgspec.Struct, frozen=True):
    """One upload of the Worker, as Cloudflare names it.
    https://developers.cloudflare.com/workers/runtime-apis/bindings/version-metadata/"""

    id: str
    """The upload's id."""
    tag: str
    """What `wrangler versions upload --tag` said, or empty."""
    timestamp: str
    """When it was uploaded."""
