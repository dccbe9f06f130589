"""What strangers can do to the memory of an isolate: each attack beside its control, in workerd's resident memory.

Workerd's memory grows with plain requests too, and is never given back: so an attack is compared with the same number
of harmless requests, and with a generous bound.
"""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bench.measure.processes import usage
from tests.support.http_api import Api, new_address
from tests.support.images import file_part
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker
from tools.local.harness.worker_project import ProjectWorker, copy_project
from waypost_worker.limits import (
    MAX_ADDRESS_BODIES_BYTES,
    MAX_BODIES_BYTES,
    MAX_CHAT_BODY_BYTES,
    MAX_IMAGE_BYTES,
    MAX_IMPORT_BYTES,
    MAX_SESSION_DATA_BYTES,
    MAX_STREAMS_PER_ADDRESS,
    MAX_STREAMS_PER_SESSION,
)

ENTRY = Path(__file__).parent / "memory_project" / "entry.py"
MIB = 1024 * 1024
ISOLATE_MIB = 128
"""https://developers.cloudflare.com/workers/platform/limits/#memory"""
RENEWALS = 60


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorker]:
    """A Worker of its own, since what a test measures depends on what ran before."""
    project = copy_project(tmp_path_factory.mktemp("memory") / "project")
    shutil.copy(ENTRY, project / "src" / "entry.py")
    with ProjectWorker(project, DIAGNOSTICS="1") as worker:
        yield worker


def grown(worker: LocalWorker, work: Callable[[], object]) -> float:
    """By how many MiB workerd has grown after `work`."""
    before = usage(worker.group, "workerd").resident_bytes
    work()
    time.sleep(0.5)
    return (usage(worker.group, "workerd").resident_bytes - before) / MIB


def test_three_of_the_largest_questions_with_the_largest_images_fit_into_an_isolate_together(
    fresh: LocalWorker, record_property: Callable[[str, object], None]
) -> None:
    """They are read and answered concurrently. Measured: 89 MiB of Python's memory, 30 of them before the first
    request; 107 while each was there once more than it had to be."""

    def ask(number: int) -> int:
        asked = {"id": "q", "role": "user", "parts": [{"type": "text", "text": "?"}, file_part(MAX_IMAGE_BYTES)]}
        body = b'{"id":"t%d","messages":[{"id":"a","role":"assistant","parts":["%s"]},%s]}'
        last = json.dumps(asked).encode()
        old = b"x" * (MAX_CHAT_BODY_BYTES - len(body % (number, b"", last)))
        headers = {"CF-Connecting-IP": new_address(), "Content-Type": "application/json"}
        url = f"{fresh.url}/api/chat"
        return httpx.post(url, content=body % (number, old, last), headers=headers, timeout=120).status_code

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, range(3))) == [200] * 3
    memory = int(httpx.get(f"{fresh.url}/memory").text) / MIB
    record_property("MiB of Python's memory after three questions with images", round(memory))
    assert memory < ISOLATE_MIB - 16, "what JavaScript needs besides must fit too"
    shown = httpx.get(f"{fresh.url}/api/chat/t0", timeout=120).json()["messages"][0]["parts"]
    assert shown[1]["url"] == file_part(MAX_IMAGE_BYTES)["url"]


def test_renewals_of_a_session_keep_nothing_of_its_data(
    fresh: LocalWorker, record_property: Callable[[str, object], None]
) -> None:
    """2a: each renewal noted a decoded copy of the data; 60 of 250 KB took 232 MB."""
    with Api(fresh.url) as api:

        def renew(data: object) -> None:
            session = api.open_session(data=data)
            for _ in range(RENEWALS):
                assert session.extend().status_code == 200

        large = api.call("POST", "/api/sessions", {"data": [[]] * 60_000})
        assert (large.status_code, large.json()["code"]) == (400, "invalid_json")
        large = api.call("POST", "/api/sessions", {"data": "x" * 250_000})
        assert (large.status_code, large.json()["code"]) == (400, "invalid_body")
        renew(None)
        control = grown(fresh, lambda: renew(None))
        attack = grown(fresh, lambda: renew([[]] * (MAX_SESSION_DATA_BYTES // 4 - 2)))
        record_property("MiB of renewals, and without data", (round(attack), round(control)))
        assert attack < 2 * control + 30, f"{attack} MiB; without data {control} MiB"


def test_imports_of_many_small_values_are_refused_and_cost_no_more_than_text(
    fresh: LocalWorker, record_property: Callable[[str, object], None]
) -> None:
    """2b: 2 MB of empty arrays took 81 MB, six concurrently 179 MB."""
    at_once = MAX_BODIES_BYTES // MAX_IMPORT_BYTES
    empty = b'{"messages":[' + b"[]," * ((MAX_IMPORT_BYTES - 100) // 3) + b"[]]}"
    text = b'{"messages":["' + b"x" * (MAX_IMPORT_BYTES - 100) + b'"]}'

    def put(body: bytes, count: int) -> list[int]:
        statuses: list[int] = []

        def one(number: int) -> None:
            headers = {"CF-Connecting-IP": new_address(), "Content-Type": "application/json"}
            url = f"{fresh.url}/api/conversations/import-{number}"
            statuses.append(httpx.put(url, content=body, headers=headers, timeout=120).status_code)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses

    assert put(text, at_once) == [400] * at_once
    control = grown(fresh, lambda: put(text, at_once))
    attack = grown(fresh, lambda: put(empty, at_once))
    assert set(put(empty, 2)) == {400}
    record_property("MiB of imports of empty arrays, and of a text", (round(attack), round(control)))
    assert attack < 2 * control + 40, f"{attack} MiB; as a text {control} MiB"


def test_slow_bodies_of_one_address_are_refused_beyond_its_budget(
    fresh: LocalWorker, record_property: Callable[[str, object], None]
) -> None:
    """2c: 50 connections with 2 MiB less a few bytes took 215 MB for a minute."""
    address, size = new_address(), 2 * MIB
    connections = []

    def attack() -> None:
        for number in range(20):
            connection = socket.create_connection(("127.0.0.1", fresh.port), 60)
            head = (
                f"PUT /api/conversations/slow-{number} HTTP/1.1\r\nHost: localhost\r\nCF-Connecting-IP: {address}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
            )
            connection.sendall(head.encode())
            connections.append(connection)
            # It may be refused while it is sent.
            with suppress(OSError):
                connection.sendall(b"[" + b" " * (size - 100))

    growth = grown(fresh, attack)
    refused = [connection for connection in connections if answered(connection).startswith(b"HTTP/1.1 503 ")]
    # The local proxy loses some of the replies to bodies that never end.
    assert len(refused) >= 15 - MAX_ADDRESS_BODIES_BYTES // (size - 200)
    # Others are served meanwhile, with small bodies and large ones.
    with Api(fresh.url) as api:
        api.open_session(label="x")
        for connection in connections:
            connection.close()
    record_property("MiB of slow bodies", round(growth))
    assert growth < 100, f"{growth} MiB"


def answered(connection: socket.socket) -> bytes:
    connection.settimeout(2)
    try:
        return connection.recv(4096)
    except OSError:
        return b""


def test_streams_of_one_session_and_of_one_address_are_bounded_and_their_places_are_freed(fresh: LocalWorker) -> None:
    """2d: 1,000 streams of one session from one address were opened, none refused."""
    with Api(fresh.url) as api:
        session = api.open_session()
        opened = [connect(fresh, session.code, api.address) for _ in range(MAX_STREAMS_PER_SESSION)]
        assert [status(one) for one in opened] == [200] * MAX_STREAMS_PER_SESSION
        refused = connect(fresh, session.code, new_address())
        assert status(refused) == 429
        sessions = [api.open_session() for _ in range(MAX_STREAMS_PER_ADDRESS // MAX_STREAMS_PER_SESSION)]
        more = [connect(fresh, other.code, api.address) for other in sessions for _ in range(MAX_STREAMS_PER_SESSION)]
        statuses = [status(one) for one in more]
        assert statuses.count(200) == MAX_STREAMS_PER_ADDRESS - MAX_STREAMS_PER_SESSION
        assert statuses.count(429) == MAX_STREAMS_PER_SESSION
        for connection in (*opened, *more, refused):
            connection.close()
        # That they are gone is noticed at the next heartbeat, after 15 s.
        eventually(lambda: can_connect(fresh, session.code, api.address))


def connect(worker: LocalWorker, code: str, address: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", worker.port), 60)
    head = f"GET /api/stream?code={code} HTTP/1.1\r\nHost: localhost\r\nCF-Connecting-IP: {address}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def can_connect(worker: LocalWorker, code: str, address: str) -> bool:
    with connect(worker, code, address) as connection:
        return status(connection) == 200


def status(connection: socket.socket) -> int:
    return int(connection.recv(4096).split(b" ")[1])
