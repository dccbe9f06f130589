"""Query parameters, validated."""

from collections.abc import Mapping

from waypost_worker.errors import InvalidParameter
from waypost_worker.limits import MAX_WAIT_SECONDS


def required_parameter(query: Mapping[str, str], name: str) -> str:
    """The parameter's value.

    Raises:
        InvalidParameter: it is missing or empty.
    """
    value = query.get(name)
    if not value:
        raise InvalidParameter(f"The query parameter {name} is needed.")
    return value


def seconds_parameter(query: Mapping[str, str], name: str) -> float:
    """A time to wait in seconds, 0 if it is missing; fractions are allowed.

    Raises:
        InvalidParameter: not a number from 0 to 60.
    """
    text = query.get(name, "0")
    # float() alone would also take "nan", "1_0" and digits of other scripts.
    if text.isascii() and text.replace(".", "", 1).isdigit() and len(text) <= 10:
        seconds = float(text)
        if seconds <= MAX_WAIT_SECONDS:
            return seconds
    raise InvalidParameter(f"{name} is a number of seconds from 0 to {MAX_WAIT_SECONDS}.")


def whole_number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A number of things, `default` if it is missing.

    Raises:
        InvalidParameter: not a whole number from 1 to `most`.
    """
    text = query.get(name, str(default))
    # int() alone would also take signs, spaces, "1_0" and digits of other scripts.
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= number <= most:
        raise InvalidParameter(f"{name} is a whole number from 1 to {most}.")
    return number


def flag(query: Mapping[str, str], name: str) -> bool | None:
    """Whether the parameter is `true` or `false`; `None` if it is missing.

    Raises:
        InvalidParameter: it is something else.
    """
    value = query.get(name)
    if value not in (None, "true", "false"):
        raise InvalidParameter(f"{name} is true or false.")
    return None if value is None else value == "true"
