"""Examples of the document, from the results of the example calls: by operation, by status, by parameter.

What belongs to one call has one name wherever it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tools.openapi.example_runner import ExampleResult, read_events, read_lines
from tools.openapi.grammars import Json
from tools.openapi.parts import EVENTS, NDJSON

SHOWN_EVENTS = 4
"""Events of a stream that are shown: the first ones and the last."""


class Examples:
    """The results of the example calls, by operation."""

    def __init__(self, results: Iterable[ExampleResult]) -> None:
        self._results: dict[str, list[ExampleResult]] = {}
        for one in results:
            self._results.setdefault(one.step.route, []).append(one)

    def of_parameter(self, route: str, name: str, where: str) -> Json:
        """The values that a parameter had in calls that went well."""
        found = {}
        for one in self._good(route):
            values = {"path": one.path, "query": one.query, "header": one.headers}[where]
            if name in values:
                found[_key(one)] = {"summary": one.step.title, "value": values[name]}
        return found

    def of_filters(self, route: str) -> Json:
        """The same for the parameter that stands for any number of them, each with a point in its name."""
        found = {}
        for one in self._good(route):
            if filters := {name: value for name, value in one.query.items() if "." in name}:
                found[_key(one)] = {"summary": one.step.title, "value": filters}
        return found

    def of_body(self, route: str, media_type: str) -> Json:
        """The bodies of calls that went well."""
        return {
            _key(one): {"summary": one.step.title, "value": read_lines(one.body) if media_type == NDJSON else one.body}
            for one in self._good(route)
            if one.body is not None and one.step.media_type == media_type
        }

    def of_reply(self, route: str, status: int, media_type: str) -> Json:
        """What was answered with this status in this media type."""
        found: Json = {}
        for one in self._results.get(route, []):
            answered = one.answered
            if answered.status == status and answered.media_type == media_type:
                for name, value in _values(one):
                    found[_key(one) + name] = {"summary": one.step.title, "value": value}
        return found

    def _good(self, route: str) -> Sequence[ExampleResult]:
        return [one for one in self._results.get(route, []) if one.answered.status < 400]


def _values(one: ExampleResult) -> list[tuple[str, Any]]:
    text = one.answered.body.decode()
    if one.answered.media_type == EVENTS:
        events = [_event(event) for event in read_events(text)]
        half = SHOWN_EVENTS // 2
        shown = events if len(events) <= SHOWN_EVENTS else events[:half] + events[-half:]
        return [(f"-{number}", event) for number, event in enumerate(shown, 1)]
    if one.answered.media_type == NDJSON:
        return [("", read_lines(text))]
    return [("", json.loads(text) if one.answered.media_type.endswith("json") else text)]


def _event(event: dict[str, str]) -> Json:
    return {**event, "retry": int(event["retry"])} if "retry" in event else dict(event)


def _key(one: ExampleResult) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in one.step.title.lower()).strip("-")
