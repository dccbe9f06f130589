"""The entry point of a Worker that runs the KV contract on its own binding, one case a request: `POST /{case}`."""

import json
import traceback
from typing import Any

import js
from workers import WorkerEntrypoint, import_from_javascript

import kv_contract
from waypost_worker.cloudflare.clock import CloudflareClock
from waypost_worker.cloudflare.kv import CloudflareKv
from waypost_worker.cloudflare.worker import NAMESPACE
from waypost_worker.kv.store import KvError


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        name = request.js_object.url.rpartition("/")[2]
        namespace = getattr(import_from_javascript("cloudflare:workers").env, NAMESPACE)
        if name.startswith("cached-for-"):
            return _reply(await _refusals(CloudflareKv(namespace, int(name.removeprefix("cached-for-")))))
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


def _reply(body: dict[str, Any]) -> Any:
    return js.Response.new(json.dumps(body))
