"""The token that a request carries."""

from waypost_worker.http.messages import Request


def bearer_token(request: Request) -> str:
    """The token in `Authorization: Bearer`, or an empty text: https://www.rfc-editor.org/rfc/rfc6750#section-2.1"""
    scheme, _, token = (request.headers.get("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
