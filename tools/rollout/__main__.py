"""The command `make rollout`: its words, and the sentence with which it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tools.deploy.__main__ import ask
from tools.deploy.configuration import CONFIG, Wanted, configuration
from tools.deploy.failure import DeployFailure
from tools.deploy.steps import Tools
from tools.environments import problem
from tools.local.local_worker import ROOT
from tools.rollout.steps import Commit, rollout

USAGE = """make rollout [ENV=…] [PERCENT=10]

ENV      an environment of wrangler.toml
PERCENT  how many of a hundred requests the new version gets: 1 to 100
"""

WORDS = ("ENV", "PERCENT")


def words_of(arguments: Sequence[str]) -> Mapping[str, str]:
    """Return the words of the command. Raises `DeployFailure` for one that it does not have."""
    words: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or name not in WORDS:
            raise DeployFailure(f"“{argument}” is no word of this command.\n\n{USAGE}")
        words[name] = value
    return words


def percent_of(word: str) -> int:
    """Return the share that the command line names. Raises `DeployFailure`."""
    if not (word.isascii() and word.isdecimal() and 1 <= int(word) <= 100):
        raise DeployFailure(f"PERCENT={word} is no share of the requests: it is a whole number from 1 to 100.")
    return int(word)


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
    words = words_of(arguments)
    env, percent = words.get("ENV", ""), percent_of(words.get("PERCENT", "10"))
    if env and (reason := problem()) is not None:
        raise DeployFailure(reason)
    config = configuration(CONFIG.read_text(), Wanted(env))
    tools = Tools(ask, lambda line: print(line, flush=True), os.environ, has_terminal=sys.stdin.isatty())
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
