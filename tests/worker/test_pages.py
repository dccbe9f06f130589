"""Pages over HTTP: stored, shown as they are, confined by their headers, and without a way to learn whose they are."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.http_api import Api

LIMIT = 1024 * 1024

PAGES = {
    "plain": "<!doctype html><p>Hello",
    "empty": "",
    "a byte order mark first": "\ufeff<p>",
    "line ends": "a\nb\r\nc\rd\u2028e\u0085",
    "control characters": "\0\x01\x1b\x7f",
    "every length of UTF-8": "aé€😀\U0010ffff\ufffe",
    "what looks like its head": '{"etag":"x"}\n<p>',
    "the most there may be": "x" * LIMIT,
    "the most in UTF-8": "€" * (LIMIT // 3) + "x",
    "the most, of braces and quotes": '{"[' * (LIMIT // 3) + "]",
}


class Page:
    """A page that no other test has, and its session."""

    def __init__(self, api: Api) -> None:
        self.http = api.http
        self.session_id = str(uuid4())
        self.id = str(uuid4())
        self.path = f"/api/pages/{self.id}"

    def put(self, html: str = "<p>", headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        body = {"html": html, "sessionId": self.session_id} | fields
        content = json.dumps(body, ensure_ascii=False).encode()
        return self.http.put(self.path, content=content, headers={"Content-Type": "application/json"} | (headers or {}))

    def shown(self, **headers: str) -> httpx.Response:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.get(f"/pages/{self.id}", headers=fields)

    def delete(self, session_id: str) -> httpx.Response:
        return self.http.delete(self.path, params={"sessionId": session_id})


@pytest.fixture
def page(api: Api) -> Page:
    return Page(api)


def problem(reply: httpx.Response) -> tuple[int, Any]:
    return reply.status_code, reply.json()["code"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_shown_byte_for_byte(name: str, page: Page) -> None:
    html = PAGES[name]
    stored = page.put(html)
    assert (stored.status_code, stored.json()["size"]) == (201, len(html.encode()))
    reply = page.shown()
    assert (reply.status_code, reply.content) == (200, html.encode())
    assert page.http.get(page.path).json()["html"] == html


def test_a_page_over_its_limit_is_refused_and_never_shown(page: Page) -> None:
    assert problem(page.put("x" * (LIMIT + 1))) == (413, "body_too_large")
    assert problem(page.put("x" * 2 * LIMIT)) == (413, "body_too_large")
    assert problem(page.shown()) == (404, "page_not_found")


def test_a_page_is_shown_with_the_headers_that_confine_it(page: Page) -> None:
    page.put()
    headers = page.shown().headers
    policy = [part.strip() for part in headers["content-security-policy"].split(";")]
    assert policy[0] == "sandbox allow-scripts allow-forms allow-modals allow-popups"
    assert {"default-src 'none'", "connect-src 'none'", "form-action 'none'", "frame-ancestors 'self'"} <= set(policy)
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "private, no-cache"
    assert not {"set-cookie", "access-control-allow-origin"} & set(headers)


def test_a_page_is_asked_for_again_and_sent_only_if_it_changed(page: Page) -> None:
    etag = page.put().headers["etag"]
    assert page.shown().headers["etag"] == etag
    unchanged = page.shown(If_None_Match=etag)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert "sandbox" in unchanged.headers["content-security-policy"]
    page.put("<b>", {"If-Match": etag})
    assert page.shown(If_None_Match=etag).content == b"<b>"
    assert problem(page.put("<i>", {"If-Match": etag})) == (412, "precondition_failed")


def test_only_its_session_may_change_a_page_and_nobody_learns_which_that_is(page: Page) -> None:
    page.put()
    refused = [page.put("<b>", sessionId="another"), page.delete("another")]
    assert [problem(reply) for reply in refused] == [(403, "wrong_session")] * 2
    shown = [page.shown(), page.http.get(page.path), page.http.get(page.path, params={"sessionId": "another"})]
    for reply in refused + shown:
        assert page.session_id not in f"{reply.text} {reply.headers}"
    known = page.http.get(page.path, params={"sessionId": page.session_id}).json()
    assert known["sessionId"] == page.session_id
    assert page.delete(page.session_id).status_code == 204
    assert problem(page.shown()) == (404, "page_not_found")


@pytest.mark.parametrize("character", ["x", "😀", '"', "\\", "\u2028"])
def test_the_longest_title_is_stored_and_listed(character: str, page: Page) -> None:
    stored = page.put("x" * LIMIT, title=character * 200).json()
    url = stored.pop("url")
    assert (url, stored["title"]) == (f"/pages/{page.id}", character * 200)
    assert page.http.get(f"/api/sessions/{page.session_id}/pages").json() == {"pages": [stored], "count": 1}
