"""The document is complete, true to the code, and what is served."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis

from tools.openapi.__main__ import main, texts
from tools.openapi.conformance import Conformance, NotDocumented
from tools.openapi.document import make_document
from tools.openapi.example_calls import EXAMPLE_CALLS
from tools.openapi.operations import ALL
from tools.openapi.problems import INTERNAL, OF_NO_ROUTE
from waypost_worker.app import ROUTES
from waypost_worker.http.messages import STATUS
from waypost_worker.http.security_headers import BROWSER_HEADERS

DOCUMENT = make_document()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
CONFORMANCE = Conformance(DOCUMENT)


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in `value`."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


def responses(operation: dict[str, Any]) -> dict[str, Any]:
    """An operation's responses, references followed."""
    shared = DOCUMENT["components"]["responses"]
    return {
        status: shared[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
        for status, response in operation["responses"].items()
    }


def test_what_is_served_is_what_is_made_from_the_code() -> None:
    for path, text in texts().items():
        assert path.read_text() == text, "run `npm run openapi`"
    assert main(["--check"]) == 0


def test_every_route_is_described_and_nothing_else_is() -> None:
    assert sorted(ALL) == sorted(f"{route.method} {route.template}" for route in ROUTES)
    assert sorted(OPERATIONS) == sorted(ALL)


def test_it_is_valid_by_the_schema_of_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(DOCUMENT).validate()


def test_operations_have_names_of_their_own_and_tags_that_are_described() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    assert {tag for operation in OPERATIONS.values() for tag in operation["tags"]} == {
        tag["name"] for tag in DOCUMENT["tags"]
    }
    assert all(operation["summary"].endswith(".") for operation in OPERATIONS.values())


def test_every_reference_and_every_link_leads_somewhere() -> None:
    names = {operation["operationId"] for operation in OPERATIONS.values()}
    for found in walk(DOCUMENT):
        if isinstance(found.get("$ref"), str):
            target: Any = DOCUMENT
            for part in found["$ref"].removeprefix("#/").split("/"):
                target = target[part]
        for link in found.get("links", {}).values() if "description" in found else ():
            assert link["operationId"] in names


def fields(schema: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of every object that `schema` describes, with its place. Examples are values, not schemas."""
    if isinstance(schema, list):
        for item in schema:
            yield from fields(item, place)
    if isinstance(schema, dict):
        for name, field in schema.get("properties", {}).items() if schema.get("type") == "object" else ():
            yield f"{place}.{name}", field
        for name, inner in schema.items():
            if name not in ("examples", "const", "enum", "default", "allOf", "not"):
                yield from fields(inner, f"{place}.{name}" if place == "" else place)


def test_every_field_of_every_schema_says_what_it_is() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []
    found = [pair for name, schema in schemas.items() for pair in fields(schema, name)]
    found += [pair for name, operation in OPERATIONS.items() for pair in fields(operation, name)]
    assert len(found) > 400
    # A docstring below the field in the service's source, or a line in tools/openapi/refinements.py.
    assert [place for place, field in found if not field.get("description")] == []


def test_every_operation_parameter_and_header_says_what_it_is() -> None:
    assert [name for name, operation in OPERATIONS.items() if not operation.get("description")] == []
    parameters = [
        (f"{name}: {parameter['name']}", parameter.get("description") or parameter["schema"].get("description"))
        for name, operation in OPERATIONS.items()
        for parameter in operation.get("parameters", ())
    ]
    assert len(parameters) > 50
    assert [place for place, text in parameters if not text] == []
    assert [name for name, header in DOCUMENT["components"]["headers"].items() if not header.get("description")] == []


def test_a_field_is_described_by_the_docstring_below_it_and_by_its_grammar() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["Session"]["properties"]["createdAt"]["description"] == "When it was opened."
    # The docstring of a base.
    assert schemas["Opened"]["properties"]["createdAt"]["description"] == "When it was opened."
    thread = schemas["ThreadBody"]["properties"]["threadId"]["description"]
    assert thread.startswith("The thread's id. An id that an app chooses: 1 to ")


def test_every_problem_code_belongs_to_an_operation_and_stands_under_its_status() -> None:
    used: dict[str, set[int]] = {}
    for operation in OPERATIONS.values():
        for status, response in responses(operation).items():
            schema = response.get("content", {}).get("application/problem+json", {}).get("schema")
            for code in schema["allOf"][1]["properties"]["code"]["enum"] if schema else ():
                used.setdefault(code, set()).add(int(status))
    expected = {code: {status} for code, status in STATUS.items() if code not in OF_NO_ROUTE}
    assert used == {**expected, INTERNAL: {500}}


@pytest.mark.parametrize("route", ALL)
def test_every_operation_is_shown_by_an_example(route: str) -> None:
    assert route in {step.route for step in EXAMPLE_CALLS}


@pytest.mark.parametrize("route", OPERATIONS)
def test_every_example_is_of_its_own_schema(route: str) -> None:
    operation = OPERATIONS[route]
    bodies = operation.get("requestBody", {}).get("content", {})
    replies = [
        content for response in responses(operation).values() for content in response.get("content", {}).values()
    ]
    for holder in [*operation.get("parameters", []), *bodies.values(), *replies]:
        for name, example in holder.get("examples", {}).items():
            assert CONFORMANCE.errors(holder["schema"], example["value"]) == [], name


GOOD = {"X-Request-Id": "1", "Server-Timing": 'kv;desc="1 operations";dur=0', **BROWSER_HEADERS}
PAGES = "/api/sessions/s-1/pages"
NONE = b'{"pages":[],"count":0}'


def test_a_reply_that_the_document_knows_passes() -> None:
    CONFORMANCE.check("GET", PAGES, 200, {"Content-Type": "application/json", **GOOD}, NONE)
    CONFORMANCE.check("HEAD", PAGES, 200, {"Content-Type": "application/json", **GOOD}, b"")


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (201, {}, NONE),
        (200, {"Content-Type": "text/plain"}, NONE),
        (200, {"Server-Timing": "none"}, NONE),
        (200, {}, b'{"pages":[]}'),
        (200, {}, b'{"pages":[],"count":0,"more":1}'),
        (200, {}, b'{"pages":[{"intentId":"a:b"}],"count":1}'),
        (404, {"Content-Type": "application/problem+json"}, NONE),
    ],
)
def test_a_reply_that_the_document_does_not_know_is_noticed(status: int, headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(NotDocumented):
        CONFORMANCE.check("GET", PAGES, status, {"Content-Type": "application/json", **GOOD, **headers}, body)


def test_a_reply_without_a_header_that_is_promised_is_noticed() -> None:
    with pytest.raises(NotDocumented, match="X-Request-Id"):
        CONFORMANCE.check("GET", PAGES, 200, {"Content-Type": "application/json"}, NONE)


def test_a_problem_of_another_route_is_noticed() -> None:
    problem = b'{"type":"about:blank","title":"t","status":400,"detail":"d","code":"invalid_code"}'
    headers = {"Content-Type": "application/problem+json", **GOOD}
    with pytest.raises(NotDocumented, match="invalid_code"):
        CONFORMANCE.check("GET", PAGES, 400, headers, problem)
    CONFORMANCE.check("GET", "/api/sessions/K7Q2M9XA", 400, headers, problem)


def test_bodies_are_closed_but_where_apps_add_fields() -> None:
    bodies = {name: schema for name, schema in DOCUMENT["components"]["schemas"].items() if name.endswith("Body")}
    open_ = {name for name, schema in bodies.items() if schema.get("additionalProperties") is not False}
    # The AI SDK's, and what a reply says of an answer's error.
    assert open_ == {"UiBody", "ErrorBody"}


def test_nothing_of_the_service_s_inside_is_told() -> None:
    shown = json.dumps(DOCUMENT)
    assert not re.search(r"msgspec|waypost\.|Traceback|__", shown)
