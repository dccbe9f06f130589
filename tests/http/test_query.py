"""Query parameters: needed ones, and times."""

import pytest

from simulation.client import make_client
from waypost_worker.errors import InvalidParameter
from waypost_worker.http.query import required_parameter, seconds_parameter


def test_a_needed_parameter_is_its_value():
    assert required_parameter({"code": "x"}, "code") == "x"


@pytest.mark.parametrize("query", [{}, {"code": ""}])
def test_a_needed_parameter_that_is_missing_is_named(query: dict[str, str]):
    with pytest.raises(InvalidParameter, match="code"):
        required_parameter(query, "code")


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("60", 60), ("2.5", 2.5), ("60.0", 60), (".5", 0.5), ("0000000001", 1), ("1.", 1)]
)
def test_a_time_is_a_number_of_seconds(text: str, seconds: float):
    assert seconds_parameter({"wait": text}, "wait") == seconds


def test_a_time_that_is_not_given_is_zero():
    assert seconds_parameter({}, "wait") == 0


@pytest.mark.parametrize(
    "text",
    ["", ".", "-1", "+1", "60.001", "61", "nan", "inf", "1e1", "1_0", " 1", "1.2.3", "\u0661", "\u00b2", "00000000001"],
)
def test_anything_else_is_refused(text: str):
    with pytest.raises(InvalidParameter):
        seconds_parameter({"wait": text}, "wait")


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "/api/poll"),
        ("GET", "/api/stream"),
        ("GET", "/api/poll?code="),
        ("GET", "/api/poll?code=K7Q2M9XA&code=K7Q2M9XA"),
        ("GET", "/api/poll?code=K7Q2M9XA&wait=61"),
        ("POST", "/api/request?wait=soon"),
    ],
)
async def test_a_route_refuses_them_too(method: str, url: str):
    reply = await make_client().call(method, url)
    assert (reply.status, reply.json()["code"]) == (400, "invalid_parameter")
