"""A namespace survives an export and an import, whatever it holds and wherever they are stopped."""

from __future__ import annotations

import gzip
import hashlib
import json
import resource
import stat
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import tools.care.namespace
from tests.support.cloudflare_api.account import Namespace
from tests.tools.care.conftest import Deployed
from tools.care.api import TRIES
from tools.care.check_file import check
from tools.care.export import export, header
from tools.care.export_file import is_gzip, parts
from tools.care.imports import import_
from tools.care.namespace import Key, KeyPage, Record
from tools.care.problem import CareError
from tools.care.progress import Progress

LATER = int(time.time()) + 100_000
VALUES: dict[str, tuple[bytes, Any, int | None]] = {
    "address:ab": (b"{}", {"m": '{"é":"\\"}'}, LATER),
    "conv:1": ("héllo\n\u2028".encode(), None, None),
    "empty": (b"", {"m": ""}, None),
    "img:1:é/%2F ?#": (bytes(range(256)), None, LATER),
    "img:\u00ff": (b"\xff", None, None),
    "img:\uffff": (b"1", None, None),
    "img:\U0001f600": ("it says \ufffd".encode(), ["any", {"json": 1}], None),
}
"""Also two keys whose order differs between UTF-8 and UTF-16."""

names = pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])


def fill(namespace: Namespace, many: int = 0) -> None:
    for key, (value, metadata, expires) in VALUES.items():
        namespace.values[key] = value
        if metadata is not None:
            namespace.metadata[key] = metadata
        if expires is not None:
            namespace.expirations[key] = expires
    for number in range(many):
        namespace.values[f"res:{number:05}"] = b"%d" % number


def content(namespace: Namespace) -> tuple[dict[str, bytes], dict[str, Any], dict[str, int]]:
    return namespace.values, namespace.metadata, namespace.expirations


def lines(path: Path) -> list[Any]:
    data = path.read_bytes()
    return [json.loads(line) for line in (gzip.decompress(data) if path.name.endswith(".gz") else data).splitlines()]


@names
def test_values_of_any_bytes_their_metadata_and_expirations_come_back(deployed: Deployed, name: str) -> None:
    fill(deployed.here, many=2300)
    path = deployed.folder / name

    assert "has 2,307 keys" in deployed.export(path)
    status, printed = deployed.copy(path)

    assert (status, printed.splitlines()[-1]) == (0, "Wrote 2,307 of 2,307 keys.")
    assert content(deployed.other) == content(deployed.here)
    assert [each.name for each in deployed.folder.iterdir()] == [name]


@names
def test_the_file_is_the_owners_alone_and_says_what_it_is(deployed: Deployed, name: str) -> None:
    fill(deployed.here)
    path = deployed.folder / name
    assert "people's data" in deployed.export(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first, *records, through, last = lines(path)
    assert (first["waypost-export"], first["namespace"], first["signingKey"]) == (
        1,
        deployed.here.id,
        "the-key-in-force",
    )
    assert [record["key"] for record in records] == sorted(VALUES, key=str.encode)
    assert (through["records"], last["records"], last["end"]) == (7, 7, True)


def test_a_byte_order_mark_is_kept_where_each_value_is_read_by_itself(deployed: Deployed) -> None:
    deployed.here.values["bom"] = b"\xef\xbb\xbfmarked"
    deployed.export(deployed.folder / "exact.jsonl", "EXACT=1")
    assert deployed.copy(deployed.folder / "exact.jsonl")[0] == 0
    assert deployed.other.values == deployed.here.values


def test_values_too_large_for_one_bulk_read_are_read_in_smaller_ones(deployed: Deployed) -> None:
    deployed.here.values |= {name: name.encode() for name in "abcd"}
    for _ in range(3):
        deployed.failing.next("bulk/get", 413, {"result": None, "errors": [{"code": 10034, "message": "too large"}]})
    deployed.export(deployed.folder / "large.jsonl.gz")
    # All four, a and b, a alone; then a by itself.
    assert [line.rpartition("/")[2] for line in deployed.api.requests if "/get" in line or "/values" in line] == [
        *["get"] * 3,
        "a",
        *["get"] * 2,
    ]
    assert deployed.copy(deployed.folder / "large.jsonl.gz")[0] == 0
    assert deployed.other.values == deployed.here.values


@names
def test_an_export_goes_on_wherever_it_was_cut_off(deployed: Deployed, name: str) -> None:
    fill(deployed.here, many=250)
    whole = deployed.folder / name
    deployed.export(whole)
    data, expected = whole.read_bytes(), lines(whole)
    with whole.open("rb") as file:
        ends = [part.end for part in parts(file, compressed=is_gzip(whole))]
    assert (len(ends), ends[-1]) == (5, len(data))
    for cut in [0, 1, *(end + more for end in ends for more in (-1, 0, 1)), ends[1] + 1000]:
        whole.unlink()
        partial = whole.with_name(f"{name}.partial")
        partial.write_bytes(data[:cut])
        first = header("another time", deployed.here.id, "the-key-in-force")
        export(deployed.namespace(deployed.here), whole, first, Progress("exported"))
        assert lines(whole)[1:-1] == expected[1:-1], cut
        assert check(whole).records == 257
        assert not partial.exists()
        assert stat.S_IMODE(whole.stat().st_mode) == 0o600


def test_an_export_that_goes_on_reads_no_value_again(deployed: Deployed) -> None:
    fill(deployed.here, many=1500)
    path = deployed.folder / "all.jsonl"
    deployed.export(path)
    text, _, rest = path.read_bytes().partition(b'"records":1200')
    path.unlink()
    path.with_name("all.jsonl.partial").write_bytes(text + b'"records":1200' + rest[: rest.index(b"\n") + 1])
    del deployed.api.requests[:]
    deployed.export(path)
    # 307 of 1,507 keys were missing.
    assert sum("bulk/get" in line for line in deployed.api.requests) == 4


def test_an_export_goes_on_when_its_cursor_is_not_taken_any_more(deployed: Deployed) -> None:
    fill(deployed.here, many=1500)
    path = deployed.folder / "all.jsonl"
    deployed.export(path)
    expected = lines(path)
    text = path.read_bytes().rpartition(b'{"end"')[0]
    path.unlink()
    path.with_name("all.jsonl.partial").write_bytes(text)
    deployed.failing.next("/keys", 400, {"result": None, "errors": [{"code": 10024, "message": "invalid cursor"}]})
    deployed.export(path)
    assert lines(path)[1:] == expected[1:]


def test_the_beginning_of_another_export_is_not_continued(deployed: Deployed) -> None:
    fill(deployed.other)
    path = deployed.folder / "all.jsonl"
    deployed.export(path, f"NAMESPACE={deployed.other.id}")
    path.rename(path.with_name("all.jsonl.partial"))
    status, printed = deployed.run("export", f"FILE={path}")
    assert (status, "another export" in printed) == (1, True)
    assert not path.exists()


def test_a_file_that_exists_is_not_overwritten(deployed: Deployed) -> None:
    (deployed.folder / "all.jsonl").write_text("mine")
    status, printed = deployed.run("export", f"FILE={deployed.folder / 'all.jsonl'}")
    assert (status, "exists already" in printed) == (1, True)
    assert (deployed.folder / "all.jsonl").read_text() == "mine"


def test_values_that_go_while_they_are_exported_are_counted(deployed: Deployed) -> None:
    fill(deployed.here)
    listed = [{"name": name} for name in ["a-gone-one", *sorted(VALUES, key=str.encode)]]
    deployed.failing.next("/keys", 200, {"result": listed, "result_info": {"cursor": ""}})
    assert "has 7 keys (1 more expired" in deployed.export(deployed.folder / "all.jsonl")
    assert lines(deployed.folder / "all.jsonl")[-1]["gone"] == 1


@names
def test_a_file_that_is_cut_off_or_changed_is_refused_before_anything_is_written(deployed: Deployed, name: str) -> None:
    fill(deployed.here, many=150)
    path = deployed.folder / name
    deployed.export(path)
    data = path.read_bytes()
    names_in_file, refused = [record.key.name for record in check(path).read()], 0
    for cut in sorted({0, 1, 20, len(data) - 1, *range(0, len(data), len(data) // 50)}):
        path.write_bytes(data[:cut])
        with pytest.raises(CareError, match="cut off|no export"):
            check(path)
    for place in range(0, len(data), len(data) // 100):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        try:
            # A bit that says nothing of the content, in the head of a gzip member.
            assert [record.key.name for record in check(path).read()] == names_in_file
        except CareError:
            refused += 1
    assert refused > 70
    path.write_bytes(data[:-30])
    status, printed = deployed.copy(path)
    assert (status, deployed.writes(), printed.strip().count("\n")) == (1, 0, 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "no export"),
        (b"{}\n", "no export"),
        (b"hello\n", "no JSON"),
        (b'{"waypost-export":2}\n', "version 2"),
        (b'{"waypost-export":1}\n{"key":"a","text":"1"}\n', "cut off"),
        (b'{"waypost-export":1}\n{"key":"a"}\n{"end":true}\n', "a record that is none"),
        (b'{"waypost-export":1}\n{"key":"a","base64":"?"}\n{"end":true}\n', "a record that is none"),
        (b'{"waypost-export":1}\n{"key":"b","text":""}\n{"key":"a","text":""}\n{"end":true}\n', "not in order"),
        (b'{"waypost-export":1}\n{"key":"a","text":""}\n{"end":true,"records":1}\n', "checksum"),
    ],
)
def test_what_is_no_export_is_refused_in_one_sentence(deployed: Deployed, text: bytes, problem: str) -> None:
    path = deployed.folder / "odd.jsonl"
    path.write_bytes(text)
    status, printed = deployed.copy(path)
    assert status == 1
    assert problem in printed
    assert deployed.writes() == 0


def test_an_import_goes_on_after_the_last_write_that_was_confirmed(deployed: Deployed) -> None:
    fill(deployed.here, many=2500)
    path = deployed.folder / "all.jsonl"
    deployed.export(path)
    deployed.failing.next("PUT", 400, {"result": None, "errors": [{"code": 1, "message": "passing"}]})
    status, printed = deployed.copy(path)
    assert (status, deployed.other.values) == (1, {})
    assert "passing" in printed

    # The second write fails.
    del deployed.api.requests[:]
    first, second = f"namespaces/{deployed.other.id}/bulk", {"result": None, "errors": [{"code": 1, "message": "no"}]}
    deployed.failing.next(first, 200, {"result": {"unsuccessful_keys": []}})
    deployed.failing.next(first, 400, second)
    assert deployed.copy(path)[0] == 1
    note = path.with_name("all.jsonl.importing")
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert json.loads(note.read_text())["read"] == 1000

    status, printed = deployed.copy(path)
    assert (status, printed.splitlines()[-1]) == (0, "Wrote 2,507 of 2,507 keys.")
    # The first thousand were confirmed by a reply that stored nothing.
    assert sorted(deployed.other.values, key=str.encode) == sorted(deployed.here.values, key=str.encode)[1000:]
    assert not note.exists()


def test_an_import_that_is_killed_at_its_first_write_goes_on(deployed: Deployed) -> None:
    fill(deployed.here, many=1100)
    path = deployed.folder / "all.jsonl"
    deployed.export(path)

    class Killed(tools.care.namespace.Namespace):
        def write(self, records: Sequence[Record], now: int) -> None:
            super().write(records, now)
            raise KeyboardInterrupt

    killed = Killed(deployed.client, deployed.path(deployed.other))
    with pytest.raises(KeyboardInterrupt):
        import_(killed, deployed.other.id, check(path), "", Progress("imported", 1107), time.time)
    assert len(deployed.other.values) == 1000
    assert "begun without MERGE" in deployed.copy(path, "MERGE=keep")[1]
    # What an app has written meanwhile is not overwritten.
    deployed.other.values["res:01099"] = b"the app's"
    assert "has keys already" in deployed.copy(path)[1]
    del deployed.other.values["res:01099"]
    assert deployed.copy(path)[0] == 0
    assert content(deployed.other) == content(deployed.here)


class Endless(tools.care.namespace.Namespace):
    """A namespace of as many keys as wanted, each of 2 kB, that holds none of them."""

    def __init__(self, many: int) -> None:
        self.many = many

    def keys(self, cursor: str = "") -> KeyPage:
        first = int(cursor or 0)
        last = min(first + 1000, self.many)
        keys = [Key(f"{number:09}") for number in range(first, last)]
        return KeyPage(keys, str(last) if last < self.many else "")

    def records(self, keys: Sequence[Key]) -> list[Record]:
        return [Record(key, key.name.encode() * 222) for key in keys]

    def write(self, records: Sequence[Record], now: int) -> None:
        pass


@names
def test_the_memory_that_is_needed_does_not_grow_with_the_namespace(tmp_path: Path, name: str) -> None:
    peaks = []
    for many in (1000, 3000):
        path = tmp_path / f"{many}-{name}"
        tracemalloc.start()
        try:
            export(Endless(many), path, header("now", "here", None), Progress("exported"))
            file = check(path)
            import_(Endless(0), "there", file, "", Progress("imported", many), time.time)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert file.records == many
    # 4 MB of values more.
    assert peaks[1] - peaks[0] < 1_000_000


def test_keys_that_were_not_written_are_written_again_alone(deployed: Deployed) -> None:
    fill(deployed.here)
    path = deployed.folder / "all.jsonl"
    deployed.export(path)
    pauses: list[float] = []
    other = tools.care.namespace.Namespace(deployed.client, deployed.path(deployed.other), sleep=pauses.append)
    deployed.failing.next("PUT", 200, {"result": {"unsuccessful_keys": ["conv:1", "empty"]}})
    import_(other, "other", check(path), "", Progress("imported", 7), time.time)
    assert (set(deployed.other.values), pauses) == ({"conv:1", "empty"}, [1])

    for _ in range(TRIES):
        deployed.failing.next("PUT", 200, {"result": {"unsuccessful_keys": ["empty"]}})
    with pytest.raises(CareError, match="did not write 1 of 7 keys"):
        import_(other, "other", check(path), "replace", Progress("imported", 7), time.time)


def test_a_namespace_with_keys_is_not_touched_unless_told(deployed: Deployed) -> None:
    fill(deployed.here, many=1100)
    path = deployed.folder / "all.jsonl"
    deployed.export(path)
    mine = {"conv:1": b"newer", "zzz": b"mine", "res:00500": b"newer too"}

    deployed.other.values |= mine
    status, printed = deployed.copy(path)
    assert (status, deployed.other.values) == (1, mine)
    assert "MERGE=keep" in printed
    assert "neither keep nor replace" in deployed.copy(path, "MERGE=both")[1]

    status, printed = deployed.copy(path, "MERGE=keep")
    assert (status, printed.splitlines()[-1]) == (0, "Wrote 1,105 of 1,107 keys; 2 were there already and are kept.")
    assert deployed.other.values == deployed.here.values | mine

    assert deployed.copy(path, "MERGE=replace")[0] == 0
    assert deployed.other.values == mine | deployed.here.values


def test_what_has_expired_is_left_out_and_what_is_about_to_lives_a_minute(deployed: Deployed) -> None:
    now = int(time.time())
    path = deployed.folder / "all.jsonl"
    lives = {"a": now, "b": now + 1, "c": now + 30, "d": now + 599, "e": now + 10_000, "f": None}
    records = [
        {"key": name, "text": "1"} | ({"expires": expires} if expires else {}) for name, expires in lives.items()
    ]
    write_export(path, [{"waypost-export": 1}, *records])

    other, progress = deployed.namespace(deployed.other), Progress("imported", 6)
    done = import_(other, "other", check(path), "", progress, lambda: now)

    assert (done.written, done.expired, done.prolonged, done.kept) == (5, 1, 2, 0)
    assert set(deployed.other.values) == set("bcdef")
    stored = deployed.other.expirations
    assert (stored["e"], "f" in stored) == (now + 10_000, False)
    assert stored["b"] == stored["c"] >= now + 60
    assert stored["d"] - stored["c"] == 599 - 60


def write_export(path: Path, rows: list[Any]) -> None:
    """Write an export by what its documentation says, with nothing of its code."""
    count = len(rows) - 1
    rows = [*rows, {"through": rows[-1]["key"], "cursor": "", "records": count, "gone": 0}]
    text = "".join(f"{json.dumps(row)}\n" for row in rows).replace('{"key": ', '{"key":').encode()
    end = {"end": True, "records": count, "gone": 0, "sha256": hashlib.sha256(text).hexdigest()}
    path.write_bytes(text + json.dumps(end).encode() + b"\n")


def test_another_signing_key_is_refused_unless_told(deployed: Deployed) -> None:
    fill(deployed.here)
    path = deployed.folder / "all.jsonl"
    deployed.export(path)
    assert deployed.deployment.health is not None

    deployed.deployment.health["signingKeys"] = ["another"]
    status, printed = deployed.copy(path)
    assert (status, deployed.other.values) == (1, {})
    assert "another SIGNING_KEY" in printed

    deployed.deployment.health["signingKeys"] = ["another", "the-key-in-force"]
    assert deployed.copy(path)[0] == 0
    deployed.deployment.health = None
    assert deployed.copy(path, "MERGE=replace")[0] == 1
    assert deployed.copy(path, "MERGE=replace", "ANY_KEY=1")[0] == 0


def test_an_export_without_a_key_asks_for_a_word_at_its_import(deployed: Deployed) -> None:
    fill(deployed.here)
    deployed.export(deployed.folder / "all.jsonl", "ANY_KEY=1")
    status, printed = deployed.copy(deployed.folder / "all.jsonl")
    assert (status, "does not say which key" in printed) == (1, True)


def test_a_disk_that_is_full_ends_the_export_in_one_sentence_and_it_goes_on(deployed: Deployed) -> None:
    fill(deployed.here, many=2000)
    path = deployed.folder / "all.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        status, printed = deployed.run("export", f"FILE={path}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (status, "can't be written" in printed) == (1, True)
    assert path.with_name("all.jsonl.partial").stat().st_size > 0
    assert "has 2,007 keys" in deployed.export(path)
    assert deployed.copy(path)[0] == 0
    assert deployed.other.values == deployed.here.values
