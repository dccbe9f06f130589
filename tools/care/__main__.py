"""The commands of `make` that look after a deployment."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.care.account import find_account, find_namespace, find_token, find_url, find_worker, health_of, signing_keys
from tools.care.api import PUBLIC, Api, Refused
from tools.care.check_file import check
from tools.care.day_cost import chosen_day, day_of, report
from tools.care.export import export, header
from tools.care.imports import MERGES, import_
from tools.care.local_store import local_signing_keys, local_store
from tools.care.namespace import Namespace
from tools.care.problem import CareError
from tools.care.progress import Progress
from tools.care.rollback import rollback
from tools.care.rotate import Rotation
from tools.care.wrangler import Run, wrangler_of
from tools.local.local_worker import ROOT

VERSION_ID = re.compile(r"[0-9a-f-]{32,36}")

PERSONAL = (
    "It holds people's data: only you may read it; keep it where you keep secrets, and delete it when it has served."
)


@dataclass(frozen=True)
class Place:
    """A namespace, what it is called in files, and the keys whose tokens are accepted there (`None`: not asked for)."""

    namespace: Namespace
    name: str
    keys: tuple[str, ...] | None


@contextmanager
def opened(options: argparse.Namespace, environment: Mapping[str, str], progress: Progress) -> Iterator[Place]:
    """The place that the command line names. Raises `CareError`."""
    if options.local:
        keys = None if options.any_key else local_signing_keys()
        with local_store() as namespace:
            yield Place(namespace, "local", keys)
        return
    config = wrangler_config()
    worker = find_worker(config, options.env)
    with make_api(environment, progress) as api:
        account = find_account(api, environment, config)
        id = options.namespace or find_namespace(api, account, worker)
        keys = None if options.any_key else signing_keys(options.url or find_url(api, account, worker))
        path = f"/accounts/{account}/storage/kv/namespaces/{id}"
        yield Place(Namespace(api, path, is_exact=getattr(options, "exact", False)), id, keys)


def make_api(environment: Mapping[str, str], progress: Progress) -> Api:
    """Cloudflare's API with the token of this person. Raises `CareError`."""
    return Api(find_token(environment), environment.get("CLOUDFLARE_API_BASE_URL") or PUBLIC, say=progress.say)


def wrangler_config() -> dict[str, Any]:
    """What wrangler.toml says."""
    return tomllib.loads((ROOT / "wrangler.toml").read_text())


def run_export(options: argparse.Namespace, environment: Mapping[str, str]) -> str:
    """Writes the file and returns the sentence about it."""
    options.file = named_file(options)
    progress = Progress("exported")
    with opened(options, environment, progress) as place:
        made = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        first = header(made, place.name, place.keys[0] if place.keys else None)
        done = export(place.namespace, options.file, first, progress)
    progress.end()
    gone = f" ({done.gone:,} more expired or were deleted meanwhile)" if done.gone else ""
    size = options.file.stat().st_size
    return f"{options.file} has {done.records:,} keys{gone}, {size:,} bytes. {PERSONAL}"


def run_import(options: argparse.Namespace, environment: Mapping[str, str]) -> str:
    """Writes the file into the namespace and returns the sentence about it."""
    file = check(named_file(options))
    progress = Progress("imported", file.records)
    with opened(options, environment, progress) as place:
        check_key(file.signing_key, place.keys)
        progress.say(f"Writing {file.records:,} keys at most. The free plan allows 1,000 writes a day.")
        done = import_(place.namespace, place.name, file, options.merge, progress, time.time)
    progress.end()
    notes = [
        f"{number:,} {what}"
        for number, what in (
            (done.kept, "were there already and are kept"),
            (done.expired, "had expired and are left out"),
            (done.prolonged, "would have lived for less than a minute, which is the shortest life, and have that"),
        )
        if number
    ]
    return "; ".join([f"Wrote {done.written:,} of {file.records:,} keys", *notes]) + "."


def named_file(options: argparse.Namespace) -> Path:
    """The file that the command line names. Raises `CareError`."""
    if not options.file:
        raise CareError(f"Name the file: make {options.command} FILE=waypost.jsonl.gz")
    return Path(options.file)


def run_cost_of_day(options: argparse.Namespace, environment: Mapping[str, str]) -> str:
    """Returns the report about a day."""
    day = chosen_day(options.day, datetime.now(UTC).date())
    config = wrangler_config()
    worker = find_worker(config, options.env)
    with make_api(environment, Progress("asked")) as api:
        account = find_account(api, environment, config)
        return report(day_of(api, account, worker, find_namespace(api, account, worker), day), worker)


def check_key(made_with: str | None, accepted: tuple[str, ...] | None) -> None:
    """Raises `CareError` where the target does not accept tokens that the file's deployment has signed."""
    if accepted is None or made_with in accepted:
        return
    if made_with is None:
        raise CareError("The file does not say which key signed where it was made. ANY_KEY=1 imports it all the same.")
    raise CareError(
        "The target has another SIGNING_KEY than the deployment that was exported. All tokens and MCP sessions would "
        "stop working: tabs would have to open new sessions. Chats, threads and MCP addresses are not affected. Give "
        "the target the same key, or say ANY_KEY=1."
    )


def run_rotate_key(options: argparse.Namespace, environment: Mapping[str, str]) -> str:
    """Changes the signing key, or ends the change; returns the sentence about it."""
    url, run = reached(options, environment)
    rotation = Rotation(run, lambda: signing_keys(url))
    return rotation.finish(lambda question: options.yes or asked(question)) if options.finish else rotation.begin()


def run_rollback(options: argparse.Namespace, environment: Mapping[str, str]) -> str:
    """Rolls back and returns the sentence about it. Raises `CareError`."""
    if options.version and not VERSION_ID.fullmatch(options.version):
        # Anything else could be an option of wrangler's.
        raise CareError(f"{options.version} is no id of a version: `npx wrangler versions list` shows them.")
    url, run = reached(options, environment)

    def health() -> tuple[str, tuple[str, ...]]:
        shown = health_of(url)
        if shown["status"] != "ok":
            raise CareError(f"{url} is not healthy: {shown.get('detail')}")
        return str(shown.get("version")), tuple(shown.get("signingKeys") or ())

    return rollback(run, health, options.version, options.message, without_asking=options.yes)


def reached(options: argparse.Namespace, environment: Mapping[str, str]) -> tuple[str, Run]:
    """The address of the deployment, and wrangler for it. Raises `CareError`."""
    config = wrangler_config()
    worker = find_worker(config, options.env)
    run = wrangler_of(environment, worker, options.env)
    if options.url:
        return options.url, run
    with make_api(environment, Progress("")) as api:
        return find_url(api, find_account(api, environment, config), worker), run


def asked(question: str) -> bool:
    """Whether the person at the terminal says yes."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


COMMANDS = {
    "export": run_export,
    "import": run_import,
    "cost-of-day": run_cost_of_day,
    "rotate-key": run_rotate_key,
    "rollback": run_rollback,
}


def main(arguments: list[str], environment: Mapping[str, str] = os.environ) -> int:
    """Runs a command and returns the exit status: 1 after a sentence on standard error, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        command = commands.add_parser(name)
        command.add_argument("--env", default="", help="environment of wrangler.toml")
        command.add_argument("--url", default="", help="address of the deployment")
    for name in ("export", "import"):
        command = commands.choices[name]
        command.add_argument("file", nargs="?", default="")
        command.add_argument("--namespace", default="", help="id, where no Worker leads to it")
        command.add_argument("--local", action="store_true", help="the store of make dev")
        command.add_argument("--any-key", action="store_true", help="does not ask which key signs")
    commands.choices["export"].add_argument("--exact", action="store_true", help="reads each value by itself")
    commands.choices["import"].add_argument("--merge", default="", choices=["", *MERGES])
    commands.choices["cost-of-day"].add_argument("--day", default="", help="such as 2026-11-25; by default yesterday")
    commands.choices["rotate-key"].add_argument("--finish", action="store_true", help="deletes the old key")
    commands.choices["rollback"].add_argument("--version", default="", help="id, by default the version before")
    commands.choices["rollback"].add_argument("--message", default="make rollback", help="why")
    for name in ("rotate-key", "rollback"):
        commands.choices[name].add_argument("--yes", action="store_true", help="does not ask")
    options = parser.parse_args(arguments)
    try:
        print(COMMANDS[options.command](options, environment))
    except Refused as refusal:
        print(f"\nCloudflare refuses: {refusal} (status {refusal.status}, code {refusal.code}).", file=sys.stderr)
        return 1
    except CareError as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
