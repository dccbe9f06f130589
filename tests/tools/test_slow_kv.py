"""The waits of the slow KV lie as their percentiles say, and a configuration is bound to it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from bench.measure.stats import percentile
from tools.local.harness.slow_kv import PLATFORM, SCRIPT, SlowKvWorkers, constant
from tools.local.local_worker import ROOT

DRAWN = 20_000
ALONE = """
const waits = [];
latencies = { get: %s };
globalThis.scheduler = { wait: async (ms) => waits.push(ms) };
for (let number = 0; number < %d; number++) await slowly("get", Promise.resolve());
console.log(JSON.stringify(waits));
"""
CONFIG = """name = "other"
main = "worker.js"

[[kv_namespaces]]
binding = "WAYPOST"
id = "1"

[vars]
PLAN = "free"
"""


def waits(points: list[tuple[float, float]]) -> list[float]:
    script = SCRIPT.read_text().replace(
        'import { WorkerEntrypoint } from "cloudflare:workers";', "class WorkerEntrypoint {}"
    )
    script += ALONE % (json.dumps(points), DRAWN)
    node = ROOT / "node_modules" / ".bin" / "node"
    line = [str(node), "--input-type=module", "-"]
    printed = subprocess.run(line, input=script, capture_output=True, text=True, check=True).stdout
    found: list[float] = json.loads(printed)
    return found


def test_waits_are_drawn_from_the_percentiles_the_same_at_every_run() -> None:
    expected = PLATFORM["get"]
    found = waits(expected.percentiles())
    assert len(found) == DRAWN
    assert found == waits(expected.percentiles())
    for percent, milliseconds in ((50, expected.median), (95, expected.p95), (99, expected.p99)):
        assert abs(percentile(found, percent) / milliseconds - 1) < 0.1
    assert expected.fastest <= min(found) <= max(found) <= expected.p99


def test_a_constant_latency_does_not_vary() -> None:
    assert set(waits(constant(200)["get"].percentiles())) == {200}


def test_a_project_is_bound_to_a_slow_namespace_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    config = tmp_path / "other" / "wrangler.toml"
    config.write_text(CONFIG)
    SlowKvWorkers(tmp_path / "front", {"javascript": tmp_path / "other"}, OPENAI_MODEL="m").stop()
    assert 'props = { namespace = "KV_javascript" }' in config.read_text()
    assert "kv_namespaces" not in config.read_text()
    assert 'PLAN = "paid"' in config.read_text()
    assert 'PLAN = "free"' not in config.read_text()
    assert '[[kv_namespaces]]\nbinding = "KV_javascript"\n' in (tmp_path / "front" / "wrangler.toml").read_text()
