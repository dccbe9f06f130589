"""The ids under which a service is given calls back: ours are longer than some take, as are those of other services.

Mistral takes nine letters and digits and nothing else, OpenAI 40 characters; an id of nine suits both. Only Kimi K2
reads the tool's name out of the id, and writes its next calls wrongly after ids in any other form.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from string import ascii_letters, digits

from waypost_worker.conversations.message import ToolCall

LENGTH = 9
_SHORT = re.compile(rf"[A-Za-z0-9]{{{LENGTH}}}")
_CHARACTERS = ascii_letters + digits


def call_ids(model: str) -> Callable[[ToolCall], str]:
    """Makes the ids of one request's calls, which are asked for in their order. An id depends on the call's own alone,
    so that the beginning of a conversation stays the same from request to request, and services can cache it."""
    numbers = count()
    if "kimi-k2" in model.lower():
        return lambda call: f"functions.{call.name}:{next(numbers)}"
    return lambda call: _short(call.id)


def _short(id: str) -> str:
    if _SHORT.fullmatch(id):
        return id
    number = int.from_bytes(sha256(id.encode()).digest()[:8])
    return "".join(_CHARACTERS[number // len(_CHARACTERS) ** place % len(_CHARACTERS)] for place in range(LENGTH))
