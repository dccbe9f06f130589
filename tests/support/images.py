"""Images as tests send them: `data:` URLs of a size, which no two messages need share."""

from typing import Any

START = "data:image/png;base64,"


def image_url(size: int, letter: str = "A") -> str:
    """A URL of `size` bytes, of an image that only its `letter` tells from others."""
    return START.ljust(size, letter)


def image_part(size: int, letter: str = "A") -> dict[str, Any]:
    """The part of a message that has this image."""
    return {"type": "image_url", "image_url": {"url": image_url(size, letter)}}


def file_part(size: int, letter: str = "A") -> dict[str, Any]:
    """The same as the AI SDK sends it."""
    return {"type": "file", "mediaType": "image/png", "filename": "a.png", "url": image_url(size, letter)}
