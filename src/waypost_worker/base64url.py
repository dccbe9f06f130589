"""base64url without padding (RFC 4648, section 5): bytes as text that needs no escaping in a URL or a KV key."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode_base64url(data: bytes) -> str:
    """The one canonical spelling of `data`, without `=`."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """The bytes that `text` spells. Several texts spell the same bytes: characters outside the alphabet and unused last
    bits are ignored. A caller that accepts one spelling only encodes the result and compares.

    Raises:
        ValueError: `text` has a length that no bytes are spelled with, or is not ASCII.
    """
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
