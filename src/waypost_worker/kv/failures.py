"""What the platform means by the text of a failed KV operation: it throws plain errors, which differ in nothing else.

Texts as users have met them: `KV put() limit exceeded for the day.` from a Worker's binding (2025 and 2026, the same
for get, list and delete); `your account has reached the free usage limit for this operation for today`, code 10048,
from the REST API, which is behind a binding that is used remotely; `Too many API requests by single Worker
invocation.` and, for fetches, `Too many subrequests` (2026). All else may be tried again, such as `KV PUT failed: 429
Too Many Requests`, a key's one write a second.
"""

import re

from waypost_worker.kv.store import DailyLimitReached, InvocationLimitReached, KvError

OPERATIONS = ("get", "put", "list", "delete")
"""The kinds of operations that have a daily limit each; a bulk get is a get."""

_DAILY = re.compile(r"limit exceeded for the day|free usage limit for this operation for today|\b10048\b", re.I)
_NAMED = re.compile(r"\bKV (get|put|list|delete)", re.I)
_INVOCATION = re.compile(r"too many (?:API requests|subrequests)", re.I)


def failure_of(text: str, operation: str) -> KvError:
    """The error for an `operation` (one of `OPERATIONS`) that the platform has refused with `text`."""
    if _DAILY.search(text):
        named = _NAMED.search(text)
        return DailyLimitReached(text, named[1].lower() if named else operation)
    if _INVOCATION.search(text):
        return InvocationLimitReached(text)
    return KvError(text)
