"""`/api/pages/{intentId}` and `/pages/{intentId}`: stored, listed, and shown in a sandbox."""

import json
from typing import Any

import pytest

from simulation.client import Client, Reply, make_client
from simulation.virtual_time import run
from tests.support.replies import operations, outcome
from waypost_worker.limits import MAX_PAGE_BODY_BYTES, MAX_PAGE_BYTES, MAX_PAGE_TITLE_LENGTH

SECRET = "3b241101-e2bb-4255-8caf-4136c566a962"
API = "/api/pages/hut"
SHOWN = "/pages/hut"
TIMES = {"updatedAt": "2026-01-01T00:00:00.000Z", "expiresAt": "2026-01-02T00:00:00.000Z"}
MISSING = (404, "page_not_found")
WRONG = (403, "wrong_session")


async def put(client: Client, path: str = API, headers: dict[str, str] | None = None, **fields: Any) -> Reply:
    body = {"html": "<p>", "sessionId": SECRET} | fields
    return await client.call("PUT", path, body, headers={"Content-Type": "application/json"} | (headers or {}))


async def get(client: Client, path: str = API, method: str = "GET", **headers: str) -> Reply:
    return await client.call(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})


async def test_a_page_is_put_and_read():
    client = make_client()
    created = await put(client, html="<p>ü", title="The hut")
    etag = created.headers["ETag"]
    listed = {"intentId": "hut", "title": "The hut", "etag": etag, "size": 5, **TIMES}
    assert (created.status, created.json()) == (201, {**listed, "url": "/pages/hut"})
    reply = await get(client)
    assert reply.json() == {"intentId": "hut", "html": "<p>ü", "title": "The hut", **TIMES}
    assert (reply.headers["ETag"], reply.headers["Cache-Control"]) == (etag, "private, no-cache")
    assert (await get(client, f"/api/sessions/{SECRET}/pages")).json() == {"pages": [listed], "count": 1}
    assert (await put(client)).status == 200


async def test_a_title_is_optional_and_putting_without_one_takes_it_away():
    client = make_client()
    await put(client, title="The hut")
    await put(client)
    assert (await get(client)).json()["title"] == ""


async def test_a_page_is_shown_confined():
    client = make_client()
    await put(client, html="<!doctype html>\n<p>ü\u2028😀\0")
    reply = await get(client, SHOWN)
    assert (reply.status, reply.body.decode()) == (200, "<!doctype html>\n<p>ü\u2028😀\0")
    for name in ("Server-Timing", "X-Request-Id", "ETag"):
        reply.headers.pop(name)
    assert reply.headers == {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": (
            "sandbox allow-scripts allow-forms allow-modals allow-popups; default-src 'none'; "
            "script-src 'unsafe-inline' https:; style-src 'unsafe-inline' https:; img-src https: data: blob:; "
            "font-src https: data:; media-src https: data: blob:; connect-src 'none'; form-action 'none'; "
            "base-uri 'none'; frame-ancestors 'self'"
        ),
        "Cache-Control": "private, no-cache",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "X-Content-Type-Options": "nosniff",
        "Strict-Transport-Security": "max-age=63072000",
    }


async def test_a_copy_that_is_still_good_is_confirmed_with_the_policy_of_today():
    client = make_client()
    etag = (await put(client)).headers["ETag"]
    fresh = await get(client, SHOWN)
    reply = await get(client, SHOWN, If_None_Match=f"W/{etag}")
    assert (reply.status, reply.body, operations(reply)) == (304, b"", "1 operations")
    changing = ("Server-Timing", "X-Request-Id")
    for name in changing:
        reply.headers.pop(name)
        fresh.headers.pop(name)
    assert reply.headers == fresh.headers
    assert (await get(client, API, If_None_Match=etag)).status == 304


async def test_the_json_of_a_page_is_never_html():
    client = make_client()
    await put(client, html="<script>alert(1)</script>")
    for path in (API, f"/api/sessions/{SECRET}/pages"):
        reply = await get(client, path)
        assert reply.headers["Content-Type"] == "application/json"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_whose_a_page_is_is_told_only_to_who_says_it():
    client = make_client()
    await put(client)
    for query in ("", "?sessionId=other", f"?sessionId={SECRET}x", f"?sessionId={SECRET[:-1]}"):
        for path in (API, SHOWN):
            reply = await get(client, path + query)
            assert SECRET not in f"{reply.body!r} {reply.headers}"
    assert (await get(client, f"{API}?sessionId={SECRET}")).json()["sessionId"] == SECRET


async def test_another_session_may_neither_replace_nor_delete_a_page():
    client = make_client()
    await put(client)
    for reply in (await put(client, sessionId="other"), await get(client, f"{API}?sessionId=other", "DELETE")):
        assert outcome(reply) == WRONG
        assert SECRET not in reply.body.decode()
    assert (await get(client)).json()["html"] == "<p>"
    assert (await get(client, "/api/sessions/other/pages")).json() == {"pages": [], "count": 0}


async def test_a_deleted_page_is_gone_everywhere():
    client = make_client()
    await put(client)
    reply = await get(client, f"{API}?sessionId={SECRET}", "DELETE")
    assert (reply.status, reply.body) == (204, b"")
    for path in (API, SHOWN):
        assert outcome(await get(client, path)) == MISSING
    assert outcome(await get(client, f"{API}?sessionId={SECRET}", "DELETE")) == MISSING
    assert (await get(client, f"/api/sessions/{SECRET}/pages")).json()["count"] == 0


@pytest.mark.parametrize("html", ["x" * MAX_PAGE_BYTES, "ü" * (MAX_PAGE_BYTES // 2), '"' * (MAX_PAGE_BYTES - 50)])
async def test_a_page_has_at_most_1_mib_of_utf_8(html: str):
    client = make_client()
    body = json.dumps({"sessionId": "s", "html": html}, ensure_ascii=False).encode()
    reply = await client.call("PUT", API, body=body)
    assert (reply.status, reply.json()["size"]) == (201, len(html.encode()))
    assert (await get(client, SHOWN)).body == html.encode()


@pytest.mark.parametrize("html", ["x" * (MAX_PAGE_BYTES + 1), "ü" * (MAX_PAGE_BYTES // 2) + "x"])
async def test_a_page_that_is_a_byte_larger_is_refused(html: str):
    client = make_client()
    body = json.dumps({"sessionId": "s", "html": html}, ensure_ascii=False).encode()
    assert outcome(await client.call("PUT", API, body=body)) == (413, "body_too_large")
    assert outcome(await get(client)) == MISSING


@pytest.mark.parametrize(("extra", "status"), [(0, 201), (1, 413)])
def test_the_body_that_brings_a_page_has_at_most_2_mib(extra: int, status: int):
    body = b'{"sessionId":"s","html":"<p>"}'
    body += b" " * (MAX_PAGE_BODY_BYTES + extra - len(body))
    assert run(make_client().call("PUT", API, body=body)).status == status


@pytest.mark.parametrize(("length", "status"), [(MAX_PAGE_BODY_BYTES, 201), (MAX_PAGE_BODY_BYTES + 1, 413)])
def test_a_body_that_is_declared_larger_is_not_read(length: int, status: int):
    assert run(put(make_client(), headers={"Content-Length": str(length)})).status == status


@pytest.mark.parametrize("title", ["x" * MAX_PAGE_TITLE_LENGTH, "😀" * MAX_PAGE_TITLE_LENGTH, "👩‍👩‍👧 \u2028"])
def test_a_title_is_any_line_of_text(title: str):
    assert run(put(make_client(), title=title)).json()["title"] == title


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"title": "x" * (MAX_PAGE_TITLE_LENGTH + 1)}, "invalid_body"),
        ({"title": "a\nb"}, "invalid_body"),
        ({"title": "\0"}, "invalid_body"),
        ({"title": "\x7f"}, "invalid_body"),
        ({"title": None}, "invalid_body"),
        ({"html": None}, "invalid_body"),
        ({"html": ["<p>"]}, "invalid_body"),
        ({"sessionId": None}, "invalid_body"),
        ({"sessionId": ""}, "invalid_id"),
        ({"sessionId": "a:b"}, "invalid_id"),
        ({"sessionId": "x" * 65}, "invalid_id"),
        ({"markup": ""}, "unknown_field"),
    ],
)
async def test_a_bad_body_is_refused(fields: dict[str, Any], code: str):
    reply = await put(make_client(), **fields)
    assert (outcome(reply), operations(reply)) == ((400, code), "0 operations")


def test_a_page_has_html_and_a_session():
    for body in ({}, {"html": ""}, {"sessionId": "s"}):
        assert outcome(run(make_client().call("PUT", API, body))) == (400, "invalid_body")


async def test_an_empty_page_is_a_page():
    client = make_client()
    assert (await put(client, html="")).status == 201
    assert (await get(client, SHOWN)).body == b""


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/pages/a%3Ab", "invalid_id"),
        ("GET", "/api/pages/a%2Fb", "invalid_id"),
        ("GET", f"/api/pages/{'x' * 65}", "invalid_id"),
        ("GET", "/api/pages/hut?sessionId=a:b", "invalid_id"),
        ("GET", "/api/sessions/a%3Ab/pages", "invalid_id"),
        ("DELETE", "/api/pages/hut?sessionId=a:b", "invalid_id"),
        ("DELETE", "/api/pages/hut?sessionId=", "invalid_parameter"),
        ("DELETE", "/api/pages/hut", "invalid_parameter"),
    ],
)
async def test_bad_ids_are_refused_before_anything_is_asked(method: str, path: str, code: str):
    reply = await get(make_client(), path, method)
    assert (outcome(reply), operations(reply)) == ((400, code), "0 operations")


@pytest.mark.parametrize(("method", "path"), [("POST", API), ("PUT", SHOWN), ("DELETE", SHOWN)])
def test_pages_take_no_other_methods(method: str, path: str):
    assert outcome(run(get(make_client(), path, method))) == (405, "method_not_allowed")


async def test_head_tells_the_headers_without_the_page():
    client = make_client()
    await put(client)
    reply = await get(client, SHOWN, "HEAD")
    assert (reply.status, reply.body) == (200, b"")
    assert "sandbox" in reply.headers["Content-Security-Policy"]


async def test_what_each_route_of_pages_costs_in_kv_operations():
    client = make_client()
    replies = [await put(client), await put(client), await get(client), await get(client, SHOWN)]
    replies.append(await get(client, f"/api/sessions/{SECRET}/pages"))
    replies.append(await get(client, f"{API}?sessionId={SECRET}", "DELETE"))
    assert [int(operations(reply).split()[0]) for reply in replies] == [4, 3, 2, 2, 1, 3]
