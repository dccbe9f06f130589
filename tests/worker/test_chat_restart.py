"""`kill -9` in the middle of answers: their text is in KV but for the last second, so each thread goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.support.chat_client import ENDLESS, Chat, first_answer, next_answer
from tests.support.http_api import Api
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker

UNHEARD = "long " + " ".join(f"word{number}" for number in range(300))
"""Its answer takes nine seconds and more. Where nothing of that is kept, it comes again with the next question."""


@pytest.fixture(scope="module")
def mortal() -> Iterator[LocalWorker]:
    """A Worker that is killed."""
    with LocalWorker() as worker:
        yield worker


def test_answers_that_a_kill_cut_off_are_kept_as_partial_and_their_threads_go_on(mortal: LocalWorker) -> None:
    with Api(mortal.url) as api, ThreadPoolExecutor(4) as threads:
        user = f"user-{uuid4()}"
        whole, late, early, new = chats = [Chat(api, resource_id=user) for _ in range(4)]
        whole.ask("hello").whole()
        early_stream = early.ask(ENDLESS)
        asked = [late.ask(ENDLESS).heard("word200"), early_stream.heard("word120"), new.ask(UNHEARD)]
        new_session = asked[2].head()["session_id"]
        listed = sessions(api, user)

        mortal.kill()
        for stream in asked:
            stream.wait_over()
            assert "done" not in [event.name for event in stream.events]
        mortal.restart()

        # Nothing of the isolate is left; all of this is read from KV.
        assert sessions(api, user) == listed
        assert new.session()["sessionId"] == new_session
        assert whole.said() == [("user", "hello"), ("assistant", first_answer("hello"))]
        for chat, stream, least in [(late, asked[0], "word40 "), (early, asked[1], "word5 ")]:
            question, answer = chat.history()
            assert (question["role"], question["content"]) == ("user", ENDLESS)
            assert (answer["role"], answer["partial"], answer["id"]) == (
                "assistant",
                True,
                stream.head()["generationId"],
            )
            assert least in answer["content"]
            assert stream.text.startswith(answer["content"][: len(stream.text)])
        assert new.history()[0]["content"] == UNHEARD

        # Each way to go on: interrupt immediately, wait until it counts as abandoned, fork.
        fork = Chat(api, resource_id=user)
        for going_on in [
            threads.submit(go_on_at_once, late),
            threads.submit(go_on_when_possible, early),
            threads.submit(go_on_when_possible, new),
            threads.submit(go_on_in_a_fork, fork, whole),
        ]:
            going_on.result()

        for chat in (late, early):
            roles = [(message["role"], message.get("partial", False)) for message in chat.history()]
            assert roles == [("user", False), ("assistant", True), ("user", False), ("assistant", False)]
        assert [message["role"] for message in new.history()][-2:] == ["user", "assistant"]
        # A reader that resumes gets the stored rest of the text, and the end.
        again = late.follow(last_event_id=asked[0].last_id)
        again.wait_over()
        assert (again.end()["finishReason"], again.end()["partial"]) == ("stopped", True)
        assert {chat["threadId"] for chat in sessions(api, user)} == {chat.thread_id for chat in [*chats, fork]}


def go_on_at_once(chat: Chat) -> None:
    assert chat.ask("go on", interrupt=True).whole().startswith('You said: "go on". Before that')


def go_on_in_a_fork(fork: Chat, parent: Chat) -> None:
    answer = fork.post("/api/chat/fork", {"message": "go on", "forkFromThreadId": parent.thread_id, **fork.name})
    assert answer.whole() == next_answer("go on", "hello")


def go_on_when_possible(chat: Chat) -> None:
    """Asks again after each refusal, as a client would."""
    answer = eventually(lambda: None if (reply := chat.ask("go on")).status == 409 else reply)
    # A question that nothing of an answer was kept of is shown to the model together with the next one.
    assert re.match(r'You said: "(.*\n\n)?go on"\.', answer.whole(), re.DOTALL)


def sessions(api: Api, resource_id: str) -> list[dict[str, str]]:
    reply = api.call("GET", "/api/sessions", params={"resourceId": resource_id})
    listed: list[dict[str, str]] = reply.json()["sessions"]
    return listed
