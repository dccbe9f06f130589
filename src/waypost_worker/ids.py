"""The grammars of ids: only a text that passes them becomes part of a KV key."""

import re
from urllib.parse import quote

from waypost_worker.errors import InvalidCode, InvalidId
from waypost_worker.limits import (
    MAX_APP_ID_KEY_BYTES,
    MAX_APP_ID_LENGTH,
    MAX_CODE_LENGTH,
    MAX_ID_LENGTH,
    MAX_MESSAGE_ID_LENGTH,
    MAX_TOOL_NAME_LENGTH,
    MAX_TYPED_CODE_LENGTH,
    MCP_ADDRESS_LENGTH,
    MIN_CODE_LENGTH,
)
from waypost_worker.random import Random

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""https://www.crockford.com/base32.html: no I, L, O (misread) and no U."""

STEPS = (".", "..")
"""Path segments with a special meaning: https://url.spec.whatwg.org/#double-dot-path-segment"""

SEPARATORS = r"\t\n\r \u00a0\u00ad\u2000-\u200b\u2010-\u2015\u202f\u2060\u2212\u3000\ufe58\ufe63\uff0d\ufeff-"
"""What is ignored in a code, as a class of a regular expression: white space, dashes, soft hyphens and zero-width
spaces. Word processors and chats put these between the two halves of a code, and copying takes them along."""

_SEPARATORS = re.compile(f"[{SEPARATORS}]")
_ADDRESS = re.compile(f"[{CROCKFORD.lower()}]{{{MCP_ADDRESS_LENGTH}}}")
_READ_AS = str.maketrans("ILO", "110")
_CODE = re.compile(f"[{CROCKFORD}]{{{MIN_CODE_LENGTH},{MAX_CODE_LENGTH}}}")
_ID = re.compile(rf"[A-Za-z0-9._~-]{{1,{MAX_ID_LENGTH}}}")
# Letters and marks of the scripts that are written with joiners, by their blocks, and emoji. The console shows joiners
# at the same places, and writes all others out: src/site/console/shared/plain.js.
_JOINING = (
    "\u0600-\u077f\u07c0-\u07ff\u0860-\u0dff\u1000-\u109f\u1780-\u17ff\u1800-\u18af"
    "\ua8e0-\ua8ff\ua9e0-\ua9ff\uaa60-\uaa7f\ufb50-\ufdff\ufe70-\ufefc"
)
_EMOJI = "\u00a9\u00ae\u203c\u2049\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_NEEDED_JOINER = re.compile(
    f"(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING}])|(?:(?<=[{_EMOJI}])|(?<=[{_EMOJI}]\ufe0f))\u200d(?=[{_EMOJI}])"
)

_TOOL_NAME = re.compile(rf"[A-Za-z0-9_./-]{{1,{MAX_TOOL_NAME_LENGTH}}}")


def new_code(random: Random, length: int = MIN_CODE_LENGTH) -> str:
    """A session code of `length` characters, with 5 random bits in each."""
    bits = 5 * length
    number = int.from_bytes(random.random_bytes(-(-bits // 8)), "big")
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(bits - 5, -1, -5))


def parse_code(text: str) -> str:
    """The code that a person typed: in any case, spaces and dashes ignored, I and L read as 1, O as 0. Accepts every
    length that a code can have, so that a change of CODE_LENGTH keeps existing sessions reachable.

    All spellings of a code are one code, so a limit on wrong codes counts what this returns.

    Raises:
        InvalidCode: `text` is no code.
    """
    # Programs send it as it was written down.
    if _CODE.fullmatch(text):
        return text
    # The length is checked first: upper() and sub() on an attacker's megabyte would be wasted work.
    code = _SEPARATORS.sub("", text) if len(text) <= MAX_TYPED_CODE_LENGTH else ""
    # str.upper() turns some other letters into ASCII ('ı' into 'I'), which no code contains.
    code = code.upper().translate(_READ_AS) if code.isascii() else ""
    if not _CODE.fullmatch(code):
        raise InvalidCode(
            f"A session code has {MIN_CODE_LENGTH} to {MAX_CODE_LENGTH} letters and digits, like K7Q2-M9XA."
        )
    return code


def is_mcp_address(text: str) -> bool:
    """Whether `text` has the form of an MCP address, which no code has."""
    return bool(_ADDRESS.fullmatch(text))


def parse_id(text: str, what: str) -> str:
    """`text` itself, if it is an id: 1 to 64 of A-Z a-z 0-9 . _ ~ - but not . or .., which no URL can carry.

    Raises:
        InvalidId: it is not; `what` names it in the sentence.
    """
    if not _ID.fullmatch(text) or text in STEPS:
        raise InvalidId(f"The {what} must be 1 to {MAX_ID_LENGTH} characters out of A-Z a-z 0-9 . _ ~ -")
    return text


def parse_app_id(text: str, what: str) -> str:
    """`text` itself, if an app may use it to name a thread or its owner: 1 to 128 visible characters, and joiners (ZWJ,
    ZWNJ) between letters that are written with them or between emoji.

    Such ids are percent-encoded in keys, so `user:42` and `ada@example.org` are fine.

    Raises:
        InvalidId: it is not; `what` names it in the sentence.
    """
    if not 0 < len(text) <= MAX_APP_ID_LENGTH or not _is_visible(text) or text != text.strip():
        raise InvalidId(f"The {what} must be 1 to {MAX_APP_ID_LENGTH} visible characters.")
    if text in STEPS:
        raise InvalidId(f"The {what} must not be . or .., which mean something else in a URL.")
    if len(quote(text, safe="")) > MAX_APP_ID_KEY_BYTES:
        raise InvalidId(f"The {what} must have {MAX_APP_ID_KEY_BYTES} bytes at most when percent-encoded.")
    return text


def parse_message_id(text: str) -> str:
    """`text` itself, if it can be a message's id: 1 to 128 visible characters, and joiners as in an app's ids.

    Raises:
        InvalidId: it is not.
    """
    if not 0 < len(text) <= MAX_MESSAGE_ID_LENGTH or not _is_visible(text):
        raise InvalidId(f"The id of a message must be 1 to {MAX_MESSAGE_ID_LENGTH} visible characters.")
    return text


def _is_visible(text: str) -> bool:
    """Whether every character can be seen. Elsewhere than where they are needed, joiners would make two ids look the
    same; U+FFFD stands for what could not be read, so that two ids that differed there would be one."""
    if "\ufffd" in text:
        return False
    return text.isprintable() or _NEEDED_JOINER.sub("", text).isprintable()


def is_tool_name(text: str) -> bool:
    """Whether `text` is a tool name as MCP (2025-11-25, server/tools, "Tool Names") allows it."""
    return bool(_TOOL_NAME.fullmatch(text))
