"""Conversations over HTTP, in workerd: messages come back as they were sent, with any number of concurrent writers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.http_api import Api
from tests.support.payloads import FIXED, JSON_VALUES, exact
from tests.support.talk import Talk
from tools.local.harness.worker import LocalWorker

AT_ONCE = 12
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def talk(api: Api) -> Talk:
    return Talk(api)


def check_it_travels(talk: Talk, content: Any) -> None:
    """Add `content`, take it along in both formats, and bring it back."""
    call = {"role": "assistant", "content": content, "toolCalls": [{"id": "t", "name": "n", "args": content}]}
    reply = talk.add(call, {"role": "tool", "content": {"result": content}, "toolCallId": "t"})
    assert reply.status_code == 201, reply.text
    said, result = talk.export().json()["messages"]
    expected = exact(content)
    assert (exact(said["content"]), exact(said["toolCalls"][0]["args"])) == (expected, expected)
    assert exact(result["content"]["result"]) == expected
    for format, headers in (("json", {"Content-Type": "application/json"}), ("jsonl", NDJSON)):
        exported = talk.export(format).content
        assert talk.bring(exported, headers).status_code == 200
        assert talk.export(format).content == exported
    assert talk.export("markdown").content.startswith(b"# Conversation\n")


@pytest.mark.parametrize("name", FIXED)
def test_a_payload_comes_back_as_it_was_sent(name: str, talk: Talk) -> None:
    payload = FIXED[name]
    # Three times in one body.
    check_it_travels(talk, payload[: len(payload) // 4] if "200 KiB" in name else payload)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(content=JSON_VALUES.filter(lambda value: value is not None))
@pytest.mark.verify
def test_any_payload_comes_back_as_it_was_sent(content: Any, worker: LocalWorker) -> None:
    with Api(worker.url) as api:
        check_it_travels(Talk(api), content)


def test_a_message_that_is_sent_twice_is_there_once(talk: Talk) -> None:
    for _ in range(2):
        assert talk.say("hello", id="a").json()["ids"] == ["a"]
    assert talk.contents() == ["hello"]


def test_what_is_added_at_the_same_time_is_all_there(talk: Talk) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        replies = list(threads.map(talk.say, map(str, range(10))))
    assert [reply.status_code for reply in replies] == [201] * 10
    assert sorted(talk.contents(), key=int) == [str(number) for number in range(10)]


def test_of_many_that_are_added_at_the_same_time_as_many_are_there_as_are_kept(talk: Talk) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        ids = [reply.json()["ids"][0] for reply in threads.map(talk.say, range(5 * AT_ONCE))]
    shown = [message["id"] for message in talk.export().json()["messages"]]
    assert shown == sorted(ids)[-10:]


def test_the_last_ten_are_kept_and_reading_stays_cheap(talk: Talk) -> None:
    for number in range(25):
        assert talk.say(number).status_code == 201
    assert talk.contents() == list(range(15, 25))
    assert '2 operations"' in talk.export().headers["Server-Timing"]


def test_a_conversation_is_taken_along_as_a_file(talk: Talk) -> None:
    talk.say("hello", id="a")
    timestamp = talk.export().json()["messages"][0]["timestamp"]
    lines, text = talk.export("jsonl"), talk.export("markdown")
    assert lines.headers["Content-Type"] == "application/x-ndjson"
    assert lines.headers["Content-Disposition"] == 'attachment; filename="conversation.jsonl"'
    assert json.loads(lines.content) == {"id": "a", "role": "user", "content": "hello", "timestamp": timestamp}
    assert text.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert text.headers["Content-Disposition"] == 'attachment; filename="conversation.md"'
    assert text.text == f"# Conversation\n\n## User, {timestamp}\n\n> hello\n"
    head = talk.api.http.head(talk.path, params={"format": "markdown"})
    assert (head.status_code, head.content, head.headers["Content-Type"]) == (200, b"", text.headers["Content-Type"])


def test_what_is_deleted_is_gone_and_can_be_said_again(talk: Talk) -> None:
    talk.say("hello", id="a")
    for _ in range(2):
        assert talk.api.call("DELETE", talk.path).status_code == 204
        assert talk.contents() == []
    talk.say("again", id="a")
    assert talk.contents() == ["again"]
