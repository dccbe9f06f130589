"""Which browsers' requests are taken: those of this origin's pages, and of the origins that were named."""

import pytest

from simulation.client import LowerHeaders, no_background
from waypost_worker.errors import HostNotAllowed
from waypost_worker.http.cross_origin import is_from_known_origin, require_own_host
from waypost_worker.http.messages import Request

HOST = "waypost.example"
ALLOWED = frozenset({"https://app.example"})


def request_with(fields: dict[str, str], scheme: str = "https") -> Request:
    async def read_body(_limit: int) -> bytes:
        return b""

    headers = LowerHeaders({"Host": HOST} | fields)
    return Request("POST", "/api/sessions", "", headers, read_body, no_background, scheme=scheme)


def is_refused(fields: dict[str, str], allowed: frozenset[str] = ALLOWED) -> bool:
    return not is_from_known_origin(request_with(fields), allowed)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": f"https://{HOST}"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://app.example"},
        {"Origin": f"https://{HOST}"},
        {"Origin": "http://192.168.0.2:8787", "Host": "192.168.0.2:8787"},
        {"Origin": "http://[::1]:8787", "Host": "[::1]:8787"},
        {"Origin": "http://localhost:8787", "Host": "localhost:8787"},
        {"Origin": "http://waypost:8787", "Host": "waypost:8787"},
        {"Origin": "http://desk.local:8787", "Host": "desk.local:8787"},
    ],
)
def test_programs_and_pages_that_may_are_let_through(fields: dict[str, str]):
    assert not is_refused(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": ""},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        # The browser's word counts more than a name that happens to fit.
        {"Origin": f"https://{HOST}", "Sec-Fetch-Site": "cross-site"},
        {"Origin": f"https://{HOST}", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "nonsense"},
        {"Sec-Fetch-Site": "none", "Sec-Purpose": "prefetch"},
        {"Sec-Fetch-Site": "none", "Sec-Purpose": "prefetch;prerender"},
        {"Origin": f"https://{HOST}.evil.example"},
        {"Origin": f"https://evil.{HOST}"},
        {"Origin": f"https://{HOST}:8443"},
        {"Origin": "https://app.example.evil.example"},
        {"Origin": "https://app.example/"},
        {"Origin": "https://app.example:443"},
        {"Origin": "http://app.example"},
        {"Origin": "HTTPS://APP.EXAMPLE"},
        {"Origin": "https://[::1"},
        {"Origin": "null", "Host": ""},
        # A name that was made to point at this machine.
        {"Origin": f"http://{HOST}"},
        {"Origin": "http://evil.example:8787", "Host": "evil.example:8787"},
        {"Origin": "http://local.evil.example", "Host": "local.evil.example"},
    ],
)
def test_all_other_pages_are_refused(fields: dict[str, str]):
    assert is_refused(fields)


def test_a_request_without_a_host_is_of_no_origin():
    assert is_refused({"Origin": "null", "Host": ""}, frozenset())


@pytest.mark.parametrize(
    ("scheme", "fields"),
    [
        ("https", {"Host": "waypost.example"}),
        ("http", {"Host": "localhost:8787"}),
        ("http", {"Host": "app.localhost"}),
        ("http", {"Host": "127.0.0.1:8787"}),
        ("http", {"Host": "192.168.0.2"}),
        ("http", {"Host": "[::1]:8787"}),
        ("http", {"Host": "[fe80::1]"}),
        ("http", {"Host": "desk:8787"}),
        ("http", {"Host": "desk.local:8787"}),
        ("http", {"Host": ""}),
        # A host that was named, under any port.
        ("http", {"Host": "app.example:8787"}),
        # A browser behind a tunnel that ends TLS: neither field can be set by a page, nor is sent over plain HTTP.
        ("http", {"Host": "made-up.tunnel.example", "Sec-Fetch-Site": "same-origin"}),
        ("http", {"Host": "made-up.tunnel.example", "Origin": "https://made-up.tunnel.example"}),
    ],
)
def test_a_name_that_is_ours_or_near_is_accepted(scheme: str, fields: dict[str, str]):
    require_own_host(request_with(fields, scheme), ALLOWED)


@pytest.mark.parametrize(
    "fields",
    [
        {"Host": "rebind.example:8806"},
        {"Host": "rebind.example", "Origin": "http://rebind.example"},
        {"Host": "127.0.0.1.rebind.example"},
        {"Host": "localhost.rebind.example"},
        {"Host": "local.rebind.example"},
        {"Host": "127.1"},
        {"Host": "[rebind.example"},
        {"Host": "evil.app.example"},
        # A page can set these.
        {"Host": "rebind.example", "X-Forwarded-Proto": "https", "CF-Visitor": '{"scheme":"https"}'},
    ],
)
def test_a_name_that_anybody_may_have_made_is_refused_over_plain_http(fields: dict[str, str]):
    with pytest.raises(HostNotAllowed, match="ALLOWED_ORIGINS"):
        require_own_host(request_with(fields, "http"), ALLOWED)


@pytest.mark.parametrize(
    ("allowed", "host", "is_ours"),
    [
        ("https://*.app.example", "a.app.example", True),
        ("https://*.app.example", "a.b.app.example:8787", True),
        ("https://*.app.example:8443", "a.app.example", True),
        ("https://*.app.example", "app.example", False),
        ("https://*.app.example", "evil-app.example", False),
        ("https://*.app.example", "a.app.example.evil.example", False),
        ("https://app.example:*", "app.example:1", True),
        ("https://app.example:*", "a.app.example", False),
        ("*", "rebind.example", True),
        ("null", "rebind.example", False),
        ("null", "null.example", False),
        ("moz-extension://*", "rebind.example", False),
    ],
)
def test_the_hosts_of_a_pattern_are_accepted_over_plain_http(allowed: str, host: str, is_ours: bool):
    request = request_with({"Host": host}, "http")
    if is_ours:
        require_own_host(request, frozenset({allowed}))
        return
    with pytest.raises(HostNotAllowed):
        require_own_host(request, frozenset({allowed}))


@pytest.mark.parametrize("allowed", ["*", "null", "https://*.evil.example"])
def test_no_pattern_lets_a_page_load_images_or_prefetch(allowed: str):
    # Such a request has no `Origin`, and its page could not read the reply: only the effect would be left.
    for fields in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Purpose": "prefetch", "Origin": "https://a.evil.example"}):
        assert is_refused(fields, frozenset({allowed}))
