"""The Tasks extension: a task is a request in the tab's queue, and the queue is its state.

https://github.com/modelcontextprotocol/ext-tasks. A task's id is the signed id of the request. So it can't be guessed,
and any location can look it up immediately, with no record beside the queue. A tab that is away, and answers when it is
back, completes the task.
"""

from typing import Any

from waypost_worker.clock import to_iso
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.limits import MCP_TASK_POLL_MILLISECONDS
from waypost_worker.mcp.jsonrpc import CANCELLED, RpcError, invalid_params
from waypost_worker.mcp.progress import ProgressCounter
from waypost_worker.mcp.results import complete_result, tool_result
from waypost_worker.mcp.tab import Tab
from waypost_worker.mcp.tool_call import RunningCall
from waypost_worker.queues.message import Message


def new_task(tab: Tab, call: RunningCall) -> dict[str, Any]:
    """The result of `tools/call` for a call that has become a task."""
    return {"resultType": "task", **_task(tab, call.request_id, "working", call.asked_ms)}


async def get_task(tab: Tab, task_id: Any) -> dict[str, Any]:
    """The state of a task. Costs one KV operation, or two while there is no response yet.

    Raises:
        RpcError: there is no such task, or it has expired.
    """
    request_id = _request_of(tab, task_id)
    messages = await tab.queues.responses_to(request_id)
    final = next((message for message in messages if message.final), None)
    if final is not None and (response := await tab.queues.load_one(final)) is not None:
        return _ended(tab, request_id, response)
    ttl_ms = tab.context.settings.queue_ttl_seconds * 1000
    if tab.now_ms() >= cursor_ms(request_id) + ttl_ms:
        raise invalid_params("Failed to retrieve task: it has expired.")
    task = _task(tab, request_id, "working", messages[-1].accepted_ms if messages else cursor_ms(request_id))
    if messages:
        last = await tab.queues.load_one(messages[-1])
        status = ProgressCounter().next("", last.report if last else None).get("message")
    else:
        absence = await tab.absence()
        status = absence.message if absence else None
    return {**task, "statusMessage": status} if status else task


def update_task(tab: Tab, task_id: Any, responses: Any) -> dict[str, Any]:
    """Accepts the client's input for a task, and ignores it: no task here requests input.

    Raises:
        RpcError: there is no such task.
    """
    _request_of(tab, task_id)
    if not isinstance(responses, dict):
        raise invalid_params("inputResponses must be an object.")
    return {}


async def cancel_task(tab: Tab, task_id: Any) -> dict[str, Any]:
    """Cancels a task. That it has its final response already is no error.

    Raises:
        RpcError: there is no such task.
    """
    await RunningCall(tab, _request_of(tab, task_id)).cancel()
    return {}


def _ended(tab: Tab, request_id: str, response: Message) -> dict[str, Any]:
    try:
        result = tool_result(response, any_structure=True)
    except RpcError as error:
        if error.code == CANCELLED:
            return _task(tab, request_id, "cancelled", response.accepted_ms)
        failure = {"code": error.code, "message": error.message}
        failed = _task(tab, request_id, "failed", response.accepted_ms)
        return {**failed, "statusMessage": error.message, "error": failure}
    return {**_task(tab, request_id, "completed", response.accepted_ms), "result": complete_result(result)}


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
        raise invalid_params("Failed to retrieve task: there is no task with this id.")
    return request_id
