"""A Worker that does one step of a call many times: `GET /{step}?times=1000`. Who asks takes the time."""

import asyncio
import hashlib
import hmac
import os
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import js
import msgspec
from pyodide.ffi import create_proxy
from workers import WorkerEntrypoint, import_from_javascript

from waypost_worker.cloudflare.bodies import JsBody
from waypost_worker.cloudflare.worker import CloudflareLimiter, make_app, serve
from waypost_worker.handlers.queues import RequestBody
from waypost_worker.http.json_body import decode_json
from waypost_worker.http.messages import Request
from waypost_worker.http.security_headers import BROWSER_HEADERS
from waypost_worker.security.client_address import rate_limit_key

BODY = b'{"code":"ABCD2345","tool":"forecast","args":{"city":"Z\xc3\xbcrich","unit":"celsius","days":3}}'
PLAIN = '{"headers":{"Content-Type":"application/json"}}'
FULL = msgspec.json.encode({"status": 202, "headers": BROWSER_HEADERS | {"X-Request-Id": "0", "Server-Timing": "0"}})
HEADERS = ("content-type", "origin", "sec-fetch-site", "authorization", "cf-ray", "cf-connecting-ip", "content-length")
POST = '{"method":"POST","headers":{"Content-Type":"application/json","CF-Connecting-IP":"2001:db8::1"}}'


class Steps:
    """The steps by name; each does its work once."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._app = make_app()
        self._limiter = CloudflareLimiter(import_from_javascript("cloudflare:workers").env.ADDRESS_LIMIT)
        self._isolate = self._app.isolate
        self._session: dict[str, Any] = {}

    async def nothing(self) -> None:
        pass

    async def date_now(self) -> None:
        js.Date.now()

    async def random_bytes(self) -> None:
        os.urandom(8)

    async def one_header_read(self) -> None:
        self._request.headers.get("content-type")

    async def seven_headers_read(self) -> None:
        headers = self._request.headers
        for name in HEADERS:
            headers.get(name)

    async def url_read_and_split(self) -> None:
        urlsplit(self._request.url)

    async def hmac_sha256(self) -> None:
        hmac.new(b"k" * 32, BODY, hashlib.sha256).digest()

    async def address_parsed(self) -> None:
        rate_limit_key("2001:db8:1:2::1")

    async def rate_limit_asked(self) -> None:
        await self._limiter.allows("key")

    async def sleep_zero(self) -> None:
        await asyncio.sleep(0)

    async def task_made(self) -> None:
        await asyncio.ensure_future(self.nothing())

    async def promise_awaited(self) -> None:
        await js.Promise.resolve(1)

    async def timer_set_and_cleared(self) -> None:
        proxy = create_proxy(int)
        js.clearTimeout(js.setTimeout(proxy, 10_000))
        proxy.destroy()

    async def request_made(self) -> None:
        self._post("http://bench/api/request", BODY)

    async def request_made_and_text_read(self) -> None:
        await self._post("http://bench/api/request", BODY).text()

    async def request_made_and_body_read(self) -> None:
        request = self._post("http://bench/api/request", BODY)
        share = self._isolate.bodies.share("2001:db8::1")
        await JsBody(request, len(BODY), self._app.clock, self._isolate, share).read(100_000)
        share.release()

    async def body_decoded(self) -> None:
        decode_json(BODY, RequestBody)

    async def response_made_one_header(self) -> None:
        js.Response.new("{}", js.JSON.parse(PLAIN))

    async def response_made_all_headers(self) -> None:
        js.Response.new("{}", js.JSON.parse(FULL.decode()))

    async def health_without_javascript(self) -> None:
        await self._handle("GET", "/health", b"")

    async def preflight_without_javascript(self) -> None:
        await self._handle("OPTIONS", "/api/request", b"")

    async def route_found(self) -> None:
        self._app._router.find("POST", "/api/request")

    async def request_refused_for_its_code_without_javascript(self) -> None:
        await self._handle("POST", "/api/request", BODY.replace(b"ABCD2345", b"bad"))

    async def session_without_javascript(self) -> None:
        await self._handle("POST", "/api/sessions", b"{}")

    async def request_without_javascript(self) -> None:
        await self._handle("POST", "/api/request", await self._request_body())

    async def request_served_whole(self) -> None:
        await serve(self._app, self._post("http://bench/api/request", await self._request_body()))

    async def poll_without_javascript(self) -> None:
        code = (await self._opened())["code"]
        await self._handle("GET", "/api/poll", b"", f"code={code}", f"Bearer {self._session['hostToken']}")

    def _post(self, url: str, body: bytes) -> Any:
        init = js.JSON.parse(POST)
        init.body = body.decode()
        return js.Request.new(url, init)

    async def _opened(self) -> dict[str, Any]:
        if not self._session:
            reply = await self._handle("POST", "/api/sessions", b"{}")
            self._session = msgspec.json.decode(reply.body)
        return self._session

    async def _request_body(self) -> bytes:
        return BODY.replace(b"ABCD2345", (await self._opened())["code"].encode())

    async def _handle(self, method: str, path: str, body: bytes, query: str = "", token: str = "") -> Any:
        async def read(_limit: int) -> bytes:
            return body

        headers = {"content-type": "application/json"} | ({"authorization": token} if token else {})
        return await self._app.handle(Request(method, path, query, headers, read, _none, "2001:db8::1"))


def _none(work: Any) -> None:
    raise AssertionError(work)


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        url = urlsplit(request.js_object.url)
        name, times = url.path.strip("/"), int(parse_qs(url.query).get("times", ["1"])[0])
        names = [each for each in vars(Steps) if not each.startswith("_")]
        if name not in names:
            return js.Response.new(msgspec.json.encode(names).decode())
        step: Callable[[], Awaitable[None]] = getattr(Steps(request.js_object), name)
        for _ in range(times):
            await step()
        return js.Response.new("done")
