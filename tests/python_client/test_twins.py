"""The synchronous client is made from the asynchronous one, and neither has what the other lacks."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import waypost
from tools.python_client import main

SOURCE = Path(__file__).parents[2] / "clients" / "python" / "src"
TWINS = (
    "Answer",
    "Chat",
    "Conversation",
    "DocumentSlot",
    "Documents",
    "Guest",
    "Pages",
    "PendingCall",
    "Session",
    "Threads",
)
OTHER_NAMES = {
    "aclose": "close",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
}


def test_the_twin_is_up_to_date() -> None:
    assert main(["--check"]) == 0


def test_twins_have_the_same_methods_with_the_same_parameters() -> None:
    for name in (*TWINS, "Waypost"):
        asynchronous, synchronous = getattr(waypost, f"Async{name}"), getattr(waypost, name)
        members = {OTHER_NAMES.get(member, member): value for member, value in vars(asynchronous).items()}
        assert members.keys() == vars(synchronous).keys()
        for member, value in members.items():
            if inspect.isfunction(value):
                twin = getattr(synchronous, member)
                assert list(inspect.signature(value).parameters) == list(inspect.signature(twin).parameters)
                assert not inspect.iscoroutinefunction(twin)


def test_everything_public_is_exported_and_documented() -> None:
    assert sorted(waypost.__all__, key=str.lower) == sorted(set(waypost.__all__), key=str.lower)
    undocumented = [
        name
        for name in waypost.__all__
        if inspect.isclass(getattr(waypost, name)) and not getattr(waypost, name).__doc__
    ]
    assert undocumented == []


def loaded(program: str) -> set[str]:
    """What a program loads of these, which not every program needs."""
    names = ("asyncio", "cryptography", "pydantic", "sqlite3", "waypost.host", "waypost_worker")
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*[name for name in {names} if name in sys.modules])"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(SOURCE)},
    )
    return set(done.stdout.split())


def test_a_program_loads_only_what_it_needs() -> None:
    assert loaded("from waypost import Waypost, ToolError") <= loaded("import httpx2")
    assert loaded("from waypost import AsyncWaypost") == {"asyncio"}
    assert loaded("from waypost import Host") == {"asyncio", "waypost.host"}


def test_what_is_not_there_is_not_there() -> None:
    assert "Host" in dir(waypost)
    assert not hasattr(waypost, "Nothing")
