"""The ids of an answer's tool calls, which are those of their requests in the tab's queue.

They are derived, so that the same call of the same question has the same id, also in another attempt in another
isolate: the queue and the tab then know it as a repeat. `{root}.{step}.{number}.{digest}`:

- The root is the question's, where its client gave it an id; otherwise the answer's own.
- The step is the model's reply that asks for the call, the number the call's place in that reply.
- The digest is that of the tab, the tool and the arguments: another attempt's model may ask for something else at the
  same place, and must not get the result of this call.
"""

import re
from hashlib import sha256
from typing import Any

import msgspec

_CALL_ID = re.compile(r"[0-9a-f]{32}\.[0-9]+\.[0-9]+\.[0-9a-f]{16}")


def root_of(conversation: str, message_id: str, content_tag: str) -> str:
    """The root of the calls of a question: of its conversation, its id and its content. Nobody can guess it who does
    not know the conversation's secret id."""
    return _digest([conversation, message_id, content_tag])[:32]


def own_root(generation_id: str) -> str:
    """The root of the calls of an answer that no other attempt can share."""
    return generation_id.replace("-", "")


def call_id(root: str, step: int, number: int, tab: str, name: str, args: Any) -> str:
    """The id of a call."""
    return f"{root}.{step}.{number}.{_digest([tab, name, args])[:16]}"


def root_in(call: str) -> str:
    """The root in the id of a call."""
    return call.partition(".")[0]


def is_call_id(id: str) -> bool:
    """Whether `id` has the form of these ids."""
    return _CALL_ID.fullmatch(id) is not None


def is_made_in(tab: str, call: str, name: str, args: Any) -> bool:
    """Whether the call with this id was sent to `tab`."""
    return call.rpartition(".")[2] == _digest([tab, name, args])[:16]


def _digest(value: Any) -> str:
    return sha256(msgspec.json.encode(value, order="sorted")).hexdigest()
