"""What the plans promise to cost, and that docs/cost.md says what was counted."""

from simulation.address_cost import find_by_address, open_with_address
from simulation.conversation_cost import ANSWER_SECONDS, append_message, chat_exchange, read_conversation
from simulation.cost import BEGIN, CALLS, END, PAGE, call_alone, poll_alone, stream_hour, table
from simulation.step_cost import tool_step
from tools.prices import A_DAY, DOLLARS
from waypost_worker.polling.plans import FREE, PAID


def test_a_call_and_its_answer_take_five_operations_and_four_more_in_two_isolates() -> None:
    assert call_alone(PAID, same_isolate=True).total() <= 5
    assert call_alone(PAID, same_isolate=False).total() <= 9


def test_an_idle_tab_of_the_paid_plan_costs_less_than_a_sixth_of_a_cent_an_hour() -> None:
    count = stream_hour(PAID, host=True)
    assert sum(DOLLARS[kind] * number for kind, number in count.items()) <= 0.0015
    assert stream_hour(PAID, host=True, is_placed=False)["list"] <= 12 * 60


def test_a_poll_that_finds_nothing_is_one_operation() -> None:
    assert poll_alone(PAID).total() == 1


def test_a_tab_of_eight_hours_with_a_hundred_calls_fits_into_the_free_plans_day() -> None:
    count = stream_hour(FREE, host=True, calls=CALLS, hours=8, same_isolate=True)
    assert all(number < A_DAY[kind] / 2 for kind, number in count.items())
    count = stream_hour(FREE, host=True, calls=CALLS, hours=8)
    assert all(number < A_DAY[kind] * 0.6 for kind, number in count.items())


def test_an_mcp_address_adds_one_read_of_two_keys_to_a_request_and_none_to_the_next() -> None:
    assert find_by_address() == find_by_address(times=10) == {"read": 2}
    assert open_with_address() == {"list": 1, "write": 1}


def test_reading_a_conversation_takes_two_operations() -> None:
    assert sum(read_conversation().values()) <= 2


def test_adding_a_message_takes_at_most_three_operations_on_average_folding_included() -> None:
    assert sum(append_message().values()) <= 3


def test_a_chat_takes_two_operations_for_each_second_of_its_answer_and_a_dozen_besides() -> None:
    assert sum(chat_exchange().values()) <= 2 * ANSWER_SECONDS + 12


def test_a_step_that_calls_a_tool_takes_seven_operations_in_one_isolate() -> None:
    assert sum(tool_step(same_isolate=True).values()) <= 7


def test_the_cost_page_has_the_table_as_it_is_counted() -> None:
    assert PAGE.read_text().split(BEGIN)[1].split(END)[0] == table(), "run `make cost`"
