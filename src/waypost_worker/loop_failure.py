"""Recognises that the event loop itself has failed: asyncio could not enter or leave a task.

The platform may end an invocation in the middle of a task, without unwinding it. What asyncio knows of the running task
is wrong from then on, and steps of other tasks fail, of other requests too:
https://github.com/cloudflare/workerd/issues/7276, https://github.com/cloudflare/workerd/issues/6624

No input can cause this. What the code of a task raises becomes the task's result and never reaches the loop; and what
any other callback raises comes from a frame of Python, where these errors come from asyncio's own code in C.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

NOT_ENTERED = "Cannot enter into task"
"""How the error begins that is raised before the code of a step has run."""


def watch_loop(loop: asyncio.AbstractEventLoop, report: Callable[[str], None]) -> None:
    """From now on `report` is called with the kind of each failure of `loop`; other errors are handled as before.

    A step that another task, left behind, has kept from running is run after all: its request can still be answered.
    """

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not is_step_failure(context):
            loop.default_exception_handler(context)
            return
        kind = kind_of(context["exception"])
        left_behind = asyncio.current_task(loop)
        if kind == NOT_ENTERED and left_behind is not None:
            asyncio.tasks._leave_task(loop, left_behind)
            step = context["handle"]
            loop.call_soon(step._callback, *step._args, context=step._context)
        report(kind)

    loop.set_exception_handler(handle)


def is_step_failure(context: Mapping[str, Any]) -> bool:
    """Whether an error that reached the loop was raised by asyncio around a task's step, and not by any code in it."""
    handle, error = context.get("handle"), context.get("exception")
    return (
        isinstance(getattr(getattr(handle, "_callback", None), "__self__", None), asyncio.Task)
        and isinstance(error, RuntimeError)
        and _innermost_code(error) is asyncio.Handle._run.__code__
    )


def kind_of(error: BaseException) -> str:
    """What has failed, without the tasks that asyncio names: their results belong in no log."""
    return str(error).partition("<")[0].strip()


def _innermost_code(error: BaseException) -> object:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code if trace is not None else None
