"""The messages of a queue: their stored form, and the data of the events made from them.

A message is stored once, under one key, as JSON: in the key's metadata if it fits there, so that `list` returns it for
free; otherwise whole in the value, with a head in the metadata that has everything but the body.
"""

from hashlib import sha256
from typing import Any, Literal

import msgspec

from waypost_worker.base64url import encode_base64url
from waypost_worker.clock import to_iso
from waypost_worker.http.trace_context import TraceContext
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.kv.keys import cursor_of
from waypost_worker.kv.store import ListedKey, fits_metadata
from waypost_worker.limits import KV_MAX_METADATA_BYTES

Kind = Literal["request", "cancel", "skip", "response"]
"""A `skip` gives up a producer's number: the reader of the host's queue uses it, and never sends it to the host."""


ENVELOPE = {"$waypost", "n", "c"}
"""The names in the arguments of an encrypted call (docs/encryption.md)."""


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The error of a response: the host's own, or `cancelled`."""

    code: str
    """The error in a word: the host's own, or `cancelled`."""
    message: str
    """A sentence for a person, or for a model."""
    data: Any | msgspec.UnsetType = msgspec.UNSET
    """Any JSON that the host adds."""


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message. `args` and `result` are compact JSON, which is passed on without being decoded. `cursor` comes from
    its key and is not stored again. `size`: the bytes of the value, for a head; otherwise 0. `asker`: a digest by
    which an MCP client finds its request again. `digest`: that of the call (see `call_digest`) in a request's head, and
    in a response if it is known. `age`: how many seconds the isolate that accepted it had existed. No reader is sent
    any of these. `traceparent`, `tracestate`: the trace that a request belongs to; no part of the call."""

    kind: Kind
    id: str
    tool: str | msgspec.UnsetType = msgspec.UNSET
    args: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    producer: str | msgspec.UnsetType = msgspec.UNSET
    seq: int | msgspec.UnsetType = msgspec.UNSET
    settled: int = 0
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: ErrorBody | msgspec.UnsetType = msgspec.UNSET
    final: bool | msgspec.UnsetType = msgspec.UNSET
    size: int = 0
    cursor: str = ""
    asker: str | msgspec.UnsetType = msgspec.UNSET
    digest: str | msgspec.UnsetType = msgspec.UNSET
    age: int | msgspec.UnsetType = msgspec.UNSET
    traceparent: str | msgspec.UnsetType = msgspec.UNSET
    tracestate: str | msgspec.UnsetType = msgspec.UNSET

    @property
    def is_head(self) -> bool:
        """Whether the body still has to be read from the key's value."""
        return self.size > 0

    @property
    def call_digest(self) -> str | None:
        """A digest of kind, tool and arguments: two requests with the same one are the same call, as far as this
        service can see: encrypted arguments are not part of it. For a response, that of its request. `None`: not known,
        as for what was stored without one."""
        if self.digest is not msgspec.UNSET:
            return self.digest
        if self.is_head or self.kind == "response":
            return None
        args = None if self.args is msgspec.UNSET else msgspec.json.decode(self.args)
        # Encrypted again, the same arguments are other bytes; only the host can compare them.
        is_encrypted = isinstance(args, dict) and args.keys() == ENVELOPE
        args = "encrypted" if is_encrypted else args or None
        # Sorted, so that the order of names does not matter.
        call = msgspec.json.encode([self.kind, self.tool or None, args], order="sorted")
        return encode_base64url(sha256(call).digest()[:16])

    @property
    def number(self) -> int:
        """Its sequence number among its producer's messages, or 0 if it has none."""
        return 0 if self.seq is msgspec.UNSET else self.seq

    @property
    def settled_number(self) -> int:
        """The number up to which its producer has settled all requests; below the message's own."""
        return min(self.settled, self.number - 1)

    @property
    def report(self) -> Any:
        """The result of a progress report, decoded; a report is small."""
        return None if self.result is msgspec.UNSET else msgspec.json.decode(self.result)

    @property
    def accepted_ms(self) -> int:
        """When it was accepted, in milliseconds."""
        return cursor_ms(self.cursor)

    @property
    def isolate_born_ms(self) -> int:
        """When the isolate that accepted it began, by that isolate's clock, to the second; 0 if it does not say so."""
        return 0 if self.age is msgspec.UNSET else self.accepted_ms - self.age * 1000


class _EventData(msgspec.Struct, omit_defaults=True):
    """The `data` of an event; the order of the fields is for people."""

    id: str
    """The request's id; a response has the id of its request."""
    cursor: str
    """The message's own id, to acknowledge it with."""
    tool: str | msgspec.UnsetType
    """The tool that is called, by its own name."""
    args: msgspec.Raw | msgspec.UnsetType
    """The arguments, an object. In an encrypted session, one field with the encrypted ones."""
    result: msgspec.Raw | msgspec.UnsetType
    """What the tool returned: any JSON."""
    error: ErrorBody | msgspec.UnsetType
    """The error instead of a result."""
    final: bool | msgspec.UnsetType
    """False for progress; one final response follows."""
    timestamp: str
    """When the message was accepted."""
    producer: str | msgspec.UnsetType
    """The producer that numbers its messages, if it does."""
    seq: int | msgspec.UnsetType
    """Its number."""
    traceparent: str | msgspec.UnsetType
    """The trace that the request belongs to: https://www.w3.org/TR/trace-context/"""
    tracestate: str | msgspec.UnsetType
    """What the systems of that trace add."""
    replay: bool = False
    """This message may have been delivered before. A host does not run a tool twice for one `id`."""


_decode = msgspec.json.Decoder(Message).decode


def encode_stored(message: Message) -> tuple[bytes, str]:
    """The `(value, metadata)` under which `message` is stored."""
    text = msgspec.json.encode(msgspec.structs.replace(message, cursor=""))
    if len(text) < KV_MAX_METADATA_BYTES and fits_metadata(small := text.decode()):
        return b"", small
    head = msgspec.structs.replace(head_of(message, len(text)), cursor="")
    return text, msgspec.json.encode(head).decode()


def traced(message: Message, trace: TraceContext | None) -> Message:
    """`message` as a part of `trace`, if there is one."""
    if trace is None:
        return message
    return msgspec.structs.replace(message, traceparent=trace.parent, tracestate=trace.state or msgspec.UNSET)


def head_of(message: Message, size: int) -> Message:
    """`message` without its body, which is in its key's value of `size` bytes."""
    digest = msgspec.UNSET if message.call_digest is None else message.call_digest
    return msgspec.structs.replace(
        message,
        args=msgspec.UNSET,
        result=msgspec.UNSET,
        error=msgspec.UNSET,
        size=size,
        digest=digest,
        # In the value as well, and too long for the metadata of a head.
        traceparent=msgspec.UNSET,
        tracestate=msgspec.UNSET,
    )


def decode_listed(key: ListedKey) -> Message:
    """The message under `key`, or its head if the body is in the value."""
    return msgspec.structs.replace(_decode(key.metadata or ""), cursor=cursor_of(key.name))


def decode_value(head: Message, value: str | bytes) -> Message:
    """The whole message, from its head and its key's value."""
    return msgspec.structs.replace(_decode(value), cursor=head.cursor)


def encode_event_data(message: Message, *, replay: bool = False) -> bytes:
    """The `data` of the event for `message`: JSON without white space, so without a line break."""
    return msgspec.json.encode(
        _EventData(
            message.id,
            message.cursor,
            message.tool,
            message.args,
            message.result,
            message.error,
            message.final,
            to_iso(message.accepted_ms),
            message.producer,
            message.seq,
            message.traceparent,
            message.tracestate,
            replay,
        )
    )
