"""`make undeploy`: says what it would remove, asks, and removes the Worker and the namespace of `make deploy`."""

from __future__ import annotations

from dataclasses import dataclass

from tools.deploy.api import Api
from tools.deploy.configuration import Configuration
from tools.deploy.found import Found, found
from tools.deploy.namespace import NEEDS, Namespace, namespaces
from tools.deploy.steps import Tools, saying_what_is_left


@dataclass(frozen=True)
class Removal:
    """What is to be removed, and what is kept though it belongs to the Worker, each None where it is not there."""

    worker: Found | None
    namespace: Namespace | None
    kept: Namespace | None


def removal(api: Api, account: str, config: Configuration) -> Removal:
    """Look for what there is to remove: a namespace only where its title is the one that `make deploy` gives, and
    wrangler.toml does not name it as one of yours. Raises `DeployFailure`."""
    there = found(api, account, config)
    known = {one.id: one for one in namespaces(api, account)}
    mine = next((one for one in known.values() if one.title == config.namespace_title), None)
    bound = known.get(there.namespace_id or "")
    is_ours = mine is not None and mine.id != config.namespace_id
    return Removal(
        worker=there if there.exists else None,
        namespace=mine if is_ours else None,
        kept=bound if bound and not (is_ours and bound == mine) else None,
    )


def described(found: Removal, config: Configuration) -> str:
    """Return the list for the person who is asked."""
    lines = []
    if found.worker is not None:
        addresses = "".join(f", {domain.hostname}" for domain in found.worker.domains)
        lines.append(f"- the Worker {config.worker}{addresses}, with its secrets: every token and session ends")
    if found.namespace is not None:
        lines.append(
            f"- the KV namespace {found.namespace.title} ({found.namespace.id}), with all that is stored in it"
        )
    text = "This removes, for good:\n" + "\n".join(lines)
    if found.kept is not None:
        text += f"\nThe KV namespace {found.kept.title} ({found.kept.id}) is yours, and stays."
    return text


def undeploy(config: Configuration, tools: Tools, *, is_sure: bool) -> None:
    """Remove a deployment, after a yes. Raises `DeployFailure` where something stays that was to go."""
    api = tools.api()
    where = tools.account(api, config)
    there = removal(api, where.id, config)
    if there.worker is None and there.namespace is None:
        tools.say(f"The account {where.name} has no Worker {config.worker} and no namespace of it: nothing to remove.")
        return
    tools.say(described(there, config))
    if not is_sure and tools.ask("Remove all of this? [y/N] ").lower() not in ("y", "yes"):
        tools.say("Nothing was removed.")
        return
    with saying_what_is_left() as left:
        if there.worker is not None:
            left[:] = ["Nothing was removed: run the command again."]
            for domain in there.worker.domains:
                doing = f"detach {domain.hostname}"
                api.call("DELETE", f"/accounts/{where.id}/workers/domains/{domain.id}", doing)
            api.call(
                "DELETE",
                f"/accounts/{where.id}/workers/scripts/{config.worker}?force=true",
                f"delete the Worker {config.worker}",
            )
            tools.say(f"Removed the Worker {config.worker}.")
        if there.namespace is not None:
            left[:] = [f"The KV namespace {there.namespace.title} is still there: run the command again."]
            path = f"/accounts/{where.id}/storage/kv/namespaces/{there.namespace.id}"
            api.call("DELETE", path, f"delete the KV namespace {there.namespace.title}", needs=NEEDS)
            tools.say(f"Removed the KV namespace {there.namespace.title}.")
