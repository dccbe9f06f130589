"""Documents over HTTP."""

from uuid import uuid4

import httpx

from tests.support.http_api import Api

JSON = {"Content-Type": "application/json"}


def place(path: str = "documents/notes") -> str:
    """A document of a session that no other test has."""
    return f"/api/sessions/{uuid4()}/{path}"


def put(api: Api, path: str, body: bytes, **headers: str) -> httpx.Response:
    """Put `body`; `If_Match=` is the field If-Match."""
    fields = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    return api.http.put(path, content=body, headers=fields)
