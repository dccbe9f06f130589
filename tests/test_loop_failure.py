"""A failure of the event loop itself is recognised, and nothing that code or input can cause is taken for one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from unittest import mock

import pytest

from waypost_worker.loop_failure import NOT_ENTERED, is_step_failure, watch_loop

FORGED = "Cannot enter into task <Task pending> while another task <Task pending> is being executed."

HANGS_SECONDS = 10
"""A task whose step was lost would be waited for without an end: then this loop stops, and that is an error."""


def reported(scenario: Callable[[asyncio.AbstractEventLoop], Awaitable[None]]) -> list[str]:
    """What is reported while `scenario` runs on a loop of asyncio's own."""
    seen: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        watch_loop(loop, seen.append)
        await scenario(loop)
        # Whatever was scheduled by then has run.
        await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    loop.call_later(HANGS_SECONDS, loop.stop)
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
    return seen


async def finished(loop: asyncio.AbstractEventLoop) -> "asyncio.Task[None]":
    task = loop.create_task(asyncio.sleep(0))
    await task
    return task


def test_a_task_that_another_one_keeps_from_running_is_reported_and_runs_once_after_all():
    runs: list[int] = []

    async def count() -> str:
        runs.append(1)
        return "done"

    async def scenario(loop: asyncio.AbstractEventLoop) -> None:
        left_behind = await finished(loop)
        loop.call_soon(asyncio.tasks._enter_task, loop, left_behind)
        assert await loop.create_task(count()) == "done"

    assert reported(scenario) == [NOT_ENTERED]
    assert runs == [1]


def test_a_wakeup_that_another_task_keeps_from_running_happens_after_all():
    async def scenario(loop: asyncio.AbstractEventLoop) -> None:
        left_behind = await finished(loop)
        future = loop.create_future()

        async def wait() -> str:
            return str(await future)

        waiting = loop.create_task(wait())
        await asyncio.sleep(0)
        future.set_result("done")
        loop.call_soon(asyncio.tasks._enter_task, loop, left_behind)
        # It has its wakeup already; what meets the one left behind is the wakeup of this task.
        assert await waiting == "done"
        await asyncio.sleep(0)

    assert reported(scenario) == [NOT_ENTERED]


def test_a_task_that_can_not_be_left_is_reported_and_not_run_twice():
    runs: list[int] = []

    async def leave_early() -> str:
        runs.append(1)
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        asyncio.tasks._leave_task(loop, task)
        return "secret result"

    async def scenario(loop: asyncio.AbstractEventLoop) -> None:
        assert await loop.create_task(leave_early()) == "secret result"

    [kind] = reported(scenario)
    assert "leav" in kind.lower()
    assert "<" not in kind
    assert "secret" not in kind
    assert runs == [1]


def test_a_task_that_loses_its_place_to_another_is_not_run_twice(caplog: pytest.LogCaptureFixture):
    runs: list[int] = []

    async def lose_its_place(other: "asyncio.Task[None]") -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        asyncio.tasks._leave_task(loop, task)
        asyncio.tasks._enter_task(loop, other)
        for number in range(3):
            runs.append(number)
            await asyncio.sleep(0)

    async def scenario(loop: asyncio.AbstractEventLoop) -> None:
        await loop.create_task(lose_its_place(await finished(loop)))

    kinds = reported(scenario)
    assert kinds[0] != NOT_ENTERED
    assert set(kinds[1:]) == {NOT_ENTERED}
    assert runs == [0, 1, 2]
    assert caplog.text == ""


class TaskWithAFault(asyncio.Task[None]):
    def fail(self) -> None:
        raise RuntimeError(FORGED)


async def in_a_task(loop: asyncio.AbstractEventLoop) -> None:
    async def fail() -> None:
        raise RuntimeError(FORGED)

    with pytest.raises(RuntimeError):
        await loop.create_task(fail())


async def in_a_task_that_is_dropped(loop: asyncio.AbstractEventLoop) -> None:
    async def fail() -> None:
        raise RuntimeError(FORGED)

    loop.create_task(fail())  # noqa: RUF006  # that it is dropped is the point
    await asyncio.sleep(0)


async def in_a_callback(loop: asyncio.AbstractEventLoop) -> None:
    def fail() -> None:
        raise RuntimeError(FORGED)

    loop.call_soon(fail)


async def in_a_method_of_a_task(loop: asyncio.AbstractEventLoop) -> None:
    task = TaskWithAFault(asyncio.sleep(0), loop=loop)
    loop.call_soon(task.fail)
    await task


async def in_a_function_of_c(loop: asyncio.AbstractEventLoop) -> None:
    names = {"a": 1}
    iterator = iter(names)
    names["b"] = 2
    loop.call_soon(next, iterator)


async def in_a_step_of_a_task_that_is_done(loop: asyncio.AbstractEventLoop) -> None:
    with mock.patch.object(loop, "call_soon") as call_soon:
        task = loop.create_task(asyncio.sleep(0))
    step = call_soon.call_args.args[0]
    # A task of one step more than it has left.
    for _ in range(3):
        loop.call_soon(step)
    await task


async def in_a_handler_without_an_error(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_exception_handler({"message": FORGED})


async def in_a_handler_without_a_callback(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_exception_handler({"message": FORGED, "exception": RuntimeError(FORGED)})


@pytest.mark.parametrize(
    "scenario",
    [
        in_a_task,
        in_a_task_that_is_dropped,
        in_a_callback,
        in_a_method_of_a_task,
        in_a_function_of_c,
        in_a_step_of_a_task_that_is_done,
        in_a_handler_without_an_error,
        in_a_handler_without_a_callback,
    ],
)
def test_an_error_of_any_code_with_the_same_words_is_none(
    scenario: Callable[[asyncio.AbstractEventLoop], Awaitable[None]], caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.CRITICAL + 1):
        assert reported(scenario) == []


def test_an_error_that_was_never_raised_is_none():
    async def main() -> bool:
        task = asyncio.current_task()
        assert task is not None
        handle = asyncio.Handle(task.cancel, (), asyncio.get_running_loop())
        return is_step_failure({"handle": handle, "exception": RuntimeError(FORGED)})

    assert asyncio.run(main()) is False


def test_other_errors_are_logged_as_before(caplog: pytest.LogCaptureFixture):
    assert reported(in_a_callback) == []
    assert FORGED in caplog.text
