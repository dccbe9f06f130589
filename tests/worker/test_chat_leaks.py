"""A Worker whose chats are for apps with a key. A chat releases everything that it holds, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.support.chat_client import ENDLESS, UI_TYPE, AnswerStream, Chat, first_answer
from tests.support.http_api import Api
from tests.support.sse_client import LONGEST_SECONDS
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker

KEY, OTHER_KEY = "the-key-of-one-app", "the-key-of-another-app"
CHATS = 30
WARM_UP = 6
AT_ONCE = 10
STREAMS_PER_CHAT = 2
GARBAGE_PER_REQUEST = 12
"""The SDK's entrypoint instance, its wrapper of `env`, two bound methods, and what Python found out about their
signatures: JavaScript holds them until V8 collects its garbage, which it does after some thousand requests."""
GARBAGE_PER_DROP = 6
"""A stream cancelled while it sleeps leaves its timer until then."""
OWN_PER_CHAT = 2
"""An isolate remembers the threads that it has written, and when it last checked their conversations."""
SLACK = 200
"""For caches of the interpreter."""
NOTICED_SECONDS = 60
"""Four heartbeats: how long it may take until the last stream is noticed to be gone."""


@pytest.fixture(scope="module")
def counted() -> Iterator[LocalWorker]:
    """A Worker that reports its live objects, and whose threads are for apps."""
    with LocalWorker(DIAGNOSTICS="on", APP_KEYS=f"{KEY} {OTHER_KEY}") as worker:
        yield worker


@pytest.fixture
def api(counted: LocalWorker) -> Iterator[Api]:
    with Api(counted.url) as caller:
        yield caller


@pytest.mark.parametrize(("key", "code"), [(None, "token_required"), ("some-other-key-here", "invalid_token")])
def test_who_shows_no_app_key_may_neither_ask_nor_listen_nor_stop(key: str | None, code: str, api: Api) -> None:
    insider = Chat(api, key=KEY)
    answer = insider.ask(ENDLESS).heard("word3")
    outsider = Chat(api, insider.thread_id, insider.resource_id, key)
    fork = {"forkFromThreadId": insider.thread_id, "threadId": "mine", "resourceId": insider.resource_id}
    assert outsider.ask("hello").problem == (401, code)
    assert outsider.ask("hello", accept=UI_TYPE, interrupt=True).problem == (401, code)
    assert outsider.follow().problem == (401, code)
    assert outsider.post("/api/chat/fork", fork).problem == (401, code)
    stop = api.call("POST", insider.path("stop"), {"resourceId": insider.resource_id}, key)
    assert (stop.status_code, stop.json()["code"]) == (401, code)
    assert not answer.is_over
    assert Chat(api, insider.thread_id, insider.resource_id, OTHER_KEY).follow().status == 200
    assert insider.stop()["stopped"]


def test_thirty_chats_leave_nothing_behind_however_they_end(api: Api) -> None:
    run_chats(api, WARM_UP)
    before, requests = counts_at_rest(api), api.requests
    run_chats(api, CHATS)
    after = counts_at_rest(api)
    for name in ("openStreams", "openProxies", "asyncGenerators", "coroutines"):
        assert after[name] == before[name], f"{name}: {before} became {after}"
    assert after["own"] - before["own"] <= CHATS * OWN_PER_CHAT, f"{before} became {after}"
    requests = api.requests - requests + CHATS * STREAMS_PER_CHAT
    allowed = requests * GARBAGE_PER_REQUEST + CHATS * GARBAGE_PER_DROP + SLACK
    assert after["objects"] - before["objects"] <= allowed, f"{before} became {after}"


def test_no_chat_was_an_error_to_the_runtime(counted: LocalWorker) -> None:
    log = counted.log_text()
    for complaint in (
        "hung",
        "Cannot perform I/O",
        "Traceback",
        "Uncaught",
        "never retrieved",
        "never awaited",
        "broke",
    ):
        assert complaint not in log


def run_chats(api: Api, number: int) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda index: WAYS[index % len(WAYS)](Chat(api, key=KEY)), range(number)))


def hear_it_all(chat: Chat) -> None:
    assert chat.ask("hello").whole() == first_answer("hello")


def leave_before_the_first_word(chat: Chat) -> None:
    body = {"message": "hello", **chat.name}
    headers = {"Authorization": f"Bearer {KEY}"}
    with suppress(httpx.ReadTimeout):
        chat.api.http.post("/api/chat", json=body, headers=headers, timeout=httpx.Timeout(LONGEST_SECONDS, read=0.02))


def leave_in_the_middle(chat: Chat) -> None:
    chat.ask("hello").heard("first").close()


def leave_and_come_back_and_leave(chat: Chat) -> None:
    asked = chat.ask("hello there", accept=UI_TYPE).heard("You said")
    asked.close()
    readers: list[AnswerStream] = [chat.follow(), chat.follow(format="ui")]
    for reader in readers:
        if reader.status == 200:
            reader.heard("You")
        reader.close()


def stop_in_the_middle(chat: Chat) -> None:
    asked = chat.ask(ENDLESS).heard("word3")
    chat.stop()
    asked.wait_over()


def interrupt_and_be_refused(chat: Chat) -> None:
    chat.ask(ENDLESS).heard("word3")
    assert chat.ask("no").status == 409
    chat.ask("hello", interrupt=True).wait_over()


WAYS = (
    hear_it_all,
    leave_before_the_first_word,
    leave_in_the_middle,
    leave_and_come_back_and_leave,
    stop_in_the_middle,
    interrupt_and_be_refused,
)


def counts_at_rest(api: Api) -> Any:
    """The reply of `/debug/objects` once no stream is open any more and two looks in a row see the same coroutines."""

    def look() -> Any:
        first, second = api.http.get("/debug/objects").json(), api.http.get("/debug/objects").json()
        is_quiet = second["openProxies"] == second["asyncGenerators"] == 0
        return second if is_quiet and first["coroutines"] == second["coroutines"] else None

    return eventually(look, NOTICED_SECONDS)
