"""wrangler.toml for one deployment: with what the command line says otherwise, in a copy that wrangler is given.

wrangler.toml itself is never changed. The copy is JSON, which wrangler reads as well, so nothing is patched into text.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tools.deploy.failure import DeployFailure
from tools.local.local_worker import ROOT

CONFIG = ROOT / "wrangler.toml"
BINDING = "WAYPOST"
KEY = "SIGNING_KEY"
BUILD = "python3 -m tools.build"

NOWHERE = ("", "none")
"""The regions that mean: not placed, each request runs where it comes in."""
PLANS = ("free", "paid")

_REGION = re.compile(r"(?:aws|gcp|azure):[a-z0-9]+(?:-[a-z0-9]+)*")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DOMAIN = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")


@dataclass(frozen=True)
class Wanted:
    """What the command line says; None where wrangler.toml decides. `env`: empty for the settings at its top."""

    env: str = ""
    region: str | None = None
    plan: str | None = None
    domain: str | None = None
    name: str | None = None

    @property
    def which(self) -> str:
        """The words that name this Worker in another command, each after a space."""
        return (f" ENV={self.env}" if self.env else "") + (f" NAME={self.name}" if self.name else "")


@dataclass(frozen=True)
class Configuration:
    """The Worker to deploy: its name, its environment, and what wrangler.toml says, with changes.

    `which` has the words that name it in another command, each after a space. `namespace_id` is the one that
    wrangler.toml names, `account_id` as well; None where it names none.
    """

    worker: str
    which: str
    env: str
    content: dict[str, Any]
    namespace_id: str | None
    account_id: str | None
    region: str | None

    @property
    def namespace_title(self) -> str:
        """The title of the namespace that a deployment makes: the one that wrangler's own provisioning gives."""
        return f"{self.worker}-{BINDING.lower()}"

    @property
    def options(self) -> list[str]:
        """wrangler's options for the environment; naming none of several is an option as well."""
        return ["--env", self.env]

    def bound_to(self, namespace_id: str | None) -> Configuration:
        """Return this with the id of the namespace; None: wrangler makes one, or keeps the one that the Worker has."""
        content = copy.deepcopy(self.content)
        binding = _binding(_table(content, self.env))
        binding.pop("id", None)
        if namespace_id is not None:
            binding["id"] = namespace_id
        return replace(self, content=content, namespace_id=namespace_id)

    def signed_by(self, secret: str) -> Configuration:
        """Return this with the name of the secret that an upload needs, since a Worker without any can't run."""
        content = copy.deepcopy(self.content)
        _table(content, self.env)["secrets"] = {"required": [secret]}
        return replace(self, content=content)


def configuration(text: str, wanted: Wanted) -> Configuration:
    """Return what to deploy, from the text of wrangler.toml and the command line.

    Raises `DeployFailure` where a word of the command line means nothing, before anything is asked of Cloudflare.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeployFailure(f"wrangler.toml can't be read: {error}.") from error
    environments = content.get("env", {})
    if wanted.env and wanted.env not in environments:
        known = ", ".join(environments) or "none"
        raise DeployFailure(f"ENV={wanted.env} is no environment of wrangler.toml; it has: {known}.")
    table = _table(content, wanted.env)
    if BINDING not in {namespace.get("binding") for namespace in table.get("kv_namespaces", [])}:
        raise DeployFailure(
            f"wrangler.toml binds no KV namespace as {BINDING}{f' in [env.{wanted.env}]' if wanted.env else ''}, and "
            "wrangler inherits none: add kv_namespaces there."
        )
    _change(content, table, wanted)
    # Then an upload without the key fails, instead of running without one. (Not in wrangler.toml: `wrangler dev` would
    # then leave out every other line of .dev.vars.)
    table["secrets"] = {"required": [KEY]}
    worker = table["name"] if "name" in table else f"{content['name']}-{wanted.env}"
    return Configuration(
        worker,
        wanted.which,
        wanted.env,
        content,
        _named(_binding(table).get("id")),
        table.get("account_id") or content.get("account_id"),
        (table.get("placement") or content.get("placement") or {}).get("region"),
    )


def _change(content: dict[str, Any], table: dict[str, Any], wanted: Wanted) -> None:
    if wanted.name is not None:
        if not _NAME.fullmatch(wanted.name):
            raise DeployFailure(f"NAME={wanted.name} is no name of a Worker: a to z, 0 to 9 and -, 63 at most.")
        table["name"] = wanted.name
    if wanted.region is not None:
        if wanted.region not in NOWHERE and not _REGION.fullmatch(wanted.region):
            raise DeployFailure(
                f"REGION={wanted.region} is not a region: name one of a cloud (aws:eu-central-1, gcp:europe-west3, "
                "azure:westeurope), or none."
            )
        content.pop("placement", None)
        table.pop("placement", None)
        if wanted.region not in NOWHERE:
            table["placement"] = {"region": wanted.region}
    if wanted.plan is not None:
        if wanted.plan not in PLANS:
            raise DeployFailure(f"PLAN={wanted.plan} is no plan: it is free or paid, as the account is.")
        table.setdefault("vars", {})["PLAN"] = wanted.plan
    if wanted.domain is not None:
        if not _DOMAIN.fullmatch(wanted.domain):
            raise DeployFailure(
                f"DOMAIN={wanted.domain} is no domain: name one below a domain of the account, without https:// and "
                "in lower case, as in waypost.example.com."
            )
        table["workers_dev"] = False


def _table(content: dict[str, Any], env: str) -> dict[str, Any]:
    table: dict[str, Any] = content["env"][env] if env else content
    return table


def _named(id: str | None) -> str | None:
    """Return an id that wrangler.toml names; zeros stood there in earlier versions, and name none."""
    return id if id and id.strip("0") else None


def _binding(table: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in table["kv_namespaces"] if one.get("binding") == BINDING)
    return found


@contextlib.contextmanager
def written(content: dict[str, Any], folder: Path = ROOT) -> Iterator[Path]:
    """Write the copy for wrangler; it is gone afterwards.

    It lies beside wrangler.toml, since paths in it are relative to its folder; two deployments have two copies.
    """
    path = folder / f".wrangler.deploy-{os.getpid()}.json"
    path.write_text(json.dumps(content))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
