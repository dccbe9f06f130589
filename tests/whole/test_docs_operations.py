"""docs/operations.md: its tables are those of the code, and its commands answer on lines of the service."""

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from simulation.client import KEY, make_client
from tests.support.docs import page, table_rows
from tests.support.mcp_client import connected
from tests.support.sinks import ListSinks
from waypost_worker.settings import Settings
from waypost_worker.telemetry.data_point import BLOBS, DOUBLES
from waypost_worker.telemetry.metrics import Metrics
from waypost_worker.telemetry.prometheus import encode_metrics
from waypost_worker.telemetry.request_log import LEVELS, _Kv, _Line

PAGE = page("docs/operations.md")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
COMMANDS = re.findall(r"^(jq .*)$", PAGE, re.MULTILINE)
has_jq = pytest.mark.skipif(
    shutil.which("jq") is None, reason="jq, which the commands of the page are for, is not here"
)


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_the_columns_of_a_data_point_are_those_of_the_code():
    rows = {names(column)[0]: names(content)[0] for column, content in table_rows(PAGE, "Data points")}
    columns = {f"blob{number}": name for number, name in enumerate(BLOBS, 1)}
    columns |= {f"double{number}": name for number, name in enumerate(DOUBLES, 1)}
    assert rows == {"index1": "route", **columns}


def test_the_fields_of_a_line_are_those_of_the_code():
    rows = table_rows(PAGE, "The log")
    named = [name for cell, _ in rows for name in names(cell)]
    assert sorted(named) == sorted(field.encode_name for field in msgspec.structs.fields(_Line))
    of_kv = next(names(meaning) for cell, meaning in rows if names(cell) == ["kv"])
    assert sorted(of_kv) == sorted(field.encode_name for field in msgspec.structs.fields(_Kv))
    assert all(f"`{level}`" in PAGE for level in LEVELS)


def test_the_metrics_are_those_of_the_code():
    served = encode_metrics(Metrics(0), "", "", 0, {}).decode()
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", served, re.MULTILINE))
    assert {names(name)[0]: kind for name, kind, _ in table_rows(PAGE, "Metrics")} == types


def test_the_queries_name_only_columns_that_there_are():
    queries = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    used = {column for query in queries for column in re.findall(r"\b(?:blob|double)\d+\b", query)}
    there = {f"blob{number + 1}" for number in range(len(BLOBS))} | {
        f"double{number + 1}" for number in range(len(DOUBLES))
    }
    assert len(queries) == 4
    assert used <= there


async def lines() -> list[dict[str, object]]:
    """The lines of calls that succeed, fail, find no tab, are delivered late and have a trace."""
    sinks = ListSinks()
    client = make_client(Settings(signing_keys=(KEY,)), sinks=sinks)
    session = await client.open_session()
    traced = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    body = {"code": session.code, "tool": "t", "id": "r"}
    await client.call("POST", "/api/request", body, headers=traced)
    await asyncio.sleep(30)
    await client.poll(session.code, session.host)
    await client.call(
        "POST", "/api/response", {"code": session.code, "id": "r", "result": 1}, token=session.host, headers=traced
    )
    await client.call("GET", "/api/sessions/00000000")
    await client.call("GET", "/api/sessions/00000000")
    mcp = await connected(is_modern=True, client=client)
    stream = await mcp.stream("tools/call", {"name": "t"})
    await stream.until_over()
    return sinks.lines


@has_jq
async def test_the_commands_answer_their_questions(tmp_path: Path):
    recorded = await lines()
    (tmp_path / "lines.json").write_text("".join(json.dumps(line) + "\n" for line in recorded))
    slow, failing, cost, meeting, one = [run(command, tmp_path) for command in COMMANDS]
    assert ["/api/sessions/{code}", "2", "0", "0"] in rows(slow)
    assert [row[:4] for row in rows(failing)] == [
        ["2", "session_not_found", "anonymous", "/api/sessions/{code}"],
        ["1", "tab_away", "mcp", "/mcp/{code}"],
    ]
    counted = json.loads(cost)
    assert counted["requests"] == len(recorded)
    assert counted["writes"] == sum(line.get("kv", {}).get("writes", 0) for line in recorded)  # type: ignore[attr-defined]
    assert counted["dollars"] > 0
    assert rows(meeting) == [["host", "1", "30000", "30000"]]
    assert [json.loads(line)["route"] for line in one.splitlines()] == ["/api/request", "/api/response"]


@has_jq
async def test_what_wrangler_tail_prints_becomes_lines(tmp_path: Path):
    line = (await lines())[0]
    logs = [{"message": [line], "level": "log"}, {"message": ["[id] a text"], "level": "error"}]
    (tmp_path / "tail").write_text(json.dumps({"outcome": "ok", "logs": logs}, indent=2))
    [command] = re.findall(r"wrangler tail --format json \| (jq .*) > lines.json$", PAGE, re.MULTILINE)
    assert json.loads(run(f"{command} tail", tmp_path)) == line


def run(command: str, folder: Path) -> str:
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env={"PATH": "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin", "ID": TRACE},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def rows(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]
