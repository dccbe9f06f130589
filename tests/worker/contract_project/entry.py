"""The entry point of a Worker that runs the KV contract on its own binding, one case a request: `POST /{case}`; and
what is recorded of requests on the sinks of the runtime: `POST /sinks`."""

import json
import traceback
from typing import Any

import js
from workers import WorkerEntrypoint, import_from_javascript

import kv_contract
from waypost_worker.cloudflare.clock import CloudflareClock
from waypost_worker.cloudflare.kv import CloudflareKv
from waypost_worker.cloudflare.sinks import CloudflareSinks, deployed_version
from waypost_worker.cloudflare.worker import NAMESPACE
from waypost_worker.kv.store import KvError
from waypost_worker.telemetry.data_point import data_point
from waypost_worker.telemetry.record import RequestRecord
from waypost_worker.telemetry.request_log import request_line


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        name = request.js_object.url.rpartition("/")[2]
        namespace = getattr(import_from_javascript("cloudflare:workers").env, NAMESPACE)
        if name.startswith("cached-for-"):
            return _reply(await _refusals(CloudflareKv(namespace, int(name.removeprefix("cached-for-")))))
        if name == "sinks":
            return _reply(_recorded())
        if name not in kv_contract.CASES:
            return _reply({"known": sorted(kv_contract.CASES)})
        kv = CloudflareKv(namespace)
        try:
            await kv_contract.CASES[name](kv, CloudflareClock())
        except Exception:
            return _reply({"outcome": "failed", "traceback": traceback.format_exc()})
        return _reply({"outcome": "passed"})


async def _refusals(kv: CloudflareKv) -> dict[str, str]:
    """The three ways to read -> why the store refused; empty where it did not."""
    refusals = {}
    reads = {"get": lambda: kv.get("a"), "get_bytes": lambda: kv.get_bytes("a"), "get_many": lambda: kv.get_many(["a"])}
    for name, read in reads.items():
        try:
            await read()
            refusals[name] = ""
        except KvError as error:
            refusals[name] = str(error)
    return refusals


def _recorded() -> dict[str, Any]:
    """What a dataset and a console are called with, as JSON. Array.push stands for both; the last dataset throws."""
    record = RequestRecord("GET", "id", 0, True, "/health", 200)
    points, lines = js.Array.new(), js.Array.new()
    keeping, throwing = js.Object.new(), js.Object.new()
    keeping.writeDataPoint = points.push.bind(points)
    # Throws at everything that is no number.
    throwing.writeDataPoint = js.BigInt
    bound = import_from_javascript("cloudflare:workers").env.WAYPOST_REQUESTS
    for dataset in (keeping, bound, throwing, None):
        sinks = CloudflareSinks(dataset, deployed_version(None))
        sinks._log = sinks._error = lines.push.bind(lines)
        sinks.write_point(data_point(record, "upload-1"))
    sinks.write_line(request_line(record), is_error=False, is_on_platform=True)
    sinks.write_line(request_line(record), is_error=False, is_on_platform=False)
    return {"points": json.loads(js.JSON.stringify(points)), "lines": json.loads(js.JSON.stringify(lines))}


def _reply(body: dict[str, Any]) -> Any:
    return js.Response.new(json.dumps(body))
