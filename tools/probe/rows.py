"""The table: each measurement in words, what is promised of it, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.measure.stats import percentile
from tools.probe import promises
from tools.probe.run import Findings
from tools.probe.timing import Told
from tools.probe.where import places

OK, WORSE, NONE = "as promised", "WORSE", ""


@dataclass(frozen=True)
class Row:
    """One line. `verdict` is `OK`, `WORSE`, or empty where nothing is promised or nothing was measured."""

    what: str
    measured: str
    promised: str = ""
    verdict: str = NONE


def rows(found: Findings, replies: Sequence[Told]) -> list[Row]:
    """All rows of a run."""
    return [*_where(found, replies), *_meetings(found), *_visibility(found), *_delivery(found), *_rest(found, replies)]


def _where(found: Findings, replies: Sequence[Told]) -> Iterator[Row]:
    here = found.deployment
    yield Row("Waypost", f"{here.version}, at the {here.plan.name} plan's pace", here.plan_hint)
    if here.storage != "kv":
        yield Row("storage", f"{here.storage}: without a KV namespace, nothing is kept", "KV", WORSE)
    seen = places(replies)
    colo = f"; the Worker names {here.colo}" if here.colo else ""
    yield Row("you reach", _shares(seen["edge"]) or f"not Cloudflare's network (no CF-Ray){colo}")
    placed = _shares(seen["placement"]) or here.placement
    yield Row("requests run in", placed or "not told: not placed", "one data centre, if placement is on")


def _meetings(found: Findings) -> Iterator[Row]:
    seen = found.meetings
    if not seen.pairs:
        yield Row("connections meet", "not told: this version does not name its isolates", promises.meeting())
        return
    yield Row(
        "connections meet",
        f"{seen.met / seen.pairs:.0%} of {seen.pairs} pairs, {_count(len(seen.isolates), 'isolate')} in all",
        promises.meeting(),
    )
    if seen.reply_seconds:
        yield Row("a reply without KV", _milliseconds(seen.reply_seconds))


def _visibility(found: Findings) -> Iterator[Row]:
    seen = found.visibility
    for what, delays in (
        ("a new document, in a list", seen.new_listed),
        ("a new document, read", seen.new_read),
        ("a changed document, in a list", seen.change_listed),
        ("a changed document, read", seen.change_read),
    ):
        if delays:
            yield Row(what, visible(delays), promises.visible(), WORSE if None in delays else OK)
    # Writing looks for the key with a list, and reading does so before it gets the value.
    for what, times in (("list and put", seen.put_kv_ms), ("list and get", seen.read_kv_ms), ("list", seen.list_kv_ms)):
        if times:
            yield Row(f"KV {what}, seen by the Worker", _milliseconds([time / 1000 for time in times]))


def visible(delays: Sequence[float | None]) -> str:
    """Delays of visibility in words."""
    known = [delay for delay in delays if delay is not None]
    first = sum(delay == 0 for delay in known)
    text = f"at the first look {first} of {len(delays)} times"
    if later := [delay for delay in known if delay]:
        text += f", else within {max(later):.1f} s"
    return text + (f", {len(delays) - len(known)} not within a minute" if None in delays else "")


def _delivery(found: Findings) -> Iterator[Row]:
    plan, seen = found.deployment.plan, found.delivery
    kinds = (
        (True, "in one isolate", promises.ONE_ISOLATE),
        (False, "in two isolates", promises.ONE_PLACE),
        (None, "isolates not told", promises.ONE_PLACE),
    )
    slowest = promises.slowest_seconds(plan)
    for met, name, distance in kinds:
        if calls := [call for call in seen.delivered if call.met is met]:
            times = [call.accepted_to_host for call in calls]
            promised = promises.latency(promises.TO_HOST, distance, plan)
            yield Row(
                f"accepted to host, {name}", _milliseconds(times), promised, OK if max(times) <= slowest else WORSE
            )
            yield Row(f"sent to host, {name}", _milliseconds([call.sent_to_host for call in calls]))
    for met, name, distance in kinds:
        if trips := [trip.seconds for trip in seen.round_trips if trip.met is met]:
            promised = promises.latency(promises.THERE_AND_BACK, distance, plan)
            yield Row(f"there and back, {name}", _milliseconds(trips), promised)
    if seen.continued:
        yield Row("a host's stream ended", f"{seen.continued} times; the host came back with its cursor")
    if seen.lost:
        yield Row("calls not delivered in time", str(seen.lost), f"within {slowest:g} s", WORSE)


def _rest(found: Findings, replies: Sequence[Told]) -> Iterator[Row]:
    end, here = found.stream_end, found.deployment
    promised = promises.stream(here.stream_seconds)
    if end.ended is None:
        yield Row("a stream at rest", f"still open after {end.seconds:.0f} s (LONG=1 waits for its end)", promised)
    else:
        error = f" ({end.error})" if end.error else ""
        is_fine = end.ended == "cleanly" and end.seconds <= here.stream_seconds + 30
        measured = f"ended {end.ended} after {end.seconds:.0f} s{error}"
        yield Row("a stream at rest", measured, promised, OK if is_fine else WORSE)
    yield _guesses(found)
    foreign = sorted({name for reply in replies for name in reply.foreign})
    for name in foreign:
        times = [reply.foreign[name] / 1000 for reply in replies if name in reply.foreign]
        yield Row(f"the platform's {name}", _milliseconds(times))
    if not any("cpu" in name.lower() for name in foreign):
        yield Row("CPU time", "not told")


def _guesses(found: Findings) -> Row:
    seen = found.guesses
    if not found.deployment.counts_guesses:
        return Row("wrong codes", "not counted: MISS_LIMIT is not bound", promises.guesses(), WORSE)
    if seen.unusual:
        return Row("wrong codes", f"answered with {seen.unusual}, so they could not be counted", promises.guesses())
    if seen.refused_after is None:
        return Row("wrong codes", f"{seen.made} were all looked up", promises.guesses(), WORSE)
    measured = f"refused after {seen.refused_after}, for {seen.retry_after} s"
    return Row("wrong codes", measured, promises.guesses(), OK)


def _milliseconds(seconds: Sequence[float]) -> str:
    p50, p99 = (percentile(seconds, percent) for percent in (50, 99))
    return f"p50 {_time(p50)}, p99 {_time(p99)} of {len(seconds)}"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _shares(counts: dict[str, int]) -> str:
    total = sum(counts.values())
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{name} {count / total:.1%}" for name, count in counts.items())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
