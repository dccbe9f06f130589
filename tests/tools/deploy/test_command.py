"""The words of `make deploy` and `make undeploy`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.deploy.__main__ import Command, command_of
from tools.deploy.failure import DeployFailure
from tools.local.local_worker import ROOT


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["deploy"], "deploy --"),
        (["deploy", "REGION=aws:eu-central-1"], "deploy -- 'REGION=aws:eu-central-1'"),
        (["deploy", "REGION="], "deploy -- 'REGION='"),
        (["deploy", "ENV=production", "PLAN=paid", "YES=1"], "deploy -- 'ENV=production' 'PLAN=paid' 'YES=1'"),
        (["deploy", "TRY=1"], "deploy -- 'TRY=1'"),
        (["deploy", "DOMAIN=a.example", "NAME=b"], "deploy -- 'NAME=b' 'DOMAIN=a.example'"),
        (["undeploy", "ENV=preview", "REGION=x"], "deploy -- undeploy 'ENV=preview'"),
    ],
)
def test_make_passes_the_words_of_its_command_line_on_and_none_of_the_environment(
    arguments: list[str], words: str
) -> None:
    # Shells and other tools of the cloud have variables of these names.
    foreign = {"REGION": "elsewhere", "ENV": "/etc/shrc", "NAME": "me", "DOMAIN": "d", "TRY": "1", "YES": "1"}
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | foreign
    shown = subprocess.run(["make", "-n", *arguments], cwd=ROOT, env=env, capture_output=True, text=True)
    assert " ".join(shown.stdout.splitlines()[-1].split()) == f"npm run --silent {words}"
    assert "bootstrap --to-deploy" in shown.stdout


def test_the_words_are_those_of_make() -> None:
    assert command_of(["ENV=preview", "TRY=1", "YES=0"]) == Command(
        "deploy", {"ENV": "preview", "TRY": "1", "YES": "0"}
    )
    assert command_of(["undeploy", "NAME=a=b"]) == Command("undeploy", {"NAME": "a=b"})
    assert command_of(["TRY=1"]).is_set("TRY")
    assert not command_of(["TRY=0"]).is_set("TRY")
    assert not command_of([]).is_set("TRY")


@pytest.mark.parametrize("words", [["preview"], ["--env", "preview"], ["PORT=1"], ["undeploy", "REGION=none"]])
def test_other_words_are_refused_with_those_that_there_are(words: list[str]) -> None:
    with pytest.raises(DeployFailure, match=r"is no word of this command\.\n\nmake deploy \[ENV=…\]"):
        command_of(words)


def ran(*words: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        # -S: without any package that would have to be installed.
        [sys.executable, "-S", "-B", "-m", "tools.deploy", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_without_an_account_the_command_leads_to_where_only_that_is_missing(tmp_path: Path) -> None:
    done = ran(home=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("CLOUDFLARE_API_TOKEN is missing")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["ENV=nowhere"], "ENV=nowhere is no environment of wrangler.toml"),
        (["TRY=1", "DOMAIN=a.example.com"], "A temporary account has no domains: leave DOMAIN or TRY out."),
        (["what"], "“what” is no word of this command."),
    ],
)
def test_what_is_wrong_with_a_word_is_a_sentence(tmp_path: Path, words: list[str], sentence: str) -> None:
    done = ran(*words, home=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert sentence in done.stderr
    help = ran("--help", home=tmp_path)
    assert (help.returncode, help.stdout.splitlines()[0][:11]) == (0, "make deploy")


def test_workers_builds_names_the_worker_by_a_variable(tmp_path: Path) -> None:
    done = ran(home=tmp_path, WRANGLER_CI_OVERRIDE_NAME="not a name")
    assert "NAME=not a name is no name of a Worker" in done.stderr
    done = ran("NAME=my own", home=tmp_path, WRANGLER_CI_OVERRIDE_NAME="waypost")
    assert "NAME=my own is no name of a Worker" in done.stderr
