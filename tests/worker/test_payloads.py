"""Whatever JSON is sent arrives as it was sent: over SSE, NDJSON, poll and wait, to the host and back to the guest."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.http_api import Api
from tests.support.payloads import FIXED, JSON_VALUES, exact
from tools.local.harness.worker import LocalWorker


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
