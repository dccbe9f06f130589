"""The commands of `make` that look after a deployment: their words, and the sentence with which they end."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tools.care.api import Refused
from tools.care.check_file import check
from tools.care.day_cost import chosen_day, day_of, report
from tools.care.deployment import api_of, find, health_of, signing_keys
from tools.care.export import export, header
from tools.care.imports import MERGES, check_key, import_
from tools.care.local_store import local_signing_keys, local_store
from tools.care.namespace import Namespace
from tools.care.problem import CareError
from tools.care.progress import Progress
from tools.care.rollback import rollback
from tools.care.rotate import Rotation
from tools.care.wrangler import wrangler_of
from tools.deploy.__main__ import ask
from tools.deploy.failure import DeployFailure
from tools.deploy.steps import Tools
from tools.deploy.wrangler import Wrangler

VERSION_ID = re.compile(r"[0-9a-f-]{32,36}")

PERSONAL = (
    "It holds people's data: only you may read it; keep it where you keep secrets, and delete it when it has served."
)

Words = Mapping[str, str]
"""What the command line says, as make gives it: `ENV=preview` is `{"ENV": "preview"}`."""


@dataclass(frozen=True)
class Place:
    """A namespace, what it is called in files, and the keys whose tokens are accepted there (`None`: not asked for)."""

    namespace: Namespace
    name: str
    keys: tuple[str, ...] | None


@contextmanager
def opened(words: Words, tools: Tools, progress: Progress) -> Iterator[Place]:
    """The place that the command line names. Raises `CareError` and `DeployFailure`."""
    if is_set(words, "LOCAL"):
        keys = None if is_set(words, "ANY_KEY") else local_signing_keys()
        with local_store() as namespace:
            yield Place(namespace, "local", keys)
        return
    there = find(words, tools)
    keys = None if is_set(words, "ANY_KEY") else signing_keys(there.url)
    path = f"/accounts/{there.account}/storage/kv/namespaces/{there.namespace}"
    with api_of(tools, progress.say) as api:
        yield Place(Namespace(api, path, is_exact=is_set(words, "EXACT")), there.namespace, keys)


def run_export(words: Words, tools: Tools) -> str:
    """Writes the file and returns the sentence about it."""
    file = named_file(words)
    progress = Progress("exported")
    with opened(words, tools, progress) as place:
        made = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        first = header(made, place.name, place.keys[0] if place.keys else None)
        done = export(place.namespace, file, first, progress)
    progress.end()
    gone = f" ({done.gone:,} more expired or were deleted meanwhile)" if done.gone else ""
    return f"{file} has {done.records:,} keys{gone}, {file.stat().st_size:,} bytes. {PERSONAL}"


def run_import(words: Words, tools: Tools) -> str:
    """Writes the file into the namespace and returns the sentence about it."""
    file, merge = check(named_file(words)), words.get("MERGE", "")
    if merge not in ("", *MERGES):
        raise CareError(f"MERGE={merge} is neither keep nor replace.")
    progress = Progress("imported", file.records)
    with opened(words, tools, progress) as place:
        check_key(file.signing_key, place.keys)
        if not is_set(words, "LOCAL"):
            progress.say(f"Writing {file.records:,} keys at most. The free plan allows 1,000 writes a day.")
        done = import_(place.namespace, place.name, file, merge, progress, time.time)
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


def named_file(words: Words) -> Path:
    """The file that the command line names. Raises `CareError`."""
    if not words.get("FILE"):
        raise CareError("Name the file: FILE=waypost.jsonl.gz")
    return Path(words["FILE"])


def run_cost_of_day(words: Words, tools: Tools) -> str:
    """Returns the report about a day."""
    day = chosen_day(words.get("DAY", ""), datetime.now(UTC).date())
    there = find(words, tools)
    with api_of(tools, tools.say) as api:
        return report(day_of(api, there.account, there.worker, there.namespace, day), there.worker)


def run_rotate_key(words: Words, tools: Tools) -> str:
    """Changes the signing key, or ends the change; returns the sentence about it."""
    there = find(words, tools)
    rotation = Rotation(wrangler_of(tools.environment, there.account, there.worker), lambda: signing_keys(there.url))
    if not is_set(words, "FINISH"):
        return rotation.begin()
    return rotation.finish(
        lambda question: is_set(words, "YES") or tools.ask(f"{question} [y/N] ").lower() in ("y", "yes")
    )


def run_rollback(words: Words, tools: Tools) -> str:
    """Rolls back and returns the sentence about it. Raises `CareError` and `DeployFailure`."""
    version = words.get("VERSION", "")
    if version and not VERSION_ID.fullmatch(version):
        # Anything else could be an option of wrangler's.
        raise CareError(f"VERSION={version} is no id of a version: `npx wrangler versions list` shows them.")
    there = find(words, tools)

    def health() -> tuple[str, tuple[str, ...]]:
        shown = health_of(there.url)
        if shown["status"] != "ok":
            raise CareError(f"{there.url} is not healthy: {shown.get('detail')}")
        return str(shown.get("version")), tuple(shown.get("signingKeys") or ())

    run = wrangler_of(tools.environment, there.account, there.worker)
    return rollback(run, health, version, "make rollback", without_asking=is_set(words, "YES"))


def is_set(words: Words, name: str) -> bool:
    """Whether a switch is on."""
    return words.get(name, "") not in ("", "0")


Command = Callable[[Words, Tools], str]
_DATA = ("FILE", "ENV", "NAME", "URL", "NAMESPACE", "ANY_KEY", "LOCAL")
COMMANDS: Mapping[str, tuple[Command, tuple[str, ...]]] = {
    "export": (run_export, (*_DATA, "EXACT")),
    "import": (run_import, (*_DATA, "MERGE")),
    "cost-of-day": (run_cost_of_day, ("ENV", "NAME", "DAY")),
    "rotate-key": (run_rotate_key, ("ENV", "NAME", "URL", "FINISH", "YES")),
    "rollback": (run_rollback, ("ENV", "NAME", "URL", "VERSION", "YES")),
}
"""What each does, and the words that it takes."""


def words_of(arguments: Sequence[str], known: tuple[str, ...]) -> dict[str, str]:
    """The words of a command line. Raises `CareError` for one that the command does not have."""
    words: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or name not in known:
            raise CareError(f"“{argument}” is no word of this command. It has {', '.join(known)}.")
        words[name] = value
    return words


def main(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Runs a command and returns the exit status: 1 after a sentence on standard error, 130 after Ctrl-C."""
    command, known = COMMANDS[arguments[0]]
    tools = Tools(ask, print, environment, wrangler=Wrangler(environment), has_terminal=sys.stdin.isatty())
    try:
        print(command(words_of(arguments[1:], known), tools))
    except Refused as refusal:
        print(f"\nCloudflare refuses: {refusal} (status {refusal.status}, code {refusal.code}).", file=sys.stderr)
        return 1
    except (CareError, DeployFailure) as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
