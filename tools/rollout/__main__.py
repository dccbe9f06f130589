"""The commands `make rollout` and `make rollback`: their words, and the sentence with which they end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tools.deploy.__main__ import ask
from tools.deploy.configuration import CONFIG, Wanted, configuration
from tools.deploy.failure import DeployFailure
from tools.deploy.steps import Tools
from tools.environments import problem
from tools.local.local_worker import ROOT
from tools.rollout.steps import Commit, rollback, rollout

USAGE = """make rollout [ENV=…] [PERCENT=10]
       make rollback [ENV=…] [VERSION=…]

ENV      an environment of wrangler.toml
PERCENT  how many of a hundred requests the new version gets: 1 to 100
VERSION  the id of the version that gets all requests again; without it, the last one that had them
"""

WORDS = {"rollout": ("ENV", "PERCENT"), "rollback": ("ENV", "VERSION")}

_VERSION = re.compile(r"[0-9a-f-]{32,36}")


def words_of(arguments: Sequence[str]) -> tuple[str, Mapping[str, str]]:
    """Return the command and its words. Raises `DeployFailure` for a word that it does not have."""
    verb, *rest = arguments or [""]
    if verb not in WORDS:
        raise DeployFailure(USAGE)
    words: dict[str, str] = {}
    for argument in rest:
        name, equals, value = argument.partition("=")
        if not equals or name not in WORDS[verb]:
            raise DeployFailure(f"“{argument}” is no word of this command.\n\n{USAGE}")
        words[name] = value
    return verb, words


def percent_of(word: str) -> int:
    """Return the share that the command line names. Raises `DeployFailure`."""
    if not (word.isascii() and word.isdecimal() and 1 <= int(word) <= 100):
        raise DeployFailure(f"PERCENT={word} is no share of the requests: it is a whole number from 1 to 100.")
    return int(word)


def version_of(word: str) -> str:
    """Return the version that the command line names; empty for the one before. Raises `DeployFailure`."""
    if word and not _VERSION.fullmatch(word):
        raise DeployFailure(f"VERSION={word} is no id of a version: `npx wrangler versions list` shows them.")
    return word


def commit_of(folder: str | os.PathLike[str] = ROOT) -> Commit | None:
    """Return the commit of a folder, as a version is tagged with; None where the folder differs from it."""

    def git(*arguments: str) -> str | None:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None

    try:
        changed, tag = git("status", "--porcelain"), git("rev-parse", "--short=12", "HEAD")
    except FileNotFoundError:
        return None
    if changed != "" or tag is None:
        return None
    # A tag that is no commit, or one that this clone does not have, comes after nothing.
    return Commit(tag, lambda later: later != tag and git("merge-base", "--is-ancestor", "HEAD", later) is not None)


def run(arguments: Sequence[str]) -> None:
    """Do what the command line says. Raises `DeployFailure`."""
    verb, words = words_of(arguments)
    env = words.get("ENV", "")
    percent, version = percent_of(words.get("PERCENT", "10")), version_of(words.get("VERSION", ""))
    if env and (reason := problem()) is not None:
        raise DeployFailure(reason)
    config = configuration(CONFIG.read_text(), Wanted(env))
    tools = Tools(ask, lambda line: print(line, flush=True), os.environ, has_terminal=sys.stdin.isatty())
    if verb == "rollback":
        rollback(config, version, tools)
    else:
        rollout(config, percent, commit_of(), tools)


def main() -> int:
    """Run and return the exit status; 1 after a sentence on standard error."""
    try:
        run(sys.argv[1:])
    except DeployFailure as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. `npx wrangler deployments status` says which version gets the requests.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
