"""Mapped names: what every model takes, the same at every time, and never the name of two tools."""

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from waypost_worker.limits import MAX_MAPPED_NAME_LENGTH
from waypost_worker.sessions.tool_names import clashes, mapped_name, original_names

VECTORS = json.loads((Path(__file__).parents[1] / "client" / "tool-definitions.json").read_text())["names"]
NAMES = st.from_regex(r"[A-Za-z0-9_./-]{1,128}", fullmatch=True)


def test_mapped_names_are_those_of_the_client():
    assert [[name, mapped_name(name)] for name, _ in VECTORS] == VECTORS


@given(NAMES)
def test_a_mapped_name_is_one_that_every_model_takes_and_stays_itself(name: str):
    mapped = mapped_name(name)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", mapped)
    assert mapped_name(mapped) == mapped


def test_a_name_that_models_take_is_its_own():
    assert mapped_name("x" * MAX_MAPPED_NAME_LENGTH) == "x" * MAX_MAPPED_NAME_LENGTH


def test_long_names_that_differ_at_their_end_stay_different():
    assert mapped_name("x" * 100 + "a") != mapped_name("x" * 100 + "b")


def test_only_tools_that_are_seen_under_another_name_have_an_original():
    assert original_names(["add", "cart.add", "a/b"]) == {"cart_add": "cart.add", "a_b": "a/b"}


def test_of_two_tools_with_one_mapped_name_the_one_of_that_name_has_it_or_the_first():
    assert original_names(["cart.add", "cart_add"]) == {}
    assert original_names(["cart.add", "cart/add"]) == {"cart_add": "cart.add"}


def test_names_clash_by_themselves_and_by_what_they_map_to():
    names = ["a.b", "c", "a/b", "c"]
    assert [(later, earlier) for later, earlier, _ in clashes(names, map_names=True)] == [(2, 0), (3, 1)]
    assert [(later, earlier) for later, earlier, _ in clashes(names, map_names=False)] == [(3, 1)]
