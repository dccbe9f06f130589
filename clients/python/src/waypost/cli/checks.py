"""The checks of `waypost doctor`. Each says what it found, and what to do about it."""

from __future__ import annotations

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx2

from waypost._async.client import AsyncWaypost
from waypost.errors import WaypostError

MAX_SKEW_SECONDS = 60.0
"""Tokens and times of sessions are off by as much as a clock is."""

CALL_SECONDS = 30.0


class Finding(NamedTuple):
    """What a check found."""

    name: str
    ok: bool
    detail: str


async def check_health(client: AsyncWaypost) -> Finding:
    """Whether the server can be used, and how long it takes to say so."""
    began = time.perf_counter()
    try:
        health = await client.health()
    except WaypostError as error:
        return Finding("server", False, str(error))
    took = (time.perf_counter() - began) * 1000
    about = ", ".join(part for part in (f"version {health.version}", health.plan and f"plan {health.plan}") if part)
    ok = health.status == "ok"
    return Finding("server", ok, f"{health.status}, {about}, storage {health.storage}, {took:.0f} ms")


async def check_clock(http: httpx2.AsyncClient, base_url: str) -> Finding:
    """Whether this machine and the server agree on the time."""
    try:
        reply = await http.get(f"{base_url}/health")
        skew = time.time() - parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (httpx2.HTTPError, KeyError, ValueError) as error:
        return Finding("clock", True, f"not checked, since the server tells no time ({type(error).__name__})")
    if abs(skew) > MAX_SKEW_SECONDS:
        return Finding("clock", False, f"this machine's clock is off by {skew:.0f} s: set it")
    return Finding("clock", True, f"within {abs(skew):.0f} s of the server's")


async def check_origin(http: httpx2.AsyncClient, base_url: str, origin: str) -> Finding:
    """Whether a page of `origin` may use the server."""
    headers = {"origin": origin, "access-control-request-method": "POST"}
    headers["access-control-request-headers"] = "authorization,content-type"
    try:
        reply = await http.options(f"{base_url}/api/sessions", headers=headers)
    except httpx2.HTTPError as error:
        return Finding("origin", False, f"{type(error).__name__}: {error}")
    if reply.headers.get("access-control-allow-origin") in (origin, "*"):
        return Finding("origin", True, f"pages of {origin} may use the server")
    return Finding("origin", False, f"pages of {origin} may not use the server: add it to ALLOWED_ORIGINS")


async def check_app_key(client: AsyncWaypost, app_key: str | None) -> Finding:
    """Whether threads can be read with the key that is configured."""
    try:
        await client.threads("waypost-doctor").get("none")
    except WaypostError as error:
        hint = "" if app_key else ": set WAYPOST_APP_KEY, for chats and threads"
        return Finding("app key", False, f"{error}{hint}")
    return Finding("app key", True, "accepted" if app_key else "none is needed")


async def check_call(client: AsyncWaypost) -> Finding:
    """Whether a call goes all the way: to a host of this process, through the server, and back."""
    from waypost.host.host import Host

    host = Host()

    async def echo(text: str) -> str:
        return text

    host.tool(echo)
    try:
        session = await client.open_session(label="waypost doctor")
        try:
            async with host.running(session):
                guest: Any = await client.join(session.code)
                await guest.call("echo", {"text": ""}, timeout=CALL_SECONDS)
                began = time.perf_counter()
                answer = await guest.call("echo", {"text": "Grüße"}, timeout=CALL_SECONDS)
                took = (time.perf_counter() - began) * 1000
        finally:
            await asyncio.shield(session.end())
    except WaypostError as error:
        return Finding("call", False, str(error))
    return Finding("call", answer == "Grüße", f"a call and its answer took {took:.0f} ms")
