"""Functions without `async`, clients in the wrong place: what needs a real event loop, and real threads."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import Coroutine
from typing import Any

import httpx2
import pytest

from simulation.client import make_client
from tests.support.python_client import URL, python_client
from waypost import AsyncWaypost, Call, Closed, ConfigError, Host, Question, Retry, ToolError, TransportError, Waypost

WHO = contextvars.ContextVar("WHO", default="nobody")


def finished(story: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(story, 60)

    asyncio.run(bounded())


def test_functions_without_async_run_in_threads_with_the_context_of_their_host() -> None:
    async def story() -> None:
        waypost, _ = python_client(make_client())
        session = await waypost.open_session()
        host = Host()
        together = threading.Barrier(2, timeout=30)

        @host.tool
        def meet(call: Call) -> str:
            call.progress({"progress": 1})
            together.wait()
            return f"{WHO.get()} {threading.current_thread() is threading.main_thread()}"

        @host.tool
        def leave() -> None:
            sys.exit("gone")

        @host.tool
        def stop() -> None:
            raise StopIteration

        WHO.set("Ada")
        async with host.running(session):
            guest = await waypost.join(session.code)
            # Both are at work at the same time, or the barrier breaks.
            assert await asyncio.gather(guest.call("meet"), guest.call("meet")) == ["Ada False"] * 2
            with pytest.raises(ToolError, match="gone"):
                await guest.call("leave")
            with pytest.raises(ToolError, match="StopIteration"):
                await guest.call("stop")

    finished(story())


def test_a_function_in_a_thread_sees_that_its_call_was_taken_back() -> None:
    async def story() -> None:
        waypost, _ = python_client(make_client())
        session = await waypost.open_session()
        host = Host()
        begun, seen = threading.Event(), threading.Event()

        @host.tool
        def work(call: Call) -> None:
            begun.set()
            while not call.cancelled:
                threading.Event().wait(0.01)
            seen.set()

        async with host.running(session):
            guest = await waypost.join(session.code)
            caller = asyncio.ensure_future(guest.call("work"))
            assert await asyncio.to_thread(begun.wait, 30)
            caller.cancel()
            assert await asyncio.to_thread(seen.wait, 30)

    finished(story())


def test_an_approver_without_async_is_asked_one_question_at_a_time() -> None:
    async def story() -> None:
        waypost, _ = python_client(make_client())
        session = await waypost.open_session()
        busy = threading.Lock()

        def approve(question: Question) -> bool:
            assert busy.acquire(blocking=False)
            threading.Event().wait(0.01)
            busy.release()
            return question.args["n"] != 2

        host = Host(approve=approve)

        @host.tool
        def square(n: int) -> int:
            return n * n

        async with host.running(session):
            guest = await waypost.join(session.code)
            calls = [guest.call("square", {"n": n}) for n in range(4)]
            results = await asyncio.gather(*calls, return_exceptions=True)
        assert results[:2] == [0, 1]
        assert results[3] == 9
        assert isinstance(results[2], ToolError)

    finished(story())


def test_a_client_in_another_event_loop_is_told_where_to_make_one() -> None:
    waypost = AsyncWaypost(URL, http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(healthy)))

    async def once() -> None:
        await waypost.health()

    asyncio.run(once())
    with pytest.raises(ConfigError, match="Make a client in each loop") as caught:
        asyncio.run(once())
    assert caught.value.code == "wrong_loop"


def healthy(_request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, json={"status": "ok", "storage": "memory", "version": "1", "limits": {}})


def test_a_closed_client_says_so() -> None:
    async def story() -> None:
        async with AsyncWaypost(URL) as waypost:
            pass
        await waypost.aclose()
        with pytest.raises(Closed):
            await waypost.health()

    finished(story())
    with Waypost(URL) as waypost:
        pass
    waypost.close()
    with pytest.raises(Closed):
        waypost.health()


def test_a_client_that_was_given_stays_open() -> None:
    with httpx2.Client(transport=httpx2.MockTransport(healthy)) as http:
        with Waypost(URL, http_client=http) as waypost:
            assert waypost.health().status == "ok"
        assert not http.is_closed


def test_a_server_that_is_not_there_is_named() -> None:
    unreachable = pytest.raises(TransportError, match="http://127.0.0.1:1 can't be reached")
    with Waypost("http://127.0.0.1:1", retry=Retry(max_elapsed=0)) as waypost, unreachable as caught:
        waypost.health()
    assert caught.value.never_sent


def test_ctrl_c_takes_a_call_back() -> None:
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.path)
        if request.url.path == "/api/request":
            raise KeyboardInterrupt
        return httpx2.Response(202, json={})

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as http:
        guest = Waypost(URL, http_client=http).guest("K7Q2M9XA")
        with pytest.raises(KeyboardInterrupt):
            guest.call("add", id="call-1")
    assert seen == ["/api/request", "/api/request/call-1/cancel"]
