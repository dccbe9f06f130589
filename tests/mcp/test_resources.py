"""The tab's pages and documents as resources: those under its host's session id, and no others."""

import pytest

from simulation.client import KEY, make_client
from simulation.virtual_time import VirtualClock
from tests.support.mcp_client import Mcp, connected
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.settings import Settings


async def put_page(mcp: Mcp, intent_id: str, session_id: str, title: str = "") -> None:
    body = {"html": f"<p>{intent_id}", "sessionId": session_id, "title": title}
    assert (await mcp.client.call("PUT", f"/api/pages/{intent_id}", body)).status == 201


async def put_document(mcp: Mcp, path: str, value: object, session_id: str | None = None) -> None:
    reply = await mcp.client.call("PUT", f"/api/sessions/{session_id or mcp.session.session_id}/{path}", value)
    assert reply.status == 201


async def filled(*, is_modern: bool = False) -> Mcp:
    mcp = await connected(is_modern=is_modern)
    await put_page(mcp, "b", mcp.session.session_id, "The page")
    await put_page(mcp, "a", mcp.session.session_id)
    await put_page(mcp, "secret", "somebody-elses-secret")
    await put_document(mcp, "theme", {"dark": True})
    await put_document(mcp, "documents/notes", [1.0])
    await put_document(mcp, "documents/theme", "hidden by the other")
    await put_document(mcp, "documents/theirs", 1, "somebody-elses-secret")
    return mcp


@pytest.mark.parametrize("is_modern", [False, True])
async def test_pages_and_documents_under_the_hosts_session_id_are_listed(is_modern: bool):
    mcp = await filled(is_modern=is_modern)
    result = await mcp.result("resources/list")
    assert [(item["uri"], item["name"], item["mimeType"], item["size"]) for item in result["resources"]] == [
        ("waypost://pages/a", "a", "text/html", 4),
        ("waypost://pages/b", "The page", "text/html", 4),
        ("waypost://documents/theme", "theme", "application/json", 14),
        ("waypost://documents/notes", "notes", "application/json", 5),
    ]
    assert result["resources"][0]["annotations"] == {"lastModified": "2026-01-01T00:00:00.000Z"}


@pytest.mark.parametrize("is_modern", [False, True])
async def test_each_can_be_read(is_modern: bool):
    mcp = await filled(is_modern=is_modern)
    for uri, media_type, text in (
        ("waypost://pages/b", "text/html", "<p>b"),
        ("waypost://documents/theme", "application/json", '{"dark": true}'),
        ("waypost://documents/notes", "application/json", "[1.0]"),
    ):
        result = await mcp.result("resources/read", {"uri": uri})
        assert result["contents"] == [{"uri": uri, "mimeType": media_type, "text": text}]


@pytest.mark.parametrize(
    "uri",
    [
        "waypost://pages/secret",
        "waypost://pages/none",
        "waypost://pages/",
        "waypost://pages/a/b",
        "waypost://pages/a:b",
        "waypost://documents/theirs",
        "waypost://documents/intents",
        "waypost://documents/none",
        "waypost://documents/..",
        "waypost://other/a",
        "WAYPOST://pages/a",
        "file:///etc/passwd",
        "",
    ],
)
async def test_nothing_else_can(uri: str):
    mcp = await filled()
    error = await mcp.error("resources/read", {"uri": uri})
    assert error == {"code": -32002, "message": "Resource not found", "data": {"uri": uri}}


async def test_the_code_for_what_is_not_there_is_the_revision_s():
    modern = await connected(is_modern=True)
    assert (await modern.ask("resources/read", {"uri": "waypost://pages/none"}))["error"]["code"] == -32602


async def test_the_code_is_not_the_session_id():
    mcp = await connected()
    await put_page(mcp, "planted", mcp.session.code)
    await put_document(mcp, "documents/planted", 1, mcp.session.code)
    assert (await mcp.result("resources/list"))["resources"] == []


async def test_while_signing_keys_are_rotated_the_resources_of_older_sessions_are_there():
    kv = MemoryKv(VirtualClock())
    before = make_client(Settings(signing_keys=(KEY,)), kv)
    session = await before.open_session()
    rotating = make_client(Settings(signing_keys=(b"the next key, 32 bytes or more...", KEY)), kv, seed=1)
    mcp = Mcp(rotating, session, is_modern=True)
    await put_page(mcp, "a", session.session_id)
    await put_document(mcp, "documents/notes", 1)
    assert len((await mcp.result("resources/list"))["resources"]) == 2
    for uri in ("waypost://pages/a", "waypost://documents/notes"):
        assert len((await mcp.result("resources/read", {"uri": uri}))["contents"]) == 1
