"""The tools that a model is offered: one name for each, none left out in silence."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from waypost_worker.chat.offered_tools import DATA_RULE, OfferedTools
from waypost_worker.ids import is_tool_name
from waypost_worker.models.model import ModelTool

ROOM = 1_000_000
LONG = [f"a{mark}" * 40 for mark in "/._"]
NAMES = st.lists(st.text("ab_./-", min_size=1, max_size=4) | st.sampled_from(LONG), unique=True, max_size=20)


def tools(*names: str, description: str = "") -> list[ModelTool]:
    return [ModelTool(name, description, {"type": "object"}) for name in names]


def own_name(offered: OfferedTools, said: str) -> str | None:
    found = offered.find(said)
    return found and found.name


@given(NAMES)
def test_each_tool_has_a_name_that_models_take_and_is_found_by_it(names: list[str]):
    assert all(map(is_tool_name, names))
    offered = OfferedTools(tools(*names), ROOM)
    told = [tool.name for tool in offered.tools]
    assert len(set(told)) == len(names)
    assert all(len(name) <= 64 and not set(name) & set("./") for name in told)
    assert [own_name(offered, name) for name in told] == names


def test_a_tools_own_name_is_kept_and_others_do_not_change_it():
    offered = OfferedTools(tools("cart.add", "cart_add", "cart/add"), ROOM)
    [dotted, plain, slashed] = [tool.name for tool in offered.tools]
    assert plain == "cart_add"
    assert dotted.startswith("cart_add_")
    assert slashed.startswith("cart_add_")
    assert dotted != slashed
    assert OfferedTools(tools("cart.add"), ROOM).tools[0].name == "cart_add"
    assert OfferedTools(tools("cart.add", "cart/add"), ROOM).tools[0].name == "cart_add"


def test_a_model_may_use_the_tabs_own_name_or_a_namespace_and_no_name_that_it_was_not_offered():
    offered = OfferedTools(tools("cart.add"), ROOM)
    assert own_name(offered, "cart.add") == own_name(offered, "functions.cart_add") == "cart.add"
    assert own_name(offered, "cart_remove") is None
    assert own_name(OfferedTools(tools("functions.add", "add"), ROOM), "functions.add") == "functions.add"


def test_of_two_tools_of_one_name_the_pages_keeps_it():
    offered = OfferedTools(tools("add", "cart_add"), ROOM, tools("add", "cart.add"))
    first, second, third, fourth = [tool.name for tool in offered.tools]
    assert (first, fourth) == ("add", "cart_add")
    assert second.startswith("cart_add_")
    assert third.startswith("add_")
    found = [offered.find(name) for name in (first, second, third, fourth)]
    assert found == [("add", True), ("cart.add", True), ("add", False), ("cart_add", False)]


def test_tools_that_do_not_fit_are_left_out_and_the_model_is_told_which():
    one = OfferedTools(tools("a"), ROOM).characters
    offered = OfferedTools([*tools("a"), *tools("b", description="long" * 100), *tools("c")], 2 * one)
    assert [tool.name for tool in offered.tools] == ["a", "c"]
    assert (offered.left_out, offered.characters, own_name(offered, "b")) == (["b"], 2 * one, None)
    assert offered.instructions("Be brief.") == (
        f"Be brief.\n\n{DATA_RULE}\n\nThese tools of the page are too large to be offered to you: b."
    )


def test_a_model_is_told_about_tools_only_if_there_are_some():
    assert OfferedTools([], ROOM).instructions("Be brief.") == "Be brief."
    assert OfferedTools([], ROOM).instructions(None) == ""
    assert OfferedTools(tools("a"), ROOM).instructions(None) == DATA_RULE


class TabOf:
    """A tab that says something of its tools, if there are any."""

    def about(self, *, has_tools: bool) -> str:
        return "A tab has tools." if has_tools else ""


def test_a_model_hears_which_tools_the_page_runs_and_of_the_tab_only_if_that_has_some():
    tab: Any = TabOf()
    of_page = "The page that the user writes in runs these tools: a. "
    assert OfferedTools([], ROOM, tools("a")).instructions(None, tab) == of_page + DATA_RULE
    assert (
        OfferedTools(tools("b"), ROOM, tools("a")).instructions(None, tab) == f"A tab has tools. {of_page}{DATA_RULE}"
    )
    assert OfferedTools(tools("b"), ROOM).instructions(None, tab) == "A tab has tools. " + DATA_RULE
