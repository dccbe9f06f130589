"""Bad requests as they are sent, with the codes and tokens of the place that they are sent to."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.support.bad_requests.table import Case
from waypost_worker.security.tokens import Claims, Role, Signer


def bad_tokens(code: str, host: str, guest: str, key: bytes, now_seconds: int) -> dict[str, str]:
    """Tokens of the session `code` that open nothing, by their names in the table; `key` signs the good ones."""
    head, _, signature = host.rpartition(".")
    forger = Signer((b"another key, which is long enough too",))
    return {
        "TAMPERED": f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}",
        "PROMOTED": guest.replace(".guest.", ".host."),
        "FORGED": forger.sign(Claims(Role.HOST, code, now_seconds + 3600)),
        "EXPIRED": Signer((key,)).sign(Claims(Role.HOST, code, now_seconds - 1)),
    }


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with the value of each `$NAME` in it."""
    # The longest names first: $HOST must not be found in $HOSTS.
    for name in sorted(values, key=len, reverse=True):
        text = text.replace(f"${name}", values[name])
    return text


def body_of(case: Case, values: Mapping[str, str]) -> bytes | None:
    """The bytes of its body; `None`: it has none."""
    if case.body is None:
        return None
    if isinstance(case.body, bytes):
        # Latin-1 gives each byte back as it was.
        return fill(case.body.decode("latin-1"), values).encode("latin-1")
    return fill(json.dumps(case.body), values).encode()


def headers_of(case: Case, values: Mapping[str, str]) -> dict[str, str]:
    """Its header fields."""
    headers = {} if case.body is None else {"Content-Type": "application/json"}
    if case.token:
        headers["Authorization"] = f"Bearer {fill(case.token, values)}"
    return {name: value for name, value in (headers | case.headers).items() if value}
