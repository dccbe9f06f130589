"""Paths, queries, conditions and settings: any text is read, or refused with an error of our own."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from simulation.client import LowerHeaders, no_background
from tests.support.fuzzing.almost import almost_text
from waypost_worker.app import ROUTES
from waypost_worker.documents.etag import etag_of, parse_conditions
from waypost_worker.errors import (
    InvalidHeader,
    InvalidParameter,
    MethodNotAllowed,
    PreconditionFailed,
    RouteNotFound,
)
from waypost_worker.http.cross_origin import is_from_known_origin
from waypost_worker.http.messages import Request
from waypost_worker.http.origins import fault_of, is_allowed_host, is_allowed_origin, is_origin
from waypost_worker.http.query import required_parameter, seconds_parameter
from waypost_worker.http.routing import Router
from waypost_worker.limits import MAX_WAIT_SECONDS
from waypost_worker.settings import Settings, read_settings

ROUTER = Router(ROUTES)
PATHS = [route.template.replace("{", "").replace("}", "") for route in ROUTES]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", "", "G\0"]


async def no_body(_limit: int) -> bytes | None:
    return b""


def request(method: str = "GET", path: str = "/", query: str = "", **headers: str) -> Request:
    fields = LowerHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    return Request(method, path, query, fields, no_body, no_background)


@given(st.sampled_from(METHODS), almost_text(PATHS))
@example("GET", "//")
@example("GET", "/api/sessions/%ff")
@example("GET", "/api/sessions/%")
def test_a_path_goes_to_a_route_that_fits_it_or_to_none(method: str, path: str):
    try:
        route, params = ROUTER.find(method, path)
    except (RouteNotFound, InvalidParameter, MethodNotAllowed):
        return
    assert route.method == ("GET" if method == "HEAD" else method)
    assert all(params.values())
    parts = zip(route.template.split("/"), path.split("/"), strict=True)
    assert all(fixed == part or fixed.startswith("{") for fixed, part in parts)


@given(almost_text(["code=K7Q2M9XA&after=&wait=1.5", "a=1&a=2", "metadata.n=%C3%BC", "%ff=1", "wait=60.0001"]))
@example("wait=" + "1" * 5000)
def test_a_query_is_read_or_refused(text: str):
    try:
        query = request(query=text).query()
        seconds = seconds_parameter(query, "wait")
        required_parameter(query, "code")
    except InvalidParameter:
        return
    assert 0 <= seconds <= MAX_WAIT_SECONDS


TAGS = ['"a"', 'W/"a"', "*", '"a", "b"', etag_of(""), '"a",,W/"b" ,', '""']


@given(st.none() | almost_text(TAGS), st.none() | almost_text(TAGS), st.sampled_from(['"a"', '"b"', None]))
def test_conditions_are_read_or_refused_and_hold_or_do_not(match: str | None, none: str | None, etag: str | None):
    fields: Mapping[str, str | None] = {"if-match": match, "if-none-match": none}
    try:
        conditions = parse_conditions(fields.get)
    except InvalidHeader:
        return
    try:
        conditions.check_write(etag)
        if etag is not None:
            conditions.is_known(etag)
    except PreconditionFailed:
        assert match is not None or none is not None


ORIGINS = ["https://app.example", "http://localhost:8787", "null", "http://[::1]:1", "http://[", "//x", "https://a@b"]


@given(
    almost_text(ORIGINS), almost_text(["app.example", "localhost:8787", "[::1]:1"]), st.sampled_from(["", "same-site"])
)
def test_an_origin_is_known_or_refused(origin: str, host: str, site: str):
    more = {"sec_fetch_site": site} if site else {}
    if is_from_known_origin(request("POST", origin=origin, host=host, **more), frozenset({"https://app.example"})):
        assert origin == "https://app.example" or host in origin


PATTERNS = [
    "https://*.app.example",
    "http://localhost:*",
    "moz-extension://*",
    "https://[::1]:*",
    "null",
    "*",
    "a://b:1",
]


@given(almost_text(PATTERNS), almost_text(["https://a.app.example", "http://localhost:1", "moz-extension://a", "null"]))
def test_an_entry_is_refused_with_a_reason_or_allows_origins_that_browsers_send(entry: str, origin: str):
    if fault_of(entry) is None:
        assert not is_allowed_origin(origin, frozenset({entry})) or is_origin(origin)
        is_allowed_host(origin, frozenset({entry}))


@given(
    almost_text(
        ["https://a.app.example", "https://app.example", "https://a.app.example:443", "https://a.b.app.example"]
    )
)
def test_what_fits_a_pattern_is_a_name_below_it(origin: str):
    if is_allowed_origin(origin, frozenset({"https://*.app.example"})):
        assert urlsplit(origin).scheme == "https"
        assert (urlsplit(origin).hostname or "").endswith(".app.example")
        assert urlsplit(origin).netloc == origin.removeprefix("https://")


NAMES = [
    "SIGNING_KEY", "SIGNING_KEY_PREVIOUS", "PLAN", "SESSION_TTL_SECONDS", "QUEUE_TTL_SECONDS", "REQUIRE_TOKEN",
    "CODE_LENGTH", "ALLOWED_ORIGINS", "DIAGNOSTICS", "CONVERSATION_TTL_SECONDS", "HISTORY_LIMIT", "APP_KEYS",
    "MODEL_PROVIDER", "OPENAI_BASE_URL", "OPENAI_MODEL", "OPENAI_API_KEY", "WORKERS_AI_MODEL", "INSTRUCTIONS",
    "AGENTS", "MODEL_TIMEOUT_SECONDS",
]  # fmt: skip
VALUES = almost_text([
    "k" * 32, "free", "paid", "60", "86400", "on", "once", "off", "https://app.example http://[::1]:80", "12", "10",
    "an-app-key-of-16 another-app-key-x", "openai", "workers-ai", "https://api.openai.com/v1", "gpt", "@cf/x",
    '{"poet": {"instructions": "verse", "model": "m"}}', "\u0663\u0663\u0663", "[" * 2000, "9" * 5000,
])  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=len(NAMES)), st.booleans())
@example({"SIGNING_KEY": "k" * 32, "AGENTS": '{"a":' * 2000}, False)
@example({"SIGNING_KEY": "k" * 32, "AGENTS": "[" * 200_000}, False)
@example({"SIGNING_KEY": "\ud800" * 32}, False)
def test_settings_are_read_or_their_problem_is_told_without_what_was_set(env: dict[str, str], has_ai: bool):
    settings = read_settings(env, has_ai=has_ai)
    assert isinstance(settings, Settings)
    if settings.problem:
        secrets = (env.get(name, "") for name in ("SIGNING_KEY", "APP_KEYS", "OPENAI_API_KEY"))
        assert not any(len(secret) > 16 and secret in settings.problem for secret in secrets)
    else:
        assert settings.signing_keys
