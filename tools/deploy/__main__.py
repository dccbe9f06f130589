"""The commands `make deploy` and `make undeploy`: their words, and the sentence with which they end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.build import build
from tools.deploy.failure import DeployFailure
from tools.setup.bootstrap import install_npm_packages
from tools.setup.prerequisites import check_python
from tools.setup.steps import BootstrapError
from tools.site_files import SiteError

USAGE = """make deploy [ENV=…] [NAME=…] [REGION=…] [PLAN=…] [DOMAIN=…] [TRY=1] [YES=1]
       make undeploy [ENV=…] [NAME=…] [YES=1]

ENV     an environment of wrangler.toml
NAME    another name for the Worker
REGION  where it runs: of a cloud, such as aws:eu-central-1; none: where each request comes in
PLAN    free or paid, as the account is
DOMAIN  a host name below a domain of the account
TRY=1   for an hour, without an account
YES=1   does not ask
"""

UNDEPLOY = "undeploy"
WORDS = {"deploy": ("ENV", "NAME", "REGION", "PLAN", "DOMAIN", "TRY", "YES"), UNDEPLOY: ("ENV", "NAME", "YES")}


@dataclass(frozen=True)
class Command:
    """What is asked for: `deploy` or `undeploy`, with words as make takes them."""

    verb: str
    words: Mapping[str, str]

    def is_set(self, name: str) -> bool:
        """Return whether a switch is on."""
        return self.words.get(name, "") not in ("", "0")


def command_of(arguments: Sequence[str]) -> Command:
    """Return the command of a command line. Raises `DeployFailure` for a word that it does not have."""
    verb, rest = (UNDEPLOY, arguments[1:]) if arguments[:1] == [UNDEPLOY] else ("deploy", arguments)
    words: dict[str, str] = {}
    for argument in rest:
        name, equals, value = argument.partition("=")
        if not equals or name not in WORDS[verb]:
            raise DeployFailure(f"“{argument}” is no word of this command.\n\n{USAGE}")
        words[name] = value
    return Command(verb, words)


def ask(question: str) -> str:
    """Return what the person types. Raises `DeployFailure` where there is no terminal."""
    if not sys.stdin.isatty():
        raise DeployFailure(f"{question.splitlines()[0].strip()} There is no terminal to ask on: YES=1 does not ask.")
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def run(command: Command) -> None:
    """Do what the command line says. Raises `DeployFailure`, `BootstrapError` or `SiteError`."""
    check_python(tuple(sys.version_info[:3]))
    # An old Python lacks what these import.
    from tools.deploy.configuration import CONFIG, Wanted, configuration
    from tools.deploy.steps import Tools, deploy
    from tools.deploy.trial import deploy_for_an_hour
    from tools.deploy.undeploy import undeploy
    from tools.environments import problem

    words = command.words
    region, plan, domain, name = (words.get(word) for word in ("REGION", "PLAN", "DOMAIN", "NAME"))
    if name is None:
        # Workers Builds names the Worker that it builds, and wrangler uploads to that one.
        name = os.environ.get("WRANGLER_CI_OVERRIDE_NAME") or None
    wanted = Wanted(words.get("ENV", ""), region, plan, domain, name)
    config = configuration(CONFIG.read_text(), wanted)
    if wanted.env and command.verb != UNDEPLOY and (reason := problem()) is not None:
        raise DeployFailure(reason)
    if command.is_set("TRY") and wanted.domain:
        raise DeployFailure("A temporary account has no domains: leave DOMAIN or TRY out.")
    install_npm_packages()
    if command.verb != UNDEPLOY:
        # wrangler builds again; what fails here fails before anything is made in the account.
        build()
    tools = Tools(ask, lambda line: print(line, flush=True), os.environ, has_terminal=sys.stdin.isatty())
    if command.verb == UNDEPLOY:
        undeploy(config, tools, is_sure=command.is_set("YES"))
    elif command.is_set("TRY"):
        deploy_for_an_hour(config, tools, is_sure=command.is_set("YES"))
    else:
        deploy(config, wanted, tools)


def main() -> int:
    """Run and return the exit status; 1 after a sentence on standard error."""
    arguments = sys.argv[1:]
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Ends as Ctrl-C does, so that the file with the key is deleted.
        signal.signal(number, signal.default_int_handler)
    if {"-h", "--help"} & set(arguments):
        print(USAGE, end="")
        return 0
    try:
        run(command_of(arguments))
    except (BootstrapError, SiteError, DeployFailure) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from there, `make undeploy` removes what is there.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
