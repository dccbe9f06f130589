"""Every key is built and parsed here. `:` separates, and never occurs inside an id, a code or a cursor."""


def session_key(code: str) -> str:
    """The session's record; core fields in the metadata too."""
    return f"session:{code}"


def ended_key(code: str) -> str:
    """That the session was ended; never overwritten."""
    return f"ended:{code}"


def tools_key(code: str) -> str:
    """The tools that the host offers."""
    return f"tools:{code}"


def host_key(code: str) -> str:
    """The presence of the host."""
    return f"host:{code}"


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
    """The prefix of everything that was answered to one request, progress included."""
    return f"res:{code}:{request_id}:"


def response_key(code: str, request_id: str, cursor: str) -> str:
    """One message to the guests; sorted by request, then by time."""
    return f"res:{code}:{request_id}:{cursor}"


def snapshot_key(conversation: str) -> str:
    """The folded part of a conversation."""
    return f"conv:{conversation}"


def journal_prefix(conversation: str) -> str:
    """The prefix of the appends to a conversation."""
    return f"conv:{conversation}:"


def journal_key(conversation: str, cursor: str) -> str:
    """One append; sorted by key is sorted by time."""
    return f"conv:{conversation}:{cursor}"


def cursor_of(key: str) -> str:
    """The cursor that ends a message's key."""
    return key.rpartition(":")[2]
