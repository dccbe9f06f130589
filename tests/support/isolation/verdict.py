"""The calls of the table, and whether a reply is what the table says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote_plus

from tests.support.isolation.calls import Sent, make_call
from tests.support.isolation.slots import CURSORS, LEFT_OUT, slot_rows
from tests.support.isolation.table import OUTCOMES, access_rows
from tests.support.isolation.world import NOBODY, Answered, World

TEXTS = ("request_event", "request_cursor", "answer_event", "answer_cursor", "list_cursor", "event", "generation")
"""Everything that one comes back with somewhere."""

FITTING = {"host": ("request_event", "request_cursor"), "guest": ("answer_event", "answer_cursor"), "key": TEXTS[4:5]}
"""Which of one's own a reader may come back with."""


@dataclass(frozen=True)
class Case:
    """One call, what is to come of it, and a name for it."""

    name: str
    sent: Sent
    outcome: str

    @property
    def is_refused(self) -> bool:
        """Whether it is answered with a problem, and does nothing."""
        return self.outcome in OUTCOMES


def access_cases(route: str, own: World, other: World, *, once: bool = False) -> Iterator[Case]:
    """The row of `route` in the table of who may call what."""
    for column, outcome in access_rows(once=once)[route].items():
        if outcome == "-":
            continue
        bearer_of, name = (other, column.removesuffix("'")) if column.endswith("'") else (own, column)
        bearer = bearer_of.bearer(name)
        caller = NOBODY if column == "nobody" else with_taken(own, name)
        yield Case(f"{column}: {route}", make_call(route, caller.ids, bearer), outcome)


def slot_cases(route: str, own: World, other: World) -> Iterator[Case]:
    """The rows of `route` in the table of slots."""
    for row_route, caller, slot, value, outcome in slot_rows():
        if row_route != route:
            continue
        for text in _values(caller, value, own, other):
            sent = make_call(route, with_taken(own, caller).ids, own.bearer(caller), slot, text)
            yield Case(f"{caller}: {route} with {slot} = {text}", sent, outcome)


def with_taken(own: World, caller: str) -> World:
    """`own`, where what was taken is what this caller may say that it took."""
    return replace(own, ids={**own.ids, "taken": own.ids[FITTING["host" if caller == "host" else "guest"][0]]})


def check_reply(case: Case, answered: Answered, own: World, other: World) -> None:
    """Pass if the reply is the one that the table has, and holds nothing of the other world.

    Raises:
        AssertionError
    """
    if case.is_refused:
        found = (answered.status, _code(answered) if answered.status >= 400 and answered.body else None)
        if found != OUTCOMES[case.outcome]:
            raise AssertionError(f"{case.name}: {found}, not {case.outcome}")
    elif not 200 <= answered.status < 300:
        raise AssertionError(f"{case.name}: {answered.status} {answered.body[:300]!r}, not {case.outcome}")
    told = f"{answered.headers} {answered.body.decode(errors='replace')}"
    # The reply to a write may repeat what was sent; the reply to a read may not.
    is_reading = case.sent.method == "GET"
    known = "" if is_reading else unquote_plus(f"{case.sent.url} {case.sent.headers}") + case.sent.body.decode()
    hidden = [*other.marks, own.mark] if case.outcome == "nothing" else other.marks
    shown = [mark for mark in hidden if mark in told and mark not in known]
    if shown:
        raise AssertionError(f"{case.name}: the reply shows {shown}: {told[:1000]}")


def _code(answered: Answered) -> str | None:
    """The problem's code; MCP has it inside of an error of its own."""
    told = json.loads(answered.body)
    code: str | None = (told.get("error", told).get("data") or told).get("code")
    return code


def _values(caller: str, value: str, own: World, other: World) -> Sequence[str | None]:
    if value == LEFT_OUT:
        return [None]
    if value != CURSORS:
        return [other.tokens[value] if value in other.tokens else other.ids[value]]
    return [other.ids[name] for name in TEXTS] + [own.ids[name] for name in TEXTS if name not in FITTING[caller]]
