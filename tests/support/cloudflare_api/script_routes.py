"""Workers: upload as a whole or as a version, deployments, secrets, settings, static files, deletion."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.support.cloudflare_api.account import Account, Version, Worker
from tests.support.cloudflare_api.routing import ApiError, Request, Routes

SCRIPT_ROUTES = Routes()
SCRIPT = "/accounts/{account}/workers/scripts/{script}"


def found(account: Account, script: str) -> Worker:
    """Return the Worker with this name. Raises `ApiError`."""
    if script not in account.workers:
        raise ApiError(404, 10007, "This Worker does not exist on your account.")
    return account.workers[script]


def _uploaded(account: Account, script: str, request: Request) -> Version:
    """Add a version with the modules and bindings of a form; raises `ApiError` where a binding leads nowhere."""
    form = request.form
    metadata = json.loads(form.pop("metadata"))
    before = account.workers.get(script)
    version = Version(account.new_id(), metadata, form, _bindings(account, before, metadata))
    worker = before or Worker(script, account.new_id())
    for binding in version.bindings:
        if binding["type"] == "secret_text" and "text" in binding:
            worker.secrets[binding["name"]] = binding.pop("text")
    account.workers[script] = worker
    worker.versions.append(version)
    return version


def _bindings(account: Account, before: Worker | None, metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the bindings that an upload ends up with: its own, the inherited ones, and all secrets."""
    old = {binding["name"]: binding for binding in (before.bindings if before else [])}
    if before:
        old |= {name: {"type": "secret_text", "name": name} for name in before.secrets}
    bindings: dict[str, dict[str, Any]] = {}
    for binding in metadata["bindings"]:
        name = binding["name"]
        if binding["type"] == "inherit":
            if name not in old:
                raise ApiError(400, 10057, f"inherit binding '{name}' is invalid: no such binding in the last version")
            binding = old[name]
        elif binding["type"] == "kv_namespace" and binding["namespace_id"] not in account.namespaces:
            raise ApiError(
                400,
                10041,
                f"KV namespace '{binding['namespace_id']}' not found. Please verify the namespace_id in your "
                "configuration.",
            )
        bindings[name] = dict(binding)
    for name, binding in old.items():
        if binding["type"] in metadata.get("keep_bindings", ["secret_text"]):
            bindings.setdefault(name, binding)
    return list(bindings.values())


def _deploy(account: Account, worker: Worker, versions: list[dict[str, Any]]) -> dict[str, Any]:
    deployment = {"id": account.new_id(), "strategy": "percentage", "versions": versions, "annotations": {}}
    deployment |= {"source": "wrangler", "author_email": "tester@example.com", "created_on": "2026-11-26T12:00:00Z"}
    worker.deployments.insert(0, deployment)
    return deployment


@SCRIPT_ROUTES.on("GET", "/accounts/{account}/workers/scripts")
def scripts(account: Account, _: Request) -> list[dict[str, Any]]:
    return [{"id": worker.name, "tag": worker.tag} for worker in account.workers.values()]


@SCRIPT_ROUTES.on("GET", "/accounts/{account}/workers/services/{script}")
def service(account: Account, _: Request, script: str) -> dict[str, Any]:
    if script not in account.workers:
        raise ApiError(404, 10090, "This Worker does not exist on your account.")
    worker = account.workers[script]
    described = {"id": worker.name, "tag": worker.tag, "tags": worker.tags, "last_deployed_from": "wrangler"}
    return {"id": script, "default_environment": {"environment": "production", "script": described}}


@SCRIPT_ROUTES.on("DELETE", "/accounts/{account}/workers/services/{script}")
@SCRIPT_ROUTES.on("DELETE", SCRIPT)
def delete(account: Account, _: Request, script: str) -> None:
    del account.workers[found(account, script).name]


@SCRIPT_ROUTES.on("GET", "/accounts/{account}/workers/durable_objects/namespaces")
def durable_objects(_: Account, __: Request) -> list[dict[str, Any]]:
    return []


@SCRIPT_ROUTES.on("PUT", SCRIPT)
def upload(account: Account, request: Request, script: str) -> dict[str, Any]:
    version = _uploaded(account, script, request)
    worker = account.workers[script]
    _deploy(account, worker, [{"version_id": version.id, "percentage": 100}])
    return {"id": script, "etag": version.id, "startup_time_ms": 12, "deployment_id": version.id, "tag": worker.tag}


@SCRIPT_ROUTES.on("GET", SCRIPT + "/versions")
def versions(account: Account, _: Request, script: str) -> dict[str, Any]:
    return {"items": [_described(version) for version in reversed(found(account, script).versions)]}


@SCRIPT_ROUTES.on("POST", SCRIPT + "/versions")
def upload_version(account: Account, request: Request, script: str) -> dict[str, Any]:
    found(account, script)
    version = _uploaded(account, script, request)
    return _described(version) | {"startup_time_ms": 12}


@SCRIPT_ROUTES.on("GET", SCRIPT + "/versions/{version}")
def version(account: Account, _: Request, script: str, version: str) -> dict[str, Any]:
    for one in found(account, script).versions:
        if one.id == version:
            return _described(one)
    raise ApiError(404, 10207, "This version does not exist.")


@SCRIPT_ROUTES.on("GET", SCRIPT + "/deployments")
def deployments(account: Account, _: Request, script: str) -> dict[str, Any]:
    return {"deployments": found(account, script).deployments}


@SCRIPT_ROUTES.on("POST", SCRIPT + "/deployments")
def deploy(account: Account, request: Request, script: str) -> dict[str, Any]:
    return _deploy(account, found(account, script), request.json["versions"])


@SCRIPT_ROUTES.on("GET", SCRIPT + "/settings")
def settings(account: Account, _: Request, script: str) -> dict[str, Any]:
    worker = found(account, script)
    return {"bindings": worker.bindings, "tags": worker.tags, "compatibility_date": "2026-11-17"}


@SCRIPT_ROUTES.on("PATCH", SCRIPT + "/script-settings")
def change_settings(account: Account, request: Request, script: str) -> dict[str, Any]:
    worker = found(account, script)
    worker.tags = request.json.get("tags") or worker.tags
    return {"tags": worker.tags}


@SCRIPT_ROUTES.on("GET", SCRIPT + "/secrets")
def secrets(account: Account, _: Request, script: str) -> list[dict[str, Any]]:
    return [{"name": name, "type": "secret_text"} for name in found(account, script).secrets]


@SCRIPT_ROUTES.on("PUT", SCRIPT + "/secrets")
def put_secret(account: Account, request: Request, script: str) -> dict[str, Any]:
    found(account, script).secrets[request.json["name"]] = request.json["text"]
    return {"name": request.json["name"], "type": "secret_text"}


@SCRIPT_ROUTES.on("GET", "/accounts/{account}/workers/workers/{script}")
def on_workers_dev(account: Account, _: Request, script: str) -> dict[str, Any]:
    worker = found(account, script)
    return {"id": worker.tag, "name": script, "subdomain": {"enabled": worker.is_on_workers_dev}}


@SCRIPT_ROUTES.on("POST", SCRIPT + "/subdomain")
def put_on_workers_dev(account: Account, request: Request, script: str) -> dict[str, Any]:
    worker = found(account, script)
    worker.is_on_workers_dev = request.json["enabled"]
    return {"enabled": worker.is_on_workers_dev, "previews_enabled": request.json["previews_enabled"]}


@SCRIPT_ROUTES.on("POST", SCRIPT + "/assets-upload-session")
def assets_session(account: Account, request: Request, script: str) -> dict[str, Any]:
    wanted = {entry["hash"] for entry in request.json["manifest"].values()} - account.assets
    return {"jwt": _jwt(script), "buckets": [sorted(wanted)] if wanted else []}


@SCRIPT_ROUTES.on("POST", "/accounts/{account}/workers/assets/upload")
def upload_assets(account: Account, request: Request) -> dict[str, Any]:
    account.assets |= set(request.form)
    return {"jwt": _jwt("complete")}


def _described(version: Version) -> dict[str, Any]:
    return {
        "id": version.id,
        "number": 1,
        "metadata": {"created_on": "2026-11-26T12:00:00Z", "author_email": "tester@example.com", "source": "wrangler"},
        "annotations": version.metadata.get("annotations") or {},
        "resources": {"bindings": version.bindings, "script": {"etag": version.id}, "script_runtime": {}},
    }


def _jwt(subject: str) -> str:
    """A token in the form of those that are signed; wrangler reads what it says."""
    said = [{"alg": "none"}, {"sub": subject}]
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in said), "x"])
