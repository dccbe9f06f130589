"""Which server and which app key the command takes: options, environment, profiles."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from waypost.cli.options import _client_of
from waypost.cli.server import find_server
from waypost.errors import ConfigError


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("WAYPOST_APP_KEY", "WAYPOST_PROFILE", "WAYPOST_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WAYPOST_HOME", str(tmp_path))
    return tmp_path


def config(home: Path, text: str) -> Path:
    path = home / "config.toml"
    path.write_text(text)
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    return path


PROFILES = """
default = "work"
[profiles.work]
url = "https://work.test"
app_key = "work-key"
[profiles.home]
url = "https://home.test"
"""


def test_options_come_before_the_environment_and_that_before_profiles(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config(home, PROFILES)
    assert find_server(None, None)[:2] == ("https://work.test", "work-key")
    monkeypatch.setenv("WAYPOST_PROFILE", "home")
    assert find_server(None, None)[:2] == ("https://home.test", None)
    monkeypatch.setenv("WAYPOST_URL", "https://env.test")
    monkeypatch.setenv("WAYPOST_APP_KEY", "env-key")
    assert find_server(None, None)[:2] == ("https://env.test", "env-key")
    assert find_server(None, None, "https://link.test")[:2] == ("https://link.test", None)
    assert find_server(None, None, "https://env.test")[:2] == ("https://env.test", "env-key")
    assert find_server(None, "work", "https://link.test")[:2] == ("https://work.test", "work-key")
    assert find_server("https://flag.test", "work")[:2] == ("https://flag.test", None)


def test_a_profile_without_a_key_gets_none_of_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config(home, PROFILES)
    monkeypatch.setenv("WAYPOST_APP_KEY", "of another server")
    assert find_server(None, "home").app_key is None
    assert _client_of(find_server(None, "home"))._driver.config.app_key is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[profiles", "can't be read"),
        ('[profiles.work]\napp_key = "x"', "needs url"),
        ('[profiles.work]\nurl = "https://a.test"\nkey = "x"', "but no key"),
        ('[profiles.other]\nurl = "https://a.test"', "has no profile 'work', but other."),
    ],
)
def test_a_wrong_profile_says_what_is(home: Path, content: str, why: str) -> None:
    config(home, content)
    with pytest.raises(ConfigError, match=why):
        find_server(None, "work")


def test_a_key_that_others_can_read_is_warned_of(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config(home, PROFILES).chmod(0o644)
    find_server(None, "work")
    assert "chmod 600" in capsys.readouterr().err
