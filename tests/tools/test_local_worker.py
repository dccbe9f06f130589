"""The command line `make dev` and the tests run the Worker with."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from tools.local.local_worker import LOCAL_FLAGS, ROOT, WORKERD_WRAPPER, Launch, environment


def test_production_flags_are_in_the_config_and_local_ones_only_on_the_command_line(tmp_path: Path) -> None:
    config = tomllib.loads((ROOT / "wrangler.toml").read_text())

    command = Launch(port=1234, state=tmp_path).command()

    assert config["compatibility_flags"] == ["python_workers"]
    start = command.index("--compatibility-flags") + 1
    assert tuple(command[start : start + len(LOCAL_FLAGS)]) == LOCAL_FLAGS
    assert LOCAL_FLAGS[0] == "python_workers"


def test_address_state_secrets_and_variables_are_on_the_command_line(tmp_path: Path) -> None:
    launch = Launch(9000, tmp_path / "kv", "0.0.0.0", tmp_path / "secrets", {"PLAN": "free", "X": "a:b c"})  # noqa: S104

    command = " ".join(launch.command())

    assert "--ip 0.0.0.0 --port 9000" in command
    assert f"--persist-to {tmp_path}/kv" in command
    assert f"--env-file {tmp_path}/secrets" in command
    assert "--var PLAN:free" in command
    assert launch.command()[-1] == "X:a:b c"


def test_without_an_env_file_wrangler_reads_dev_vars(tmp_path: Path) -> None:
    assert "--env-file" not in Launch(port=1, state=tmp_path).command()


def test_the_pinned_node_and_python_come_first_and_nothing_phones_home() -> None:
    variables = environment()

    assert variables["PATH"].startswith(f"{ROOT / 'node_modules' / '.bin'}:{ROOT / '.venv' / 'bin'}:")
    assert variables["WRANGLER_SEND_METRICS"] == "false"
    assert variables["CLOUDFLARE_CF_FETCH_ENABLED"] == "false"


def test_logs_bundle_and_state_are_outside_of_what_wrangler_watches() -> None:
    watched = ROOT / tomllib.loads((ROOT / "wrangler.toml").read_text())["main"]

    assert not WORKERD_WRAPPER.is_relative_to(watched.parent)
    assert not Path(environment()["WRANGLER_LOG_PATH"]).is_relative_to(watched.parent)


@pytest.mark.parametrize("arguments", [["--version"], []])
def test_the_wrapper_is_workerd_for_every_other_command(arguments: list[str]) -> None:
    through_wrapper = subprocess.run([WORKERD_WRAPPER, *arguments], capture_output=True, text=True)
    direct = subprocess.run([ROOT / "node_modules" / ".bin" / "workerd", *arguments], capture_output=True, text=True)

    assert through_wrapper.returncode == direct.returncode
    assert through_wrapper.stdout == direct.stdout


def test_the_wrapper_puts_our_options_right_after_serve(tmp_path: Path) -> None:
    script = WORKERD_WRAPPER.read_text()

    assert " serve --pyodide-bundle-disk-cache-dir=" in script
    assert script.rstrip().endswith('"$@"')
