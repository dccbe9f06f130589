"""Holds replies against the OpenAPI document: what it does not say must not be answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from tools.openapi import PATH
from tools.openapi.example_runner import read_events
from waypost_worker.errors import HostNotAllowed, MethodNotAllowed, RouteNotFound, WaypostError
from waypost_worker.http.routing import Route, Router, canonical_path

OPEN = {"Tool"}
"""Components that are the caller's own: they may have any other field."""


class NotDocumented(AssertionError):
    """A reply that the document does not know."""


class Conformance:
    """Checks replies; schemas are closed here, so that a field that is not documented is found."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._components = _closed(document["components"])
        paths = document["paths"].items()
        self._router = Router(
            Route(method.upper(), path, operation, ())
            for path, methods in paths
            for method, operation in methods.items()
        )
        # By the schema's identity: all of them live as long as this object.
        self._validators: dict[int, jsonschema_rs.Validator] = {}
        self._document = document

    def check(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Pass if the document says that `method` on `path` may be answered so.

        Raises:
            NotDocumented
        """
        try:
            route, _ = self._router.find(method, canonical_path(path))
        except (RouteNotFound, MethodNotAllowed) as refusal:
            self._check_refusal(refusal, method, status, body)
            return
        except WaypostError:
            return
        operation = route.handler
        where = f"{method} {route.template}: {status}"
        if str(status) not in operation["responses"]:
            raise NotDocumented(f"{where} is not in the document: {body[:300]!r}")
        response = self._resolved(operation["responses"][str(status)])
        fields = {name.lower(): value for name, value in headers.items()}
        self._check_headers(where, response, fields)
        if method != "HEAD":
            self._check_body(where, response, fields.get("content-type", "").partition(";")[0], body)

    def errors(self, schema: Any, value: Any) -> list[str]:
        """What is wrong with `value` by `schema`, one of the document's."""
        key = id(schema)
        if key not in self._validators:
            whole = {"allOf": [schema], "components": self._components}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return [f"{error.message} at {error.instance_path}" for error in self._validators[key].iter_errors(value)]

    def _check_refusal(self, refusal: WaypostError, method: str, status: int, body: bytes) -> None:
        if method in ("HEAD", "OPTIONS") or not body:
            return
        code = json.loads(body).get("code")
        # The name that a request comes under is looked at before its path.
        if code not in (refusal.code, HostNotAllowed.code):
            raise NotDocumented(f"expected {refusal.code}, not {status} {code}")

    def _check_headers(self, where: str, response: Mapping[str, Any], fields: Mapping[str, str]) -> None:
        for name, reference in response.get("headers", {}).items():
            header = self._resolved(reference)
            value: Any = fields.get(name.lower())
            if value is None:
                if header.get("required"):
                    raise NotDocumented(f"{where} has no {name}")
                continue
            if header["schema"].get("type") == "integer":
                value = int(value)
            if wrong := self.errors(header["schema"], value):
                raise NotDocumented(f"{where} has another {name}: {wrong}")

    def _check_body(self, where: str, response: Mapping[str, Any], media_type: str, body: bytes) -> None:
        content = response.get("content", {})
        if not content:
            if body:
                raise NotDocumented(f"{where} has a body: {body[:300]!r}")
            return
        if media_type not in content:
            raise NotDocumented(f"{where} is {media_type}, not {list(content)}")
        for schema, value in _values(self._resolved(content[media_type]["schema"]), media_type, body.decode()):
            if wrong := self.errors(schema, value):
                raise NotDocumented(f"{where}: {wrong} in {str(value)[:300]}")

    def _resolved(self, value: Any) -> Any:
        while "$ref" in value:
            _, _, kind, name = value["$ref"].split("/")
            value = self._components[kind][name]
        return value


def _values(schema: Any, media_type: str, text: str) -> list[tuple[Any, Any]]:
    """What is to be checked, by which schema."""
    if media_type == "text/event-stream":
        found = [
            (schema, event | ({"retry": int(event["retry"])} if "retry" in event else {}))
            for event in read_events(text)
        ]
        for branch in schema["anyOf"]:
            properties = branch["properties"]
            data = properties["data"].get("contentSchema")
            found += [
                (data, json.loads(event["data"]))
                for event in read_events(text)
                if data is not None and event.get("event") == properties["event"]["const"]
            ]
        return found
    if media_type == "application/x-ndjson":
        return [(schema, [json.loads(line) for line in text.split("\n") if line])]
    return [(schema, json.loads(text) if media_type.endswith("json") else text)]


def _closed(components: dict[str, Any]) -> dict[str, Any]:
    schemas = {
        name: schema if name in OPEN or "properties" not in schema else {"additionalProperties": False, **schema}
        for name, schema in components["schemas"].items()
    }
    return {**components, "schemas": schemas}


@cache
def documented() -> Conformance:
    """The document that is served."""
    return Conformance(json.loads(PATH.read_text()))
