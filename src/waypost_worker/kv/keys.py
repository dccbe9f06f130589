"""Builds and parses every KV key. `:` separates its parts, and never occurs inside an id, a code or a cursor."""

from urllib.parse import quote, unquote


def session_key(code: str) -> str:
    """The record of a session; its core fields are in the metadata too."""
    return f"session:{code}"


def ended_key(code: str) -> str:
    """The tombstone of a session that was ended; never overwritten."""
    return f"ended:{code}"


def joined_key(code: str) -> str:
    """The mark that a single-use code was used."""
    return f"joined:{code}"


def address_key(address: str) -> str:
    """The session that an MCP address leads to; also the prefix of `withdrawn_key`."""
    return f"address:{address}"


def withdrawn_key(address: str) -> str:
    """The tombstone of an MCP address that was withdrawn; never overwritten."""
    return f"address:{address}:withdrawn"


def tools_key(code: str) -> str:
    """The tools that the host offers."""
    return f"tools:{code}"


def host_key(code: str) -> str:
    """The presence of the host."""
    return f"host:{code}"


def host_left_key(code: str) -> str:
    """The goodbye of the host. In a listing it is the key directly behind `host_key`: `!` sorts before every character
    of a code."""
    return f"host:{code}!left"


def requests_scope(code: str) -> str:
    """The queue from the guests to the host; also the scope of its cursors."""
    return f"req:{code}"


def responses_scope(code: str) -> str:
    """The queue from the host to the guests; also the scope of its cursors."""
    return f"res:{code}"


def request_key(code: str, cursor: str) -> str:
    """One message to the host; sorted by key is sorted by time."""
    return f"req:{code}:{cursor}"


def response_prefix(code: str, request_id: str) -> str:
    """The prefix of all responses to one request, progress included."""
    return f"res:{code}:{request_id}:"


def response_key(code: str, request_id: str, cursor: str) -> str:
    """One message to the guests; sorted by request, then by time."""
    return f"res:{code}:{request_id}:{cursor}"


def wake_up_key(scope: str) -> str:
    """The wake-up key of a queue."""
    return f"wake:{scope}"


def snapshot_key(conversation: str) -> str:
    """The snapshot of a conversation."""
    return f"conv:{conversation}"


def journal_prefix(conversation: str) -> str:
    """The prefix of the journal of a conversation."""
    return f"conv:{conversation}:"


def journal_key(conversation: str, cursor: str) -> str:
    """One entry of the journal; sorted by key is sorted by time."""
    return f"conv:{conversation}:{cursor}"


def images_prefix(conversation: str) -> str:
    """The prefix of the images of a conversation."""
    return f"img:{conversation}:"


def image_key(conversation: str, name: str) -> str:
    """The images of one message; `name`: a cursor."""
    return f"img:{conversation}:{name}"


def threads_prefix(resource_id: str) -> str:
    """The prefix of a resource's threads. Apps choose these ids, so they are percent-encoded in keys."""
    return f"thread:{quote(resource_id, safe='')}:"


def thread_key(resource_id: str, thread_id: str) -> str:
    """The record of a thread; the metadata has the fields that a list shows."""
    return f"{threads_prefix(resource_id)}{quote(thread_id, safe='')}"


def thread_id_of(key: str) -> str:
    """The id of the thread with this key."""
    return unquote(key.rpartition(":")[2])


def pieces_prefix(generation_id: str) -> str:
    """The prefix of the chunks of one answer."""
    return f"gen:{generation_id}:"


def piece_key(generation_id: str, number: int) -> str:
    """One chunk of an answer; sorted by key is in order."""
    return f"gen:{generation_id}:{number:06d}"


def stop_key(generation_id: str) -> str:
    """The request to stop an answer."""
    return f"stop:{generation_id}"


def document_key(kind: str, session_id: str) -> str:
    """A session's one document of a `kind` (intents, theme)."""
    return f"{kind}:{session_id}"


def documents_prefix(session_id: str) -> str:
    """The prefix of a session's named documents."""
    return f"doc:{session_id}:"


def named_document_key(session_id: str, name: str) -> str:
    """A session's document of this name."""
    return f"doc:{session_id}:{name}"


def page_key(intent_id: str) -> str:
    """A generated page."""
    return f"page:{intent_id}"


def session_pages_prefix(session_id: str) -> str:
    """The prefix of the index of a session's pages."""
    return f"pages:{session_id}:"


def session_page_key(session_id: str, intent_id: str) -> str:
    """The entry of a page in its session's index."""
    return f"pages:{session_id}:{intent_id}"


def owned_prefixes(session_prefix: str) -> tuple[str, ...]:
    """The prefixes of all keys of what the sessions own whose ids begin with `session_prefix`."""
    return tuple(f"{kind}:{session_prefix}" for kind in ("conv", "img", "intents", "theme", "doc", "pages"))


def owner_of(key: str) -> str:
    """The session id in one of these keys."""
    return key.split(":")[1]


def cursor_of(key: str) -> str:
    """The cursor that ends a message's key."""
    return key.rpartition(":")[2]
