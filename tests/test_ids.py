"""What is a session code, an id, a tool's name; hostile ones never come near a key."""

import pytest

from simulation.seeded_random import SeededRandom
from waypost_worker.errors import InvalidCode, InvalidId
from waypost_worker.ids import (
    CROCKFORD,
    is_tool_name,
    new_code,
    parse_app_id,
    parse_code,
    parse_id,
    parse_message_id,
)

HOSTILE = {
    "a colon": "a:b",
    "two dots and a slash": "../a",
    "NUL": "a\0",
    "a line break at the end": "a\n",
    "right-to-left override": "a\u202eb",
    "zero width space": "a\u200b",
    "513 bytes": "a" * 513,
    "65 characters": "a" * 65,
    "a lone surrogate": "a\ud800",
    "dotless i": "\u0131",
    "full-width digits": "\uff11\uff12",
    "Arabic digits": "\u0661",
    "a space": "a b",
    "nothing": "",
    "percent": "%41",
    "an emoji": "\U0001f600",
}
hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


@pytest.mark.parametrize(
    "text",
    [
        "K7Q2M9X1",
        "k7q2m9x1",
        "K7Q2-M9X1",
        "k-7-q-2-m-9-x-1",
        "K7Q2M9Xi",
        "K7Q2M9XL",
        "K7Q2M9Xl",
        "-K7Q2M9X1-",
        "K7Q2 M9X1",
        "K7Q2M9X1 ",
        " k7q2 - m9xl\r\n",
        "K7Q2\tM9X1",
        "K7Q2\u00a0M9X1",
        "K7Q2\u2007M9X1",
        "K7Q2\u202fM9X1",
        "K7Q2\u3000M9X1",
        "K7Q2\u2010M9X1",
        "K7Q2\u2011M9X1",
        "K7Q2\u2012M9X1",
        "K7Q2 \u2013 M9X1",
        "K7Q2\u2014M9X1",
        "K7Q2\u2212M9X1",
        "K7Q2\uff0dM9X1",
        "K7Q2\u00adM9X1",
        "\ufeffK7Q2\u200bM9X1\u2060",
    ],
)
def test_a_code_is_read_as_a_person_may_write_it(text: str):
    assert parse_code(text) == "K7Q2M9X1"


def test_the_letter_o_is_read_as_zero():
    assert parse_code("oOoOoOoO") == "00000000"


@hostile
def test_a_hostile_code_is_refused(text: str):
    with pytest.raises(InvalidCode):
        parse_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "K7Q2M9X",
        "K7Q2-M9X",
        "Z" * 17,
        "K7Q2M9XU",
        "K7Q2M9X\u0131",
        "K7Q2M9X1" + "-" * 25,
        "--------",
        "-" * 33,
        "K7Q2M9X1" + " " * 25,
        "K7Q2_M9X1",
        "K7Q2.M9X1",
        "K7Q2+M9X1",
        "K7Q2/M9X1",
        "K7Q2\u202eM9X1",
        "K7Q2\0M9X1",
        "K7Q2\uff2d9X1",
        "K7Q2M9X\u0131\u00a0",
    ],
)
def test_what_is_nearly_a_code_is_refused(text: str):
    with pytest.raises(InvalidCode):
        parse_code(text)


@pytest.mark.parametrize("length", range(8, 17))
def test_a_code_of_any_length_is_read_whichever_is_set(length: int):
    code = new_code(SeededRandom(length), length)
    assert len(code) == length
    assert parse_code(code) == parse_code(code.lower()) == parse_code("-".join(code)) == code


def test_a_long_code_is_read_as_it_is_shown_with_all_of_its_hyphens():
    typed = "k7q2-m9xo-iLoL-0O1I"
    assert parse_code(typed) == "K7Q2M9X011010011"
    assert parse_code("-".join(typed.replace("-", "")) + "-") == "K7Q2M9X011010011"


def test_new_codes_use_the_whole_alphabet_and_are_codes():
    random = SeededRandom()
    codes = [new_code(random) for _ in range(300)]
    assert set("".join(codes)) == set(CROCKFORD)
    assert all(parse_code(code) == code for code in codes)
    assert len(set(codes)) == 300


@pytest.mark.parametrize("length", range(8, 17))
def test_each_bit_of_a_code_comes_from_a_random_bit_of_its_own(length: int):
    class Fixed:
        def __init__(self, number: int) -> None:
            self.number = number

        def random_bytes(self, count: int) -> bytes:
            return self.number.to_bytes(10, "big")[-count:]

    # One random bit after the other: each changes the code, and no two in the same way.
    codes = {new_code(Fixed(1 << bit), length) for bit in range(5 * length)}
    assert len(codes) == 5 * length
    assert "0" * length not in codes
    assert new_code(Fixed(2**80 - 1), length) == "Z" * length


@pytest.mark.parametrize("text", ["a", "a" * 64, "A.b_c~d-9", "...", "0"])
def test_an_id_is_itself(text: str):
    assert parse_id(text, "id") == text


@hostile
def test_a_hostile_id_is_refused_by_name_and_not_repeated(text: str):
    with pytest.raises(InvalidId) as caught:
        parse_id(text, "producer")
    assert caught.value.detail == "The producer must be 1 to 64 characters out of A-Z a-z 0-9 . _ ~ -"


@pytest.mark.parametrize("text", ["echo", "a/b.c_d-e", "t" * 128])
def test_tool_names_are_those_of_mcp(text: str):
    assert is_tool_name(text)


@pytest.mark.parametrize("text", [*sorted(set(HOSTILE.values()) - {"../a", "a" * 65}), "t" * 129, "a~b", "\u0131"])
def test_other_names_are_no_tool_names(text: str):
    assert not is_tool_name(text)


@pytest.mark.parametrize("text", [".", ".."])
def test_a_step_in_a_path_is_no_id(text: str):
    with pytest.raises(InvalidId):
        parse_id(text, "id")


JOINED = {
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "a rainbow flag": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "an astronaut with a skin tone": "\U0001f469\U0001f3fd\u200d\U0001f680",
    "a Persian verb": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Sinhala after its virama": "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    "Hindi": "\u0915\u094d\u200d\u0937-\u0915\u094d\u200c\u0937",
    "a chat with a family": "chat \U0001f468\u200d\U0001f469 7",
}
"""The texts that the console shows as they are: tests/client/plain.test.mjs."""


@pytest.mark.parametrize("text", JOINED.values(), ids=JOINED)
def test_an_id_may_have_joiners_where_its_script_or_emoji_need_them(text: str):
    assert parse_app_id(text, "threadId") == parse_message_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "a\u200db",
        "a\u200cb",
        "\u6f22\u200d\u5b57",
        "\u0645\u200c",
        "\u200c\u0645",
        "\u0645\u200ca",
        "\u0645\u200c\u200c\u062e",
        "\u0645\u200c\u200d\u062e",
        "\U0001f469\u200d",
        "\u200d\U0001f469",
        "\U0001f469\u200da",
        "\U0001f469\u200c\U0001f469",
        "a\ufe0f\u200d\U0001f308",
        "\u0645\u200b\u062e",
        "\U0001f469\u2060\U0001f469",
        "\u200d",
    ],
)
def test_other_joiners_would_make_two_ids_look_the_same_and_are_refused(text: str):
    with pytest.raises(InvalidId):
        parse_app_id(text, "threadId")
    with pytest.raises(InvalidId):
        parse_message_id(text)
