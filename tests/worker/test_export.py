"""What one local deployment holds moves to another one by a file, and its sessions go on there."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.documents_api import place, put
from tests.support.http_api import Api, Session
from tests.worker.conftest import NewWorker
from tools.care.check_file import check
from tools.care.export import export, header
from tools.care.imports import import_
from tools.care.local_store import local_store
from tools.care.namespace import Key, Record
from tools.care.progress import Progress
from tools.local.harness.worker import LocalWorker

KEY = "the same key, in both of these deployments"
ODD = Record(Key("odd:\u00e9 /%2F", None, {"m": "\u00e9"}), b"\xef\xbb\xbf\xff\x00")


def test_an_open_session_goes_on_where_the_data_were_imported(new_worker: NewWorker, tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl.gz"
    worker = new_worker(signing_key=KEY)
    with Api(worker.url) as api:
        session = api.open_session(label="moved")
        document = place()
        stored = put(api, document, b'{"a": 1}')
        assert session.ask(id="waiting").status_code == 202
        # The Worker runs meanwhile, as `make dev` may.
        with local_store(worker.state) as here:
            here.write([ODD], int(time.time()))
            done = export(here, path, header("now", "local", None), Progress("exported"))
        assert session.read().json()["label"] == "moved"
    worker.kill()

    other = LocalWorker(KEY)
    try:
        with local_store(other.state) as there:
            written = import_(there, "local", check(path), "", Progress("imported", done.records), time.time)
            assert (written.written, written.expired) == (done.records, 0)
            [odd] = [key for key in there.keys().keys if key.name == ODD.key.name]
            assert there.records([odd]) == [ODD]
        other.start()
        other.wait_ready()
        with Api(other.url) as api:
            moved = Session(api, session.opened)
            assert moved.read().json()["label"] == "moved"
            assert [message["data"]["id"] for message in moved.poll(token=moved.host_token)["messages"]] == ["waiting"]
            assert moved.extend().status_code == 200
            assert api.call("GET", document).headers["ETag"] == stored.headers["ETag"]
    finally:
        other.stop()
