"""What asyncio schedules for "soon" runs in a microtask, as JavaScript runs what follows an `await`.

Every promise that is awaited, every step of a new task and every result of one is such a callback. Pyodide sends each
through a message channel of the runtime; and gives it a stack of its own, entered after a second message, so that the
callback may block on a promise (`run_sync`). Nothing here blocks. Without both, a step of a task takes a third of the
time, and awaiting a promise two thirds (`make profile`).

Each callback has a microtask of its own and no queue is shared: what the platform ends in the middle of one request
takes no callback of another one with it. A microtask runs before the runtime leaves the request that scheduled it.
"""

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import create_once_callable


def run_soon_in_microtasks(loop: Any) -> None:
    """From now on `call_soon` of Pyodide's `loop` needs neither a message of the runtime nor a stack of its own.

    Uses two parts of Pyodide that are not documented. Where they are not there, the loop stays as it is.
    """
    try:
        make_running, install_hooks = loop._install_running_loop, loop._install_asyncgen_hooks
    except AttributeError:
        return
    queue_microtask = js.queueMicrotask

    def call_soon(
        callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, loop, context)

        def run() -> None:
            # As Pyodide does: both belong to Python's state of a stack, and this may be another one.
            make_running()
            install_hooks()
            if not handle.cancelled():
                handle._run()

        queue_microtask(create_once_callable(run))
        return handle

    loop.call_soon = call_soon
