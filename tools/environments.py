"""Writes the environments at the end of wrangler.toml from its top and environments.toml: `npm run environments`.

wrangler passes neither variables nor bindings on to an environment, and uploads one that lacks them. So each repeats
the top; where one does not, a test and `make deploy` say so.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.local.local_worker import ROOT

CONFIG = ROOT / "wrangler.toml"
DIFFERENCES = ROOT / "environments.toml"
BEGIN, END = "# environments: begin\n", "# environments: end\n"
NOTE = "# Written by `npm run environments` from the settings above and environments.toml: change those.\n"

NAMESPACE_IDS = "namespace_ids"
"""The key of environments.toml whose number is added to each `namespace_id`."""

SHARED = frozenset({"ai", "browser", "define", "images", "media", "secrets", "vars", "version_metadata"})
"""Keys that name nothing in the account: an environment has them as they are at the top."""

OWN = frozenset({"analytics_engine_datasets", "kv_namespaces", "ratelimits"})
"""Keys that name something in the account. An environment gets another one, made from the name or number at the top."""

# fmt: off
OTHERS = frozenset({
    "agent_memory", "ai_search", "ai_search_namespaces", "analytics", "artifacts", "cloudchamber", "connect",
    "containers", "d1_databases", "dispatch_namespaces", "durable_objects", "flagship", "hyperdrive", "k2",
    "mtls_certificates", "pipelines", "queues", "r2_buckets", "secrets_store_secrets", "send_email", "services",
    "stream", "streaming_tail_consumers", "tail_consumers", "unsafe", "unsafe_hello_world", "vectorize",
    "vpc_networks", "vpc_services", "worker_loaders", "workflows",
})
# fmt: on
"""Further keys that wrangler does not pass on. environments.toml must say what each environment has there."""

ADDRESSES = ("route", "routes")
"""Keys that wrangler does pass on, though no two Workers can have the same."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BLOCK = re.compile(rf"\n*^{BEGIN}.*?^{END}", re.MULTILINE | re.DOTALL)


class EnvironmentsError(Exception):
    """The two files do not say what an environment has; the message is a sentence that says what to do."""


def environment(top: Mapping[str, Any], name: str, differences: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table `env.{name}` for a wrangler.toml with this top. Raises `EnvironmentsError`."""
    if not isinstance(differences, Mapping):
        raise EnvironmentsError(f"environments.toml must have [{name}] to be a table.")
    differences = dict(differences)
    shift = differences.pop(NAMESPACE_IDS, 0)
    made: dict[str, Any] = {}
    for key, value in top.items():
        if key in SHARED:
            made[key] = copy.deepcopy(value)
        elif key in OWN:
            made[key] = [_own(key, table, name, shift) for table in value]
        elif key in (*OTHERS, *ADDRESSES) and key not in differences:
            raise EnvironmentsError(
                f"wrangler.toml has {key}: say in environments.toml what [{name}] has there, since no two Workers "
                "should have the same by accident."
            )
    for unknown in differences.get("vars", {}).keys() - made.get("vars", {}).keys():
        raise EnvironmentsError(
            f"environments.toml has {unknown} in [{name}.vars], and wrangler.toml has no such variable."
        )
    return made | {key: _merged(made.get(key), value, f"{name}.{key}") for key, value in differences.items()}


def _own(key: str, table: Mapping[str, Any], name: str, shift: object) -> dict[str, Any]:
    if key == "kv_namespaces":
        # Without an id, wrangler makes the namespace with the first deployment.
        return {field: value for field, value in table.items() if field not in ("id", "preview_id")}
    if key == "analytics_engine_datasets":
        return {**table, "dataset": f"{table.get('dataset', table['binding'])}_{name}"}
    if not isinstance(shift, int) or shift < 1:
        raise EnvironmentsError(
            f"environments.toml has no number {NAMESPACE_IDS} in [{name}]: without one, its requests would be counted "
            "with those of the top."
        )
    return {**table, "namespace_id": str(int(table["namespace_id"]) + shift)}


def _merged(here: Any, difference: Any, where: str) -> Any:
    """Return `here` with the difference: tables key by key, tables of a list by their name, all else replaced."""
    if isinstance(here, list) and isinstance(difference, dict):
        merged = [_merged(table, difference.get(_name(table), {}), where) for table in here]
        for name in difference.keys() - {_name(table) for table in here}:
            raise EnvironmentsError(f"environments.toml has [{where}.{name}], and wrangler.toml has no such binding.")
        return merged
    if isinstance(here, dict) and isinstance(difference, dict):
        return here | {key: _merged(here.get(key), value, where) for key, value in difference.items()}
    return difference


def _name(table: Mapping[str, Any]) -> str:
    return str(table.get("binding") or table["name"])


def environments(top: Mapping[str, Any], differences: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of all environments, by name. Raises `EnvironmentsError`, also where two share a budget."""
    made = {name: environment(top, name, table) for name, table in differences.items()}
    seen: dict[str, str] = {}
    for name, table in {"the top": top, **made}.items():
        for limit in table.get("ratelimits", ()):
            other = seen.setdefault(limit["namespace_id"], name)
            if other != name:
                raise EnvironmentsError(
                    f"{name} and {other} both have the namespace_id {limit['namespace_id']}: change {NAMESPACE_IDS}."
                )
    return made


def written(config: str, differences: str) -> str:
    """Return the text of the wrangler.toml `config` with its environments made from the text of an environments.toml.

    Raises `EnvironmentsError`.
    """
    bare = _BLOCK.sub("", config).rstrip("\n") + "\n"
    try:
        top, wanted = tomllib.loads(bare), tomllib.loads(differences)
    except tomllib.TOMLDecodeError as error:
        raise EnvironmentsError(f"wrangler.toml or environments.toml is not TOML: {error}.") from error
    made = environments(top, wanted)
    text = f"{bare}\n{BEGIN}{NOTE}" + "".join(_block(name, table) for name, table in made.items()) + END
    if tomllib.loads(text) != top | {"env": top.get("env", {}) | made}:
        raise ValueError("What was written is not what was meant.")
    return text


def _block(name: str, table: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in table.items() if key != "vars"}
    lines = [f"[env.{name}]", *(f"{_key(key)} = {_value(value, nested=False)}" for key, value in plain.items())]
    if "vars" in table:
        lines += ["", f"[env.{name}.vars]", *(f"{_key(key)} = {_value(value)}" for key, value in table["vars"].items())]
    return "\n".join(lines) + "\n\n"


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else json.dumps(key)


def _value(value: object, *, nested: bool = True) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        inner = [_value(item) for item in value]
        if nested or not any(isinstance(item, Mapping) for item in value):
            return "[" + ", ".join(inner) + "]"
        # One table of a list a line.
        return "[\n" + "".join(f"  {item},\n" for item in inner) + "]"
    # JSON writes strings, booleans and numbers as TOML does, but for U+007F.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def problem(config: Path = CONFIG, differences: Path = DIFFERENCES) -> str | None:
    """Return the sentence that says why the environments of a wrangler.toml can't be used; None where they can.

    In a file without the block they are somebody's own, and not looked at.
    """
    text = config.read_text()
    try:
        if BEGIN not in text or written(text, differences.read_text()) == text:
            return None
    except EnvironmentsError as error:
        return str(error)
    return "The environments in wrangler.toml are not made from its present top: run `npm run environments`."


def main() -> int:
    """Write the environments, or with `--check` only compare them, and return the exit status."""
    parser = argparse.ArgumentParser(prog="npm run environments --")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail where something would change")
    found = None
    try:
        if parser.parse_args().check:
            found = problem()
        else:
            CONFIG.write_text(written(CONFIG.read_text(), DIFFERENCES.read_text()))
    except EnvironmentsError as error:
        found = str(error)
    if found:
        print(found, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
