"""A chat that uses a tab: the model's calls run there, and their results go back to the model."""

from tests.support.chats import text_of
from tests.support.tab_chats import TabChats
from waypost_worker.models.model import ToolUse

NOTE = ToolUse("c1", "add_note", {"text": "Milk"})


async def test_a_call_of_the_model_runs_in_the_tab_and_its_result_goes_back():
    at = TabChats(["I note it. ", NOTE], ["It is noted."])
    await at.open_tab()
    stream = await at.told(messageId="m1")
    assert stream.names() == ["start", "delta", "tool_call", "tool_result", "delta", "done"]
    assert text_of(stream) == "I note it. It is noted."
    [(id, tool, args)] = at.tab.runs
    assert (tool, args) == ("add_note", {"text": "Milk"})
    [call], [result] = stream.data("tool_call"), stream.data("tool_result")
    assert call == {"id": id, "name": "add_note", "arguments": {"text": "Milk"}, "step": 0}
    assert result == {"id": id, "result": {"noted": "Milk"}, "isError": False}
    assert await at.history() == ["user: Hi", "assistant: I note it. It is noted."]
    assert await at.log() == [("call", "add_note", {"text": "Milk"}), ("result", {"noted": "Milk"})]
    assert [item.role for item in at.model.asked[1]] == ["system", "user", "assistant", "tool"]
