"""Whatever JSON is sent arrives as it was sent: over SSE, NDJSON, poll and wait, to the host and back to the guest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.http_api import Api
from tools.local.harness.worker import LocalWorker

FIXED: dict[str, Any] = {
    "line ends": "a\rb\nc\r\nd\n\ndata: x\r\revent: end\n\n",
    "NUL and controls": "".join(map(chr, range(0x20))) + "\x7f\x80\x85\x9f",
    "a byte order mark in front": "\ufefftext",
    "line separators": "a\u2028b\u2029c",
    "leading spaces": "   text",
    "white space only": [" ", "\t", "\u00a0", "\u3000", ""],
    "a colon in front": ": comment",
    "emoji": "👩🏽\u200d🚀 🇩🇪 \U0010ffff",
    "noncharacters": "\ufffe\uffff\ufffd",
    "right to left": "\u202eabc\u202c שלום",
    "decomposed": ["é", "e\u0301"],
    "64-bit integers": [2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1],
    "larger integers": [2**64, -(2**64), 10**40, 2**200],
    "whole floats": [1.0, -0.0, 0.0, 100.0, 1e15, 1e16, 1e22, 1e300],
    "awkward floats": [0.1, 5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 1e-7, 123456789.12345679],
    "all kinds": [None, True, False, 0, -1, "", [], {}, [[]], {"": {}}],
    "odd keys": {"": 1, " ": 2, "\x00": 3, "\n": 4, "\u2028": 5, "__proto__": {"x": 1}, "constructor": 6, ":😀": 7},
    "order of keys": {"z": 1, "a": 2, "10": 3, "9": 4, "1": 5, "Z": 6},
    "fields of ours inside": {"id": "x", "cursor": 1, "replay": True, "event": "end", "data": "data: x"},
    "HTML": "</script><!--<script>&amp;",
    "JSON in a string": json.dumps({"a": json.dumps("\u2028")}),
    "quotes and backslashes": '"\\"\'`\\u0000\\',
    "nested 100 deep": None,
    "a string of 200 KiB": "0123456789abcde\n" * (200 * 64),
    "a string of 200 KiB in UTF-8": "ä\u2028😀\n" * (20 * 1024),
    "many small values": list(range(5000)),
    "a text at the edge of the metadata": "x" * 1000,
}  # fmt: skip
for _ in range(100):
    FIXED["nested 100 deep"] = [FIXED["nested 100 deep"]] if _ % 2 else {"k": FIXED["nested 100 deep"]}

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=15,
)


class Line:
    """A session with a reader of every kind on either end."""

    def __init__(self, api: Api, threads: ThreadPoolExecutor) -> None:
        self._session = api.open_session()
        self._threads = threads
        self._ids = (f"r{number}" for number in count())
        self._hosts = self._session.host_stream(), self._session.host_stream(ndjson=True)
        self._guests = self._session.guest_stream(), self._session.guest_stream(ndjson=True)

    def send(self, payload: Any) -> None:
        """Send `payload` there and back, and compare it wherever it comes out."""
        session, request_id = self._session, next(self._ids)
        expected = exact(payload)
        waiting = self._threads.submit(session.ask, {"payload": payload}, id=request_id, wait=30)
        for host in self._hosts:
            request = host.next("request").data
            assert (request["id"], exact(request["args"]["payload"])) == (request_id, expected)
        [polled] = session.poll(session.host_token)["messages"]
        assert exact(polled["data"]["args"]["payload"]) == expected

        session.answer(request_id, payload, final=False)
        session.answer(request_id, error={"code": "c", "message": "m", "data": payload})

        for guest in self._guests:
            progress, answer = (event.data for event in guest.take(2, "response"))
            assert (progress["id"], exact(progress["result"])) == (request_id, expected)
            assert (answer["id"], exact(answer["error"]["data"])) == (request_id, expected)
        assert exact(waiting.result().json()["error"]["data"]) == expected
        polled = session.poll()["messages"]
        assert [exact(m["data"].get("result", m["data"].get("error", {}).get("data"))) for m in polled] == [
            expected
        ] * 2
        session.ack(*(message["data"]["cursor"] for message in polled))


@pytest.fixture(scope="module")
def line(worker: LocalWorker) -> Iterator[Line]:
    with Api(worker.url) as api, ThreadPoolExecutor(2) as threads:
        yield Line(api, threads)


@pytest.mark.parametrize("name", FIXED)
def test_a_payload_arrives_as_it_was_sent(name: str, line: Line) -> None:
    line.send(FIXED[name])


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(payload=JSON_VALUES)
def test_any_payload_arrives_as_it_was_sent(payload: Any, line: Line) -> None:
    line.send(payload)


def test_a_label_and_data_of_a_session_survive_too(worker: LocalWorker) -> None:
    with Api(worker.url) as api:
        for name in ("line ends", "whole floats", "larger integers", "odd keys", "order of keys", "nested 100 deep"):
            session = api.open_session(data=FIXED[name], label="\u2028 \x00\r\n")
            assert exact(session.read().json()["data"]) == exact(FIXED[name]), name
            assert session.read().json()["label"] == "\u2028 \x00\r\n"


def exact(value: Any) -> str:
    """Equal only for values that are the same: 1 and 1.0 differ, so do 0.0 and -0.0, and orders of keys."""
    return json.dumps(value)
