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


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        name = request.js_object.url.rpartition("/")[2]
        if name not in kv_contract.CASES:
            return _reply({"known": sorted(kv_contract.CASES)})
        kv = CloudflareKv(getattr(import_from_javascript("cloudflare:workers").env, NAMESPACE))
        try:
            await kv_contract.CASES[name](kv, CloudflareClock())
        except Exception:
            return _reply({"outcome": "failed", "traceback": traceback.format_exc()})
        return _reply({"outcome": "passed"})


def _reply(body: dict[str, Any]) -> Any:
    return js.Response.new(json.dumps(body))
