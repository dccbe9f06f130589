"""The Tasks extension: a task is a request in the tab's queue, and its state is what the queue says about it.

https://github.com/modelcontextprotocol/ext-tasks. A task's id is the request's, signed: so it can't be guessed, and it
can be looked up from the moment it is made, in any location, without anything beside the queue having been written. A
tab that is away when it is asked, and answers when it is back, completes it.
"""

from typing import Any

from waypost_worker.clock import to_iso
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.limits import MCP_TASK_POLL_MILLISECONDS
from waypost_worker.mcp.jsonrpc import CANCELLED, RpcError, invalid_params
from waypost_worker.mcp.results import ProgressCounter, complete_result, tool_result
from waypost_worker.mcp.tab import Tab
from waypost_worker.mcp.tool_call import RunningCall
from waypost_worker.queues.message import Message


def new_task(tab: Tab, call: RunningCall) -> dict[str, Any]:
    """The task that a call has become."""
    return {"resultType": "task", **_task(tab, call.request_id, "working", call.asked_ms)}


async def get_task(tab: Tab, task_id: Any) -> dict[str, Any]:
    """How a task stands: one operation, or two while nothing was answered.

    Raises:
        RpcError: there is no such task, or its time is over.
    """
    request_id = _request_of(tab, task_id)
    messages = await tab.queues.answers(request_id)
    final = next((message for message in messages if message.final), None)
    if final is not None and (answer := await tab.queues.load_one(final)) is not None:
        return _ended(tab, request_id, answer)
    ttl_ms = tab.context.settings.queue_ttl_seconds * 1000
    if tab.now_ms() >= cursor_ms(request_id) + ttl_ms:
        raise invalid_params("Failed to retrieve task: it has expired.")
    task = _task(tab, request_id, "working", messages[-1].accepted_ms if messages else cursor_ms(request_id))
    if messages:
        last = await tab.queues.load_one(messages[-1])
        told = ProgressCounter().next("", last.result if last else None).get("message")
    else:
        absence = await tab.absence()
        told = absence.message if absence else None
    return {**task, "statusMessage": told} if told else task


def update_task(tab: Tab, task_id: Any, responses: Any) -> dict[str, Any]:
    """Take what a task has asked for: none ever asks, so whatever comes is to be ignored.

    Raises:
        RpcError: there is no such task.
    """
    _request_of(tab, task_id)
    if not isinstance(responses, dict):
        raise invalid_params("inputResponses is an object.")
    return {}


async def cancel_task(tab: Tab, task_id: Any) -> dict[str, Any]:
    """Take a task back; if it is too late, that is no error.

    Raises:
        RpcError: there is no such task.
    """
    await RunningCall(tab, _request_of(tab, task_id)).take_back()
    return {}


def _ended(tab: Tab, request_id: str, answer: Message) -> dict[str, Any]:
    try:
        result = tool_result(answer, any_structure=True)
    except RpcError as error:
        if error.code == CANCELLED:
            return _task(tab, request_id, "cancelled", answer.accepted_ms)
        failure = {"code": error.code, "message": error.message}
        failed = _task(tab, request_id, "failed", answer.accepted_ms)
        return {**failed, "statusMessage": error.message, "error": failure}
    return {**_task(tab, request_id, "completed", answer.accepted_ms), "result": complete_result(result)}


def _task(tab: Tab, request_id: str, status: str, updated_ms: int) -> dict[str, Any]:
    return {
        "taskId": tab.id_signer.task_id(request_id),
        "status": status,
        "createdAt": to_iso(cursor_ms(request_id)),
        "lastUpdatedAt": to_iso(updated_ms),
        "ttlMs": tab.context.settings.queue_ttl_seconds * 1000,
        "pollIntervalMs": MCP_TASK_POLL_MILLISECONDS,
    }


def _request_of(tab: Tab, task_id: Any) -> str:
    request_id = tab.id_signer.request_of(task_id) if isinstance(task_id, str) else None
    if request_id is None:
        raise invalid_params("Failed to retrieve task: there is none of this id.")
    return request_id
