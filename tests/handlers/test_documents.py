"""`/api/sessions/{sid}/…`: documents in and out, byte for byte, with their tags."""

import json

import pytest

from simulation.client import Client, Reply, make_client
from simulation.virtual_time import run
from tests.support.replies import operations, outcome
from waypost_worker.documents.etag import etag_of
from waypost_worker.limits import MAX_BODY_BYTES, MAX_JSON_DEPTH

SID = "/api/sessions/3b241101-e2bb-4255-8caf-4136c566a962"
NOTES = f"{SID}/documents/notes"
PLACES = [f"{SID}/intents", f"{SID}/theme", NOTES]
MISSING = (404, "document_not_found")


async def put(client: Client, path: str, body: str = "{}", **headers: str) -> Reply:
    fields = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.call("PUT", path, body=body.encode(), headers=fields)


async def get(client: Client, path: str, method: str = "GET", **headers: str) -> Reply:
    return await client.call(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})


@pytest.mark.parametrize("path", PLACES)
async def test_a_document_is_put_and_read(path: str):
    client = make_client()
    created = await put(client, path, '{"a":1}')
    assert (created.status, created.headers["ETag"]) == (201, etag_of('{"a":1}'))
    assert created.json() == {
        "name": path.rpartition("/")[2],
        "etag": etag_of('{"a":1}'),
        "size": 7,
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "expiresAt": "2026-01-02T00:00:00.000Z",
    }
    reply = await get(client, path)
    assert (reply.status, reply.body) == (200, b'{"a":1}')
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "private, no-cache"
    assert reply.headers["ETag"] == etag_of('{"a":1}')
    assert (await put(client, path)).status == 200


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "false",
        '""',
        "0",
        "-0.0",
        "1.10",
        "1E5",
        "12345678901234567890123",
        ' {"b" : 1,\r\n\t"a":2, "c":3 } ',
        '"\\u00e9\\/é"',
        '"\u2028\u2029\x7f"',
        '"😀\\ud83d\\ude00"',
        '{"":{"__proto__":[]}}',
        '"a\\u0000"',
        '"\ufeff"',
    ],
)
async def test_what_was_put_is_what_is_read_byte_for_byte(text: str):
    client = make_client()
    for path in PLACES:
        await put(client, path, text)
        assert (await get(client, path)).body == text.encode()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b" ", "invalid_json"),
        (b"{", "invalid_json"),
        (b"{}{}", "invalid_json"),
        (b"NaN", "invalid_json"),
        (b"undefined", "invalid_json"),
        (b"01", "invalid_json"),
        (b"1e999", "invalid_body"),
        (b"\xef\xbb\xbf{}", "invalid_json"),
        (b'"a\nb"', "invalid_json"),
        (b'"\xe9"', "invalid_encoding"),
        (b'"\xed\xa0\x80"', "invalid_encoding"),
        ("{}".encode("utf-16"), "invalid_encoding"),
        (b"[" * (MAX_JSON_DEPTH + 1) + b"]" * (MAX_JSON_DEPTH + 1), "invalid_json"),
    ],
)
async def test_what_is_not_json_is_not_kept(body: bytes, code: str):
    client = make_client()
    reply = await client.call("PUT", NOTES, body=body, headers={"Content-Type": "application/json"})
    assert outcome(reply) == (400, code)
    assert outcome(await get(client, NOTES)) == MISSING


async def test_a_document_is_declared_as_json():
    reply = await put(make_client(), NOTES, "{}", Content_Type="text/plain")
    assert outcome(reply) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 201), (MAX_BODY_BYTES + 1, 413)])
def test_a_document_has_at_most_256_kib(size: int, status: int):
    assert run(put(make_client(), NOTES, '"' + "x" * (size - 2) + '"')).status == status


def test_json_as_deep_as_is_allowed_is_kept():
    text = "[" * MAX_JSON_DEPTH + "]" * MAX_JSON_DEPTH
    assert run(put(make_client(), NOTES, text)).status == 201


@pytest.mark.parametrize("path", PLACES)
async def test_a_document_that_is_not_there_is_not_found(path: str):
    client = make_client()
    assert outcome(await get(client, path)) == MISSING
    assert outcome(await get(client, path, "DELETE")) == MISSING


@pytest.mark.parametrize("path", PLACES)
async def test_a_deleted_document_is_gone(path: str):
    client = make_client()
    for place in PLACES:
        await put(client, place)
    reply = await get(client, path, "DELETE")
    assert (reply.status, reply.body) == (204, b"")
    found = [(await get(client, place)).status for place in PLACES]
    assert found == [404 if place == path else 200 for place in PLACES]


@pytest.mark.parametrize(
    "path",
    [
        "/api/sessions/a%3Ab/intents",
        "/api/sessions/a%2Fb/theme",
        f"/api/sessions/{'x' * 65}/documents",
        f"{SID}/documents/a%3Ab",
        f"{SID}/documents/%F0%9F%98%80",
        f"{SID}/documents/{'x' * 65}",
    ],
)
async def test_an_id_outside_its_grammar_never_comes_near_a_key(path: str):
    reply = await get(make_client(), path)
    assert (outcome(reply), operations(reply)) == ((400, "invalid_id"), "0 operations")


@pytest.mark.parametrize("session_id", ["theme", "intents", "doc"])
async def test_a_session_may_be_named_as_a_kind(session_id: str):
    client = make_client()
    for name in ("intents", "theme", "documents/theme"):
        await put(client, f"/api/sessions/{session_id}/{name}", json.dumps(name))
    for name in ("intents", "theme", "documents/theme"):
        assert (await get(client, f"/api/sessions/{session_id}/{name}")).json() == name


def test_the_longest_ids_are_fine():
    path = f"/api/sessions/{'s' * 64}/documents/{'n' * 64}"
    assert run(put(make_client(), path)).status == 201


async def test_a_reader_who_has_the_version_is_told_so_for_one_operation():
    client = make_client()
    etag = (await put(client, NOTES, "1")).headers["ETag"]
    for known in (etag, f'"other", W/{etag}', "*"):
        reply = await get(client, NOTES, If_None_Match=known)
        assert (reply.status, reply.body, operations(reply)) == (304, b"", "1 operations")
        assert (reply.headers["ETag"], reply.headers["Cache-Control"]) == (etag, "private, no-cache")
    await put(client, NOTES, "2")
    reply = await get(client, NOTES, If_None_Match=etag)
    assert (reply.status, reply.body, operations(reply)) == (200, b"2", "2 operations")


async def test_the_named_documents_are_listed_and_no_others():
    client = make_client()
    assert (await get(client, f"{SID}/documents")).json() == {"documents": [], "count": 0}
    for path in (*PLACES, f"{SID}/documents/A", f"{SID}2/documents/other"):
        await put(client, path)
    reply = await get(client, f"{SID}/documents")
    views = [(await put(client, f"{SID}/documents/{name}")).json() for name in ("A", "notes")]
    assert reply.json() == {"documents": views, "count": 2}
    assert operations(reply) == "1 operations"


@pytest.mark.parametrize(("method", "path"), [("POST", NOTES), ("POST", f"{SID}/theme"), ("PUT", f"{SID}/documents")])
def test_documents_take_no_other_methods(method: str, path: str):
    assert outcome(run(get(make_client(), path, method))) == (405, "method_not_allowed")


async def test_what_each_route_of_documents_costs_in_kv_operations():
    client = make_client()
    counted = {}
    for path in (NOTES, f"{SID}/theme"):
        name = path.rpartition("/")[2]
        replies = [await put(client, path), await put(client, path), await get(client, path)]
        replies.append(await get(client, path, "DELETE"))
        counted[name] = [int(operations(reply).split()[0]) for reply in replies]
    assert counted == {"notes": [2, 2, 2, 2], "theme": [2, 2, 2, 2]}
