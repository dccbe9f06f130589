"""The fake API's server: an envelope around results and failures, and the check of the token."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.support.cloudflare_api.account import Account
from tests.support.cloudflare_api.account_routes import ACCOUNT_ROUTES
from tests.support.cloudflare_api.domain_routes import DOMAIN_ROUTES
from tests.support.cloudflare_api.namespace_routes import NAMESPACE_ROUTES
from tests.support.cloudflare_api.preview_routes import PREVIEW_ROUTES, PREVIEWS
from tests.support.cloudflare_api.routing import ApiError, Page, Raw, Request, Routes, answer
from tests.support.cloudflare_api.script_routes import SCRIPT_ROUTES

BASE = "/client/v4"
EVERYTHING = (ACCOUNT_ROUTES, NAMESPACE_ROUTES, SCRIPT_ROUTES, DOMAIN_ROUTES, PREVIEW_ROUTES)

WITHOUT_TOKEN = ("/workers/assets/upload", PREVIEWS, PREVIEWS + "/challenge")
"""Ends of paths that take another token than the account's, such as the one of an upload, or none."""


class CloudflareApi:
    """The API of one account while the context is open; `more` are further routes, tried first.

    What was asked is in `requests`, as lines like `GET /accounts`.
    """

    def __init__(self, account: Account | None = None, more: Sequence[Routes] = ()) -> None:
        self.account = account or Account()
        self.requests: list[str] = []
        self.unknown: list[str] = []
        """Requests that no route took: what the fake lacks."""
        self._routes = [*more, *EVERYTHING]
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead wrangler and our tools here, and nowhere else."""
        return {
            "CLOUDFLARE_API_BASE_URL": f"http://127.0.0.1:{self._server.server_address[1]}{BASE}",
            "CLOUDFLARE_API_TOKEN": self.account.token,
            "WRANGLER_SEND_METRICS": "false",
            "WRANGLER_HIDE_BANNER": "true",
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def reply(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the reply to a request."""
        with self._lock:
            self.requests.append(f"{request.method} {request.path}")
            try:
                self._admit(request)
                result = answer(self.account, self._routes, request)
            except ApiError as error:
                if error.code == 7000:
                    self.unknown.append(f"{request.method} {request.path}")
                return error.status, {}, _envelope(None, errors=[{"code": error.code, "message": error.message}])
        match result:
            case Raw():
                return result.status, dict(result.headers), result.body
            case Page():
                return 200, {}, _envelope(result.result, result_info=result.info)
            case _:
                return 200, {}, _envelope(result)

    def _admit(self, request: Request) -> None:
        if request.path.endswith(WITHOUT_TOKEN):
            return
        given = request.headers.get("authorization", "")
        if given != f"Bearer {self.account.token}":
            raise ApiError(401, 10000, "Authentication error")
        if any(part in f"{request.method} {request.path}" for part in self.account.refused):
            raise ApiError(403, 10000, "Authentication error")


def _envelope(result: Any, errors: Sequence[Any] = (), **more: Any) -> bytes:
    return json.dumps(
        {"success": not errors, "errors": errors, "messages": [], "result": result} | more, default=str
    ).encode()


def _handler(api: CloudflareApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body leave together; otherwise the second one waits 40 ms for an acknowledgement of the first.
        wbufsize = 1 << 16

        def log_message(self, *_: Any) -> None:
            """Say nothing: what was asked is in `requests`."""

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            request = Request(
                self.command,
                parts.path.removeprefix(BASE),
                dict(reversed(parse_qsl(parts.query, keep_blank_values=True))),
                {name.lower(): value for name, value in self.headers.items()},
                self._body(),
            )
            status, headers, body = api.reply(request)
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", "0")))
            chunks: list[bytes] = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET

    return Handler
