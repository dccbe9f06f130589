"""A person at the command `make deploy`, with a fake account behind it and a deployment that runs in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from simulation.client import Client, make_client
from simulation.virtual_time import VirtualLoop
from tests.support.cloudflare_api.account import Account, Version, Worker
from tests.support.cloudflare_api.server import CloudflareApi
from tools.deploy.configuration import Configuration, Wanted, configuration
from tools.deploy.failure import DeployFailure
from tools.deploy.sending import Reply, Send, Sent, Unreachable, send
from tools.deploy.smoke import Time
from tools.deploy.steps import Tools, deploy
from tools.deploy.wrangler import Done, Wrangler
from tools.local.local_worker import ROOT

T = TypeVar("T")

CONFIG = 'name = "waypost"\n[[kv_namespaces]]\nbinding = "WAYPOST"\n{more}'
UPLOADED = '{"type":"deploy","version_id":"v1","targets":["waypost.tester.workers.dev"]}\n'


def config(more: str = "", wanted: Wanted | None = None) -> Configuration:
    """A small wrangler.toml, with these lines at its end."""
    return configuration(CONFIG.format(more=more), wanted or Wanted())


class InMemory:
    """A Waypost behind every host name, in virtual time. `alter` may change its reply to a path."""

    def __init__(self, client: Client | None = None) -> None:
        self._runner = asyncio.Runner(loop_factory=VirtualLoop)
        self.client = client or make_client()
        self.alter: dict[tuple[str, str], Callable[[Reply], Reply]] = {}
        self.asked: list[str] = []

    def close(self) -> None:
        """Cancel what still runs in the background, and close the loop."""
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in its virtual time."""
        return self._runner.run(work)

    def send(self, sent: Sent) -> Reply:
        """Send a request to it."""
        path = "/" + sent.url.split("/", 3)[3]
        self.asked.append(f"{sent.method} {path}")
        reply = self._runner.run(self.client.call(sent.method, path, sent.body, headers=dict(sent.headers)))
        found = Reply(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.body)
        alter = self.alter.get((sent.method, path.split("?")[0]))
        return alter(found) if alter else found


@dataclass
class CannedWrangler(Wrangler):
    """Ends as it is told, without a process; uploads into the account of the fake API where it has one.

    `ran` are the command lines; `seen` is what the files were like that it was given.
    """

    api: CloudflareApi | None = None
    status: int = 0
    output: str = ""
    prints: Mapping[str, str] = field(default_factory=dict)
    ran: list[list[str]] = field(default_factory=list)
    files: list[tuple[str, int]] = field(default_factory=list)

    def run(self, arguments: Sequence[str], **environment: str) -> Done:
        self.ran.append(list(arguments))
        for option in ("--secrets-file", "--config"):
            if option in arguments:
                path = Path(arguments[list(arguments).index(option) + 1])
                self.files.append((path.read_text(), path.stat().st_mode & 0o777))
        if self.status == 0:
            Path(environment["WRANGLER_OUTPUT_FILE_PATH"]).write_text(UPLOADED)
        return Done(self.status, self.output)

    def read(self, arguments: Sequence[str]) -> str | None:
        self.ran.append(list(arguments))
        return self.prints.get(arguments[0])

    def talk(self, arguments: Sequence[str]) -> bool:
        self.ran.append(list(arguments))
        return self.status == 0


class Person:
    """Who started the command: what was said to them, and what they answer, in order."""

    def __init__(self, *answers: str) -> None:
        self.said: list[str] = []
        self.answers = list(answers)
        self.has_terminal = False

    def say(self, line: str) -> None:
        self.said.append(line)

    def ask(self, question: str) -> str:
        self.said.append(question)
        if not self.answers:
            raise DeployFailure("There is no terminal to ask on: YES=1 does not ask.")
        return self.answers.pop(0)

    @property
    def heard(self) -> str:
        return "\n".join(self.said)


def tools(api: CloudflareApi, person: Person, wrangler: Wrangler, deployment: Send, **more: str) -> Tools:
    """What a deployment works with: the fake account by the network, everything else in memory, and a clock that jumps.

    `more` are further variables of the environment; an empty one is not there.
    """
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    def both(sent: Sent) -> Reply:
        return send(sent) if sent.url.startswith("http://127.0.0.1") else deployment(sent)

    environment = {name: value for name, value in (api.environment | more).items() if value}
    return Tools(
        person.ask,
        person.say,
        environment,
        both,
        wrangler,
        Time(lambda: now[0], sleep),
        has_terminal=person.has_terminal,
    )


def nowhere(sent: Sent) -> Reply:
    """The network, where the deployment is not to be found."""
    raise Unreachable(f"{sent.url} can't be reached (no route).")


def real_wrangler(api: CloudflareApi, home: Path, **more: str) -> Wrangler:
    """The real wrangler, led to the fake API, with a home of its own."""
    own = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "NODE_COMPILE_CACHE": str(ROOT / ".waypost" / "node-cache")}
    return Wrangler({**api.environment, **own, **more})


def worker(account: Account, name: str = "waypost", title: str = "", *secrets: str) -> Worker:
    """A Worker of the account; with a namespace of this title where it is a Waypost."""
    bindings = [{"name": "OTHER", "type": "plain_text", "text": ""}]
    if title:
        id = account.add_namespace(title).id
        bindings.append({"name": "WAYPOST", "type": "kv_namespace", "namespace_id": id})
    made = Worker(name, account.new_id(), [Version("v0", {}, {}, bindings)], secrets=dict.fromkeys(secrets, "old"))
    account.workers[name] = made
    return made


def refusal(
    api: CloudflareApi,
    wanted: Wanted | None = None,
    wrangler: CannedWrangler | None = None,
    person: Person | None = None,
    more: str = "",
    **environment: str,
) -> str:
    """The sentences with which a deployment ends."""
    wanted, wrangler, person = wanted or Wanted(), wrangler or CannedWrangler(), person or Person()
    with pytest.raises(DeployFailure) as failure:
        deploy(config(more, wanted), wanted, tools(api, person, wrangler, nowhere, **environment))
    return str(failure.value)
