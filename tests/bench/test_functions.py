"""The part of the profile that runs under CPython."""

from bench.profile.functions import text


def test_each_call_is_made_and_its_functions_are_listed():
    parts = text(count=3).split("\n\n")
    assert [part.partition(":")[0] for part in parts] == ["create", "request", "response", "poll"]
    assert all("3 calls profiled" in part and "waypost_worker/app.py" in part for part in parts)
