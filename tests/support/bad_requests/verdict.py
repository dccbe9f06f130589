"""What every refusal is: a complete problem document that gives nothing away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.support.bad_requests.table import Case

SECRETS = ("HOST", "GUEST", "OTHERS_HOST", "TAMPERED", "PROMOTED", "FORGED", "EXPIRED")
INSIDE = ("Traceback", ".py", "msgspec", "pyodide", "JsException")


class Headers(Protocol):
    """Header fields by their name."""

    def __getitem__(self, name: str, /) -> Any: ...


@dataclass
class Answer:
    """A whole reply."""

    status: int
    headers: Headers
    body: bytes


def check_problem(answer: Answer, values: Mapping[str, str], key: str) -> dict[str, Any]:
    """Returns the problem document of a refusal, which is complete and shows neither a secret nor the code."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.body[:500]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "operations" in answer.headers["Server-Timing"]
    problem: dict[str, Any] = json.loads(answer.body)
    more = {"tools"} if problem["code"] == "invalid_tool" else set()
    assert set(problem) == {"type", "title", "status", "detail", "code"} | more
    assert all(isinstance(problem[name], str) and problem[name] for name in ("type", "title", "detail", "code"))
    assert problem["status"] == answer.status
    assert len(problem["detail"].split()) >= 4, "a sentence"
    assert len(problem["detail"]) < 300
    text = answer.body.decode()
    for name in SECRETS:
        assert values[name].rpartition(".")[2] not in text
    for trace in (*INSIDE, key):
        assert trace not in text
    return problem


def check_refusal(case: Case, answer: Answer, values: Mapping[str, str], key: str) -> None:
    """Holds the refusal of `case` against what the table says."""
    problem = check_problem(answer, values, key)
    assert (answer.status, problem["code"]) == (case.status, case.code), problem
    if case.status == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
