"""Bad requests, each with the status and the code that it is refused with."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import Any

LIMIT = 256 * 1024
"""The largest body of most routes, in bytes."""
UNKNOWN = "ZZZZZZZZ"
MEDIA_TYPE = "unsupported_media_type"
TOO_LARGE = "header_too_large"
HOST = "$HOST"


@dataclass
class Case:
    """One bad request. `$NAME` in path, body and token stands for a value of the level that it is sent on."""

    name: str
    status: int
    code: str
    method: str
    path: str
    body: Any = None
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    is_http_only: bool = False
    """What it shows is done before a request reaches the application."""

    def __str__(self) -> str:
        return self.name


def raw(text: bytes | str) -> bytes:
    """A body that is sent as it is."""
    return text.encode() if isinstance(text, str) else text


def post(name: str, status: int, code: str, path: str, body: Any, token: str = "", **headers: str) -> Case:
    """A bad POST; `Content_Type=` is the field Content-Type."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Case(name, status, code, "POST", path, body, token, named)


def get(name: str, status: int, code: str, path: str, token: str = "", **headers: str) -> Case:
    """A bad GET."""
    return Case(name, status, code, "GET", path, None, token, {k.replace("_", "-"): v for k, v in headers.items()})


def request(name: str, status: int, code: str, /, **fields: Any) -> Case:
    """A bad body of `POST /api/request`; a field that is `None` is left out."""
    body = {"code": "$CODE", "tool": "echo", "args": {}} | fields
    return post(name, status, code, "/api/request", {key: value for key, value in body.items() if value is not None})


def response(name: str, status: int, code: str, /, token: str = HOST, **fields: Any) -> Case:
    """A bad `POST /api/response`."""
    return post(name, status, code, "/api/response", {"code": "$CODE", "id": "a"} | fields, token)


def tools(name: str, tools_: Any, status: int = 400, code: str = "invalid_tool", token: str = HOST) -> Case:
    """A bad `PUT …/tools`."""
    return Case(name, status, code, "PUT", "/api/sessions/$CODE/tools", {"tools": tools_}, token)


def ack(name: str, status: int, code: str, cursors: Any, token: str = HOST) -> Case:
    """A bad `POST /api/ack`."""
    return post(name, status, code, "/api/ack", {"code": "$CODE", "cursors": cursors}, token)


def wait(value: str) -> Case:
    """A bad `?wait=`."""
    return get(f"poll with wait={value}", 400, "invalid_parameter", f"/api/poll?code=$CODE&wait={value}")


def bad_code(code: str) -> Case:
    """A path in which no session code can be read."""
    return get(f"code {code[:30]} ({len(code)})", 400, "invalid_code", f"/api/sessions/{code}")


def bad_json(name: str, body: bytes | str, code: str = "invalid_json") -> Case:
    """A body of `POST /api/sessions` that cannot be read."""
    return post(f"body {name}", 400, code, "/api/sessions", raw(body))


def bad_request_json(name: str, body: bytes | str, code: str = "invalid_json") -> Case:
    """A body of `POST /api/request` that cannot be read."""
    return post(f"request {name}", 400, code, "/api/request", raw(body))


def name_twice(method: str, path: str, body: bytes, content_type: str = "application/json") -> Case:
    """A body in which a name is there twice."""
    headers = {"Content-Type": content_type}
    name = f"name twice in {body[:28].decode()}… of {method} {path} as {content_type}"
    return Case(name, 400, "invalid_json", method, path, body, "", headers)


def bad_id(name: str, value: Any) -> Case:
    """An id that a client may not choose."""
    return request(f"id {name}", 400, "invalid_id", id=value)


UI_BODY = b'{"id":"t","own":{"a":1,"a":2},"messages":[{"id":"m","role":"user","parts":[{"type":"text","text":"Hi"}]}]}'
"""What the AI SDK sends, with a name twice in a field that is its own."""

NAMES_TWICE = [
    name_twice("PUT", "/api/sessions/s/theme", b'{"a":1,"a":2}'),
    name_twice("PUT", "/api/sessions/s/documents/d", b'[[{"a":{"b":1,"b":2}}]]'),
    name_twice("PUT", "/api/pages/p", b'{"html":"","html":"x","sessionId":"s"}'),
    name_twice("PUT", "/api/conversations/c", b'{"messages":[{"role":"user","content":{"a":1,"a":2}}]}'),
    name_twice("PUT", "/api/conversations/c", b'{"role":"user","role":"user","content":1}', "application/x-ndjson"),
    name_twice("POST", "/api/chat", b'{"message":"a","message":"b","threadId":"t"}'),
    name_twice("POST", "/api/chat", UI_BODY),
    name_twice("POST", "/api/chat", UI_BODY.replace(b'"own":{"a":1,"a":2}', b'"id":"u"')),
    name_twice("POST", "/api/chat", UI_BODY.replace(b'"own":{"a":1,"a":2}', b'"messages":[]')),
    name_twice(
        "POST", "/api/chat", UI_BODY.replace(b'"own":{"a":1,"a":2}', b'"own":1').replace(b'"m"', b'"m","id":"n"')
    ),
]
"""Each kind of body, with a name twice in one of its objects."""

CASES = [
    # The body as bytes
    bad_json("that is no JSON", "ceci n'est pas du JSON"),
    bad_json("cut off", '{"label":"x'),
    bad_json("with a second document", "{}{}"),
    bad_json("with a comma too many", '{"label":"x",}'),
    bad_json("with a comment", '{/* */"label":"x"}'),
    bad_json("in single quotes", "{'label':'x'}"),
    bad_json("of white space", "  \n"),
    bad_json("of NUL", "\0"),
    bad_json("with NaN", '{"data":NaN}'),
    bad_json("with Infinity", '{"data":-Infinity}'),
    bad_json("with a number past all bounds", '{"data":1e999}', "invalid_body"),
    bad_json("with a leading zero", '{"data":007}'),
    bad_json("with a raw line break in a string", '{"label":"a\nb"}'),
    bad_json("with a bad escape", r'{"label":"\x41"}'),
    bad_json("with a byte order mark", b"\xef\xbb\xbf{}"),
    bad_json("in Latin-1", '{"label":"Köln"}'.encode("latin-1"), "invalid_encoding"),
    bad_json("in UTF-16", '{"label":"x"}'.encode("utf-16"), "invalid_encoding"),
    bad_json("with an overlong encoding", b'{"label":"\xc0\xaf"}', "invalid_encoding"),
    bad_json("with an encoded surrogate", b'{"label":"\xed\xa0\x80"}', "invalid_encoding"),
    bad_json("nested 129 deep", '{"data":' + "[" * 128 + "]" * 128 + "}"),
    bad_json("nested 5,000 deep", '{"data":' + "[" * 5_000 + "]" * 5_000 + "}"),
    bad_json("nested 120,000 deep", '{"data":' + "[" * 120_000 + "]" * 120_000 + "}"),
    bad_json("of 200,000 opening brackets", "[" * 200_000),
    bad_json("of 50,000 opening objects", '{"data":' + '{"a":' * 50_000),
    bad_json("with a name twice", '{"label":"x","label":"y"}'),
    bad_json("with a name twice, spelt differently", r'{"data":{"a":1,"\u0061":2}}'),
    bad_json("that is an array", "[]", "invalid_body"),
    bad_json("that is a string", '"x"', "invalid_body"),
    bad_json("that is null", "null", "invalid_body"),
    bad_json("with a name twice, one of them spelt differently", r'{"label":"a","l\u0061bel":"b"}'),
    bad_request_json("that is no JSON", "{"),
    bad_request_json("of white space", "  "),
    bad_request_json("with a byte order mark", b"\xef\xbb\xbf{}"),
    bad_request_json("in single quotes", "{'code':1}"),
    bad_request_json("with NaN", '{"code":"$CODE","tool":"t","args":{"n":NaN}}'),
    bad_request_json("with a name twice, further down", '{"code":"$CODE","tool":"t","args":{"a":[{"b":{},"b":1}]}}'),
    bad_request_json("with a lone surrogate for a code", r'{"code":"\ud800","tool":"t"}', "invalid_code"),
    bad_request_json("with a raw line break in a string", '{"code":"a\nb"}'),
    bad_request_json("with a number past all bounds", '{"code":"$CODE","tool":"t","args":{"n":1e999}}', "invalid_body"),
    bad_request_json("nested 129 deep", '{"args":{"a":' + "[" * 127 + "]" * 127 + "}}"),
    bad_request_json("in Latin-1", b'{"code":"\xe9"}', "invalid_encoding"),
    bad_request_json("in UTF-16", '{"code":1}'.encode("utf-16"), "invalid_encoding"),
    bad_request_json("with an encoded surrogate", b'{"code":"\xed\xa0\x80"}', "invalid_encoding"),
    bad_request_json("that is an array", "[]", "invalid_body"),
    bad_request_json("that is null", "null", "invalid_body"),
    bad_request_json("without a body", "", "invalid_body"),
    *NAMES_TWICE,
    post("body a byte too large", 413, "body_too_large", "/api/sessions", raw('{"data":"%s"}' % ("x" * (LIMIT - 10)))),
    post("body far too large", 413, "body_too_large", "/api/request", raw("x" * (4 * LIMIT))),
    # Its headers
    post("text/plain", 415, MEDIA_TYPE, "/api/sessions", raw("{}"), Content_Type="text/plain"),
    post("form", 415, MEDIA_TYPE, "/api/request", raw("a=b"), Content_Type="application/x-www-form-urlencoded"),
    post("no content type", 415, MEDIA_TYPE, "/api/sessions", raw("{}"), Content_Type=""),
    post("application/json5", 415, MEDIA_TYPE, "/api/sessions", raw("{}"), Content_Type="application/json5"),
    post("gzip", 415, MEDIA_TYPE, "/api/sessions", gzip.compress(b"{}"), Content_Encoding="gzip"),
    post("gzip bomb", 415, MEDIA_TYPE, "/api/sessions", gzip.compress(b" " * 10**7), Content_Encoding="gzip"),
    post("deflate", 415, MEDIA_TYPE, "/api/request", raw("x"), Content_Encoding="deflate"),
    post("br", 415, MEDIA_TYPE, "/api/request", raw("x"), Content_Encoding="br"),
    post("two content types", 415, MEDIA_TYPE, "/api/sessions", raw("{}"), Content_Type="application/json, text/plain"),
    post("two types", 415, MEDIA_TYPE, "/api/sessions", raw("{}"), Content_Type="text/plain, application/json"),
    post(
        "two content types, one with a charset",
        415,
        MEDIA_TYPE,
        "/api/sessions",
        raw("{}"),
        Content_Type="application/json; charset=utf-8, text/plain",
    ),
    # Its head
    get("path of 2,049 bytes", 414, "uri_too_long", "/api/sessions/" + "x" * 2035),
    get("path of 14,000 bytes", 414, "uri_too_long", "/api/sessions/" + "%41" * 4_662),
    get("path of 2,048 bytes", 400, "invalid_code", "/api/sessions/" + "x" * 2034),
    get("query of 4,097 bytes", 400, "invalid_parameter", "/api/poll?" + "x" * 4097),
    get("101 parameters", 400, "invalid_parameter", "/api/poll?" + "&".join(f"p{number}" for number in range(101))),
    get("query that is not UTF-8", 400, "invalid_parameter", "/api/sessions?resourceId=a%ED%A0%80"),
    get("token of 4,097 characters", 431, TOO_LARGE, "/api/stream?code=$CODE", Authorization="x" * 4097),
    get("cursor of 8,000 characters", 431, TOO_LARGE, "/api/stream?code=$CODE", "$HOST", Last_Event_ID="0" * 8000),
    get("tag of 4,097 characters", 431, TOO_LARGE, "/api/sessions/s-1/theme", If_Match="x" * 4097),
    # Fields
    post("unknown field", 400, "unknown_field", "/api/sessions", {"lable": "x"}),
    request("field in snake case", 400, "unknown_field", wait_seconds=3),
    request("misspelt field", 400, "unknown_field", tol="x"),
    post("field of another spelling", 400, "unknown_field", "/api/sessions", {"host_token": 1}),
    response("unknown field in an error", 400, "unknown_field", error={"code": "a", "message": "", "stack": "x"}),
    request("no code", 400, "invalid_body", code=None),
    request("a code that is a number", 400, "invalid_body", code=12345678),
    request("no tool", 400, "invalid_body", tool=None),
    request("neither tool nor args", 400, "invalid_body", tool=None, args=None),
    request("a tool that is a list", 400, "invalid_body", tool=["echo"]),
    request("args that are a list", 400, "invalid_body", args=[1, 2]),
    request("args that are a string", 400, "invalid_body", args="{}"),
    request("an id that is a number", 400, "invalid_body", id=1),
    request("empty tool name", 400, "invalid_body", tool=""),
    request("tool name with a space", 400, "invalid_body", tool="a b"),
    request("tool name with a colon", 400, "invalid_body", tool="a:b"),
    request("tool name of 129 characters", 400, "invalid_body", tool="t" * 129),
    request("tool name with a line break at its end", 400, "invalid_body", tool="echo\n"),
    post("ttl below a minute", 400, "invalid_body", "/api/sessions", {"ttl": 59}),
    post("ttl above a day", 400, "invalid_body", "/api/sessions", {"ttl": 86_401}),
    post("ttl that is a fraction", 400, "invalid_body", "/api/sessions", {"ttl": 60.5}),
    post("ttl that is a text", 400, "invalid_body", "/api/sessions", {"ttl": "600"}),
    post("ttl that is true", 400, "invalid_body", "/api/sessions", {"ttl": True}),
    post("negative ttl", 400, "invalid_body", "/api/sessions", {"ttl": -600}),
    post("huge ttl", 400, "invalid_body", "/api/sessions", {"ttl": 10**30}),
    post("label of 101 characters", 400, "invalid_body", "/api/sessions", {"label": "x" * 101}),
    post("label that is a number", 400, "invalid_body", "/api/sessions", {"label": 7}),
    request("seq without producer", 400, "invalid_body", seq=1),
    request("producer without seq", 400, "invalid_body", producer="p"),
    request("seq 0", 400, "invalid_body", producer="p", seq=0),
    request("seq that is a fraction", 400, "invalid_body", producer="p", seq=1.5),
    request("seq past what JavaScript counts", 400, "invalid_body", producer="p", seq=2**53),
    request("skip without seq", 400, "invalid_body", tool=None, args=None, skip=True),
    request("settled without producer", 400, "invalid_body", settled=1),
    request("settled beyond its own number", 400, "invalid_body", producer="p", seq=3, settled=3),
    request("skip with tool and args", 400, "invalid_body", producer="p", seq=1, skip=True),
    request("skip with a tool", 400, "invalid_body", args=None, producer="p", seq=1, skip=True),
    request("skip with args", 400, "invalid_body", tool=None, producer="p", seq=1, skip=True),
    response("neither result nor error", 400, "invalid_body"),
    response("result and error", 400, "invalid_body", result=1, error={"code": "a", "message": ""}),
    response("error that is a text", 400, "invalid_body", error="failed"),
    response("error without a message", 400, "invalid_body", error={"code": "a"}),
    response("error with an empty code", 400, "invalid_body", error={"code": "", "message": ""}),
    response("error with a code of 65 characters", 400, "invalid_body", error={"code": "c" * 65, "message": "m"}),
    response("error with a message of 4,097", 400, "invalid_body", error={"code": "c", "message": "m" * 4097}),
    post("answer to nothing", 400, "invalid_body", "/api/response", {"code": "$CODE", "result": 1}, HOST),
    response("final that is a text", 400, "invalid_body", result=1, final="no"),
    tools("129 tools", [{"name": f"t{number}"} for number in range(129)], 400, "invalid_body"),
    tools("two tools of one name", [{"name": "a"}, {"name": "b"}, {"name": "a"}]),
    tools("a tool without a name", [{"description": "x"}]),
    tools("an empty tool", [{}]),
    tools("a tool with a bad name", [{"name": "../a b"}]),
    tools("a tool whose name has a space", [{"name": "a b"}]),
    tools("a tool whose name is a number", [{"name": 1}]),
    tools("a tool that is a text", ["a"], 400, "invalid_body"),
    tools("a description that is a list", [{"name": "a", "description": ["x"]}]),
    tools("a description that is a number", [{"name": "a", "description": 7}]),
    tools("an inputSchema that is a text", [{"name": "a", "inputSchema": "{}"}]),
    tools("an inputSchema that is a list", [{"name": "a", "inputSchema": []}]),
    tools("tools that are an object", {"a": {}}, 400, "invalid_body"),
    tools("tools that are an empty object", {}, 400, "invalid_body"),
    tools("two tools of one mapped name", [{"name": "cart.add"}, {"name": "cart_add"}]),
    tools("a title that is a number", [{"name": "a", "title": 7}]),
    tools("a schema that is none", [{"name": "a", "inputSchema": {"type": "object", "properties": []}}]),
    tools("a reference that leads nowhere", [{"name": "a", "outputSchema": {"$ref": "#/$defs/a"}}]),
    tools("a pattern that is none", [{"name": "a", "outputSchema": {"pattern": "("}}]),
    # Codes, ids, cursors
    *map(bad_code, ["K7Q2M9X", "K7Q2M9XA" * 3, "K7Q2M9XU", "K7Q2:9XA", "..%2F..%2F..", "%00%00%00%00%00%00%00%00"]),
    *map(bad_code, ["%E2%80%AEK7Q2M9X", "K7Q2M9X%0A", "A" * 513, "%C4%B1" * 8]),
    *map(bad_code, ["--------", "K7Q2M9X%2A", "%F0%9F%98%80"]),
    Case("dots for a code", 404, "not_found", "GET", "/api/sessions/..", is_http_only=True),
    get("path that is not UTF-8", 400, "invalid_parameter", "/api/sessions/K7Q2M9X%ff"),
    request("code with a colon in a body", 400, "invalid_code", code="req:K7Q2"),
    request("code of 8 with a colon in a body", 400, "invalid_code", code="K7Q2:M9X"),
    request("empty code in a body", 400, "invalid_code", code=""),
    request("code of 100,000 dashes in a body", 400, "invalid_code", code="-" * 100_000),
    bad_id("empty", ""),
    bad_id("with a colon", "a:b"),
    bad_id("with a slash", "a/b"),
    bad_id("with NUL", "a\0"),
    bad_id("with a line break", "a\n"),
    bad_id("right to left", "\u202ea"),
    bad_id("of 65 characters", "a" * 65),
    bad_id("of 513 bytes", "a" * 513),
    bad_id("of full-width letters", "ａ"),
    request("producer with a space", 400, "invalid_id", producer="a b", seq=1),
    request("producer with a colon", 400, "invalid_id", producer="p:", seq=1),
    response("answer to a bad id", 400, "invalid_id", id="..:..", result=1),
    response("answer to a path for an id", 400, "invalid_id", id="../x", result=1),
    post("cancel of a bad id", 400, "invalid_id", "/api/request/a%3Ab/cancel", {"code": "$CODE"}),
    post("cancel without a code", 400, "invalid_body", "/api/request/mine/cancel", {}),
    ack("101 cursors", 400, "invalid_body", ["$REQUEST"] * 101),
    ack("no cursors", 400, "invalid_body", []),
    ack("cursors that are a text", 400, "invalid_body", "$REQUEST"),
    ack("a cursor that is none", 400, "invalid_cursor", ["a"]),
    ack("a cursor with a key in it", 400, "invalid_cursor", ["$REQUEST:x"]),
    ack("a cursor of another session", 400, "invalid_cursor", ["$OTHERS_REQUEST"]),
    ack("a cursor of the other queue", 400, "invalid_cursor", ["$REQUEST"], token="$GUEST"),
    ack("a good cursor and a bad one", 400, "invalid_cursor", ["$REQUEST", "*"]),
    get("stream after a bad cursor", 400, "invalid_cursor", "/api/stream?code=$CODE&after=1", "$HOST"),
    get("stream after a foreign cursor", 400, "invalid_cursor", "/api/stream?code=$CODE&after=$OTHERS_REQUEST", HOST),
    get("stream after the host's cursor as a guest", 400, "invalid_cursor", "/api/stream?code=$CODE&after=$REQUEST"),
    get("bad Last-Event-ID", 400, "invalid_cursor", "/api/stream?code=$CODE", "$HOST", Last_Event_ID="0"),
    get("poll after a bad cursor", 400, "invalid_cursor", "/api/poll?code=$CODE&after=%00", "$HOST"),
    # Query parameters
    *map(wait, ["-1", "60.001", "61", "nan", "inf", "1e1", "abc", ""]),
    *map(wait, ["1_0", "+1", "%D9%A1", "0x10", "1.2.3", "9" * 5000]),
    get("wait twice", 400, "invalid_parameter", "/api/poll?code=$CODE&wait=1&wait=2"),
    get("code twice", 400, "invalid_parameter", "/api/poll?code=$CODE&code=$OTHER_CODE"),
    post("request with wait=61", 400, "invalid_parameter", "/api/request?wait=61", {"code": "$CODE", "tool": "a"}),
    get("stream without a code", 400, "invalid_parameter", "/api/stream"),
    get("poll with an empty code", 400, "invalid_parameter", "/api/poll?code="),
    get("stream of an empty instance", 400, "invalid_parameter", "/api/stream?code=$CODE&instance=", "$HOST"),
    get("stream of a short instance", 400, "invalid_parameter", "/api/stream?code=$CODE&instance=1234567", "$HOST"),
    get("stream of no instance", 400, "invalid_parameter", "/api/stream?code=$CODE&instance=12345678%0A", "$HOST"),
    get(
        "stream of an instance that is still to come",
        400,
        "invalid_parameter",
        "/api/stream?code=$CODE&instance=12345678.999999999999999",
        "$HOST",
    ),
    post("goodbye of no instance", 400, "invalid_parameter", "/api/sessions/$CODE/leave", {"instance": "a:b"}, "$HOST"),
    post("goodbye as a guest", 403, "wrong_role", "/api/sessions/$CODE/leave", None, "$GUEST"),
    # Sessions that are not there
    get("unknown session", 404, "session_not_found", f"/api/sessions/{UNKNOWN}"),
    post("join of an unknown session", 404, "session_not_found", f"/api/sessions/{UNKNOWN}/join", None),
    request("request to an unknown session", 404, "session_not_found", code=UNKNOWN),
    get("stream of an unknown session", 404, "session_not_found", f"/api/stream?code={UNKNOWN}"),
    get("ended session", 410, "session_ended", "/api/sessions/$ENDED"),
    request("request to an ended session", 410, "session_ended", code="$ENDED"),
    get("stream of an ended session", 410, "session_ended", "/api/stream?code=$ENDED"),
    # Who may do what
    response("answer without a token", 401, "token_required", token="", result=1),
    tools("tools without a token", [], 401, "token_required", ""),
    Case("delete without a token", 401, "token_required", "DELETE", "/api/sessions/$CODE"),
    Case("delete with the token in the query", 401, "token_required", "DELETE", "/api/sessions/$CODE?token=$HOST"),
    response("answer as a guest", 403, "wrong_role", token="$GUEST", result=1),
    Case("delete as a guest", 403, "wrong_role", "DELETE", "/api/sessions/$CODE", None, "$GUEST"),
    tools("tools as a guest", [], 403, "wrong_role", "$GUEST"),
    post("extend as a guest", 403, "wrong_role", "/api/sessions/$CODE/extend", None, "$GUEST"),
    post("request as the host", 403, "wrong_role", "/api/request", {"code": "$CODE", "tool": "a"}, "$HOST"),
    response("answer with another session's token", 403, "wrong_session", token="$OTHERS_HOST", result=1),
    get("stream with another session's token", 403, "wrong_session", "/api/stream?code=$CODE", "$OTHERS_HOST"),
    response("answer with a changed token", 401, "invalid_token", token="$TAMPERED", result=1),
    response("answer with a guest's token made a host's", 401, "invalid_token", token="$PROMOTED", result=1),
    response("answer with a token of another key", 401, "invalid_token", token="$FORGED", result=1),
    response("answer with an expired token", 401, "token_expired", token="$EXPIRED", result=1),
    response("answer with nonsense for a token", 401, "invalid_token", token="nonsense", result=1),
    get("stream with a changed token in the query", 401, "invalid_token", "/api/stream?code=$CODE&token=$TAMPERED"),
    get("stream with an expired token in the query", 401, "token_expired", "/api/stream?code=$CODE&token=$EXPIRED"),
    # Paths and methods
    get("no such path", 404, "not_found", "/api/nope"),
    get("trailing slash", 404, "not_found", "/api/sessions/$CODE/"),
    get("diagnostics that are off", 404, "not_found", "/debug/objects"),
    Case("PATCH of a session", 405, "method_not_allowed", "PATCH", "/api/sessions/$CODE", {}),
    Case("PUT of all sessions", 405, "method_not_allowed", "PUT", "/api/sessions", {}),
    Case("a list of nobody's threads", 400, "invalid_parameter", "GET", "/api/sessions"),
    Case("PUT of health", 405, "method_not_allowed", "PUT", "/health", {}),
    Case("DELETE of a stream", 405, "method_not_allowed", "DELETE", "/api/stream?code=$CODE"),
    Case("a method nobody knows", 405, "method_not_allowed", "PROPFIND", "/api/poll"),
    Case("TRACE", 405, "method_not_allowed", "TRACE", "/api/poll"),
    Case("OPTIONS that is no preflight", 405, "method_not_allowed", "OPTIONS", "/api/poll"),
]  # fmt: skip
