"""A voice agent over HTTP, in workerd, with echo: the client sends a question and an id, and is remembered."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.chat_client import conversation, first_answer, next_answer
from tests.support.http_api import Api
from tests.support.steady_host import SteadyHost
from tests.support.waiting import eventually

PATH = "/api/voice-agent/chat"


class Caller:
    """A caller of the voice agent, in a conversation that no other test has."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.session_id = str(uuid4())

    def ask(self, question: Any, **fields: Any) -> httpx.Response:
        return self.api.call("POST", PATH, {"question": question, "sessionId": self.session_id, **fields})

    def said(self) -> list[tuple[str, str]]:
        return [(message["role"], message["content"]) for message in conversation(self.api, self.session_id)]


@pytest.fixture
def caller(api: Api) -> Caller:
    return Caller(api)


def test_a_second_question_is_answered_by_one_who_remembers_the_first(caller: Caller) -> None:
    first, second = caller.ask("one"), caller.ask("two")
    assert (first.status_code, first.json()) == (
        200,
        {"response": first_answer("one"), "sessionId": caller.session_id, "messageCount": 2},
    )
    assert second.json() == {
        "response": next_answer("two", "one"),
        "sessionId": caller.session_id,
        "messageCount": 4,
    }
    assert caller.said() == [
        ("user", "one"),
        ("assistant", first_answer("one")),
        ("user", "two"),
        ("assistant", next_answer("two", "one")),
    ]


def test_another_conversation_knows_nothing_of_it(caller: Caller, api: Api) -> None:
    caller.ask("one")
    assert Caller(api).ask("two").json()["response"] == first_answer("two")


@pytest.mark.parametrize("body", [{"question": "hello"}, {"question": "hello", "sessionId": ""}, {"sessionId": None}])
def test_who_sends_no_session_id_is_told_so(body: Any, api: Api) -> None:
    reply = api.call("POST", PATH, body)
    problem = reply.json()
    assert (reply.status_code, problem["code"], problem["detail"]) == (
        400,
        "session_id_required",
        "Session ID required",
    )
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"question": ""}, "invalid_body"),
        ({"question": " \t\n\0 "}, "invalid_body"),
        ({"question": "x" * 4001}, "invalid_body"),
        ({"question": ["hello"]}, "invalid_body"),
        ({"question": "hello", "sessionId": "no id!"}, "invalid_id"),
        ({"question": "hello", "sessionId": "x" * 65}, "invalid_id"),
        ({"question": "hello", "history": []}, "unknown_field"),
    ],
)
def test_a_question_that_can_not_be_answered_is_refused(fields: Any, code: str, caller: Caller) -> None:
    reply = caller.ask(**fields) if "sessionId" not in fields else caller.api.call("POST", PATH, fields)
    assert (reply.status_code, reply.json()["code"]) == (400, code)
    assert caller.said() == []


def test_a_question_is_heard_without_what_nobody_can_say(caller: Caller) -> None:
    reply = caller.ask(" \n what\tis\0 \x1b[31m 東京?\x7f \r\n")
    assert reply.json()["response"] == first_answer("what is [31m 東京?")
    assert caller.said()[0] == ("user", "what is [31m 東京?")


def test_two_questions_at_once_are_both_answered_and_both_kept(caller: Caller) -> None:
    caller.ask("zero")
    with ThreadPoolExecutor(2) as threads:
        replies = list(threads.map(caller.ask, ["one", "two"]))
    assert [reply.json()["response"] for reply in replies] == [next_answer("one", "zero"), next_answer("two", "zero")]
    said = caller.said()[2:]
    pairs = {(said[0], said[1]), (said[2], said[3])}
    assert pairs == {(("user", question), ("assistant", next_answer(question, "zero"))) for question in ("one", "two")}


def test_a_caller_that_hangs_up_finds_question_and_answer_in_its_history(caller: Caller) -> None:
    question = "hello " * 25 + "there"
    body = json.dumps({"question": question, "sessionId": caller.session_id}).encode()
    with pytest.raises(httpx.ReadTimeout):
        caller.api.http.post(
            PATH, content=body, headers={"Content-Type": "application/json"}, timeout=httpx.Timeout(60, read=0.5)
        )
    eventually(lambda: caller.said() == [("user", question), ("assistant", first_answer(question))])


@pytest.mark.verify
def test_a_tool_of_a_tab_is_used_and_one_that_never_returns_is_given_up(caller: Caller) -> None:
    session = caller.api.open_session()
    session.put_tools(*({"name": name, "inputSchema": {"type": "object"}} for name in ("note", "never")))
    is_over = Event()

    def run(request: dict[str, Any]) -> Any:
        return is_over.wait(60) if request["tool"] == "never" else {"noted": request["args"]["text"]}

    with SteadyHost(session, run):
        try:
            noted = caller.ask('/note {"text": "Milk"}', session={"code": session.code}).json()
            reply = caller.ask("/never", session={"code": session.code})
        finally:
            is_over.set()
    assert noted["response"].startswith("I call note. ")
    assert reply.status_code == 200, reply.text
    assert reply.json()["response"].startswith("I call never. ")
    answer = conversation(caller.api, caller.session_id)[-1]
    assert answer["content"] == reply.json()["response"]
    call, result = answer["toolEvents"]
    assert (call["name"], result["isError"]) == ("never", True)
    # `stopped`: where the machine is so slow that all the time was over.
    assert result["value"]["code"] in ("timed_out", "stopped")
