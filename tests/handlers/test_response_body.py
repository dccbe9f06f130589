"""The body of a response: its result is kept as it is, and all of it is checked."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from simulation.client import make_client
from simulation.virtual_time import run
from tests.support.strategies import json_values
from waypost_worker.errors import BadInput, BodyTooLarge, InvalidBody, InvalidEncoding, InvalidJson, UnknownField
from waypost_worker.handlers.response_body import ResponseBody, decode_response
from waypost_worker.limits import MAX_BODY_BYTES, MAX_JSON_DEPTH, MAX_JSON_NAMES, MAX_RESPONSE_BODY_BYTES
from waypost_worker.limits import MAX_RESULT_BYTES as MAX


def body(result: str, more: str = "") -> bytes:
    return f'{{"code":"c","id":"r","result":{result}{more}}}'.encode()


def kept(result: str) -> str:
    response = decode_response(body(result))
    assert isinstance(response.result, msgspec.Raw)
    return bytes(response.result).decode()


@given(json_values)
def test_any_json_is_kept(value: Any):
    assert json.loads(kept(json.dumps(value))) == value


@pytest.mark.parametrize(
    "text", ["1.0", "1E5", "123456789012345678901234567890", "1e999", r'"\u00e9\/é"', '{"a":1,"a":2}', "null"]
)
def test_a_result_is_kept_as_it_is_written(text: str):
    assert kept(text) == text


def test_white_space_is_dropped_so_that_an_event_is_one_line():
    assert kept(' { "a" : [ 1,\r\n 2 ] } ') == '{"a":[1,2]}'


def test_a_large_table_is_a_result():
    rows = json.dumps([{"id": number, "name": "n"} for number in range(MAX_JSON_NAMES)], separators=(",", ":"))
    assert kept(rows) == rows


def test_the_fields_beside_a_result_may_come_in_any_order():
    response = decode_response(b'{"final":false,"result":[1],"id":"r","code":"c"}')
    assert response == ResponseBody("c", "r", result=msgspec.Raw(b"[1]"), final=False)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"", InvalidBody),
        (b"[]", InvalidBody),
        (b"{", InvalidJson),
        (body("01"), InvalidJson),
        (body("[1,]"), InvalidJson),
        (body('"a\nb"'), InvalidJson),
        (body("NaN"), InvalidJson),
        (body("1") + b"1", InvalidJson),
        (body('"')[:-1] + b'\xff"}', InvalidEncoding),
        (body('"x"').replace(b"x", b"x" * 70_000 + b"\xe9"), InvalidEncoding),
        (body('"x"').replace(b"x", b"\xf0\x9f\x8e"), InvalidEncoding),
        (body("[" * MAX_JSON_DEPTH + "]" * MAX_JSON_DEPTH), InvalidJson),
        (body("1", ',"result":2'), InvalidJson),
        (body("1", ',"code":"d"'), InvalidJson),
        (body("1", ',"fin\\u0061l":true'), InvalidJson),
        (b'{"code":"c","id":"r","id":"s","error":{"code":"c","message":"m"}}', InvalidJson),
        (b'{"code":"c","id":"r","error":{"code":"c","code":"d","message":"m"}}', InvalidJson),
        (body("1", ',"more":2'), UnknownField),
        (body("1", ',"error":{"code":"c","message":"m"}'), InvalidBody),
        (b'{"code":"c","id":"r"}', InvalidBody),
        (b'{"id":"r","result":1}', InvalidBody),
        (body("1", ',"final":0'), InvalidBody),
    ],
)
def test_what_is_wrong_is_refused(text: bytes, error: type[BadInput]):
    with pytest.raises(error):
        decode_response(text)


def test_text_outside_of_latin_1_is_checked_in_pieces():
    text = '"' + "é🎉" * 50_000 + '"'
    assert kept(text) == text


@pytest.mark.parametrize(
    ("final", "what", "limit"), [(True, "A result", MAX), (False, "A progress report", MAX_BODY_BYTES)]
)
def test_a_result_and_a_report_have_a_largest_size(final: bool, what: str, limit: int):
    more = f',"final":{json.dumps(final)}'
    assert decode_response(body('"' + "x" * (limit - 2) + '"', more)).final is final
    with pytest.raises(BodyTooLarge) as refused:
        decode_response(body('"' + "x" * (limit - 1) + '"', more))
    assert refused.value.detail == f"{what} may have {limit} bytes of JSON; this one has {limit + 1}."


def test_a_response_without_its_result_is_small():
    text = f'{{"code":"{"x" * MAX_BODY_BYTES}","id":"r","result":1}}'
    with pytest.raises(BodyTooLarge):
        decode_response(text.encode())
    error = '{"code":"c","message":"m","data":"' + "x" * MAX_BODY_BYTES + '"}'
    with pytest.raises(BodyTooLarge):
        decode_response(f'{{"code":"c","id":"r","error":{error}}}'.encode())


def test_only_a_hosts_token_admits_a_large_body():
    client = make_client()

    async def statuses() -> list[tuple[int, str]]:
        session = await client.open_session()
        guest = await client.join(session.code)
        large = json.dumps({"code": session.code, "id": "r", "result": "x" * (2 * MAX_BODY_BYTES)}).encode()
        replies = [
            await client.call("POST", "/api/response", body=large, token=token) for token in (None, guest, session.host)
        ]
        return [(reply.status, reply.json().get("code", "")) for reply in replies]

    assert run(statuses()) == [(413, "body_too_large"), (413, "body_too_large"), (202, "")]


async def test_a_body_over_the_limit_of_responses_is_not_read():
    client = make_client()
    session = await client.open_session()
    reply = await client.call("POST", "/api/response", body=b" " * (MAX_RESPONSE_BODY_BYTES + 1), token=session.host)
    assert (reply.status, reply.json()["code"]) == (413, "body_too_large")
