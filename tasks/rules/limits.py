"""The documented limits of what a person types or maps, checked before any request is sent.

Lengths are those of the connector page ("Max length: 50") and of the vendor's OpenAPI description.
ConnectWise refuses a text that is too long, it never cuts it, so neither do these rules.
"""

from __future__ import annotations

from collections.abc import Sized

NAME_LENGTH = 50
"""Characters of a location's, configuration type's or manufacturer's name and of a status description."""


class LimitError(ValueError):
    """A value that a documented limit forbids; the text names the field, what is wrong and the remedy."""


def text_length(value: str) -> int:
    """The length as ConnectWise counts it: a .NET string counts UTF-16 units, so an emoji counts twice."""
    return len(value) if value.isascii() else len(value.encode("utf-16-le", "surrogatepass")) // 2


def too_long(what: str, value: str, maximum: int | None) -> str | None:
    """What is wrong with the length of ``value`` in words, or None; ``maximum`` None means no limit."""
    # No character counts more than twice.
    if maximum is None or 2 * len(value) <= maximum or text_length(value) <= maximum:
        return None
    return f"{what} has {text_length(value)} characters, ConnectWise allows {maximum}"


def check_length(what: str, value: str, maximum: int) -> str:
    """Give ``value`` back unchanged if it has at most ``maximum`` characters.

    Raises:
        LimitError: it is longer; nothing is ever cut silently.
    """
    if problem := too_long(what, value, maximum):
        raise LimitError(f"{problem}: {_shown(value)}. Shorten it.")
    return value


def check_required(what: str, value: str | None) -> str:
    """Give ``value`` back without outer blanks. Raises LimitError: it is missing or blank."""
    if value is None or not value.strip():
        raise LimitError(f"{what} is empty. Give it a value.")
    return value.strip()


def check_name(what: str, value: str | None, maximum: int = NAME_LENGTH) -> str:
    """A name as it may be created: not blank, without outer blanks, at most ``maximum`` characters.

    Raises:
        LimitError: it is blank or too long.
    """
    return check_length(what, check_required(what, value), maximum)


def check_positive_id(what: str, value: int | str | None) -> int:
    """A record id; ConnectWise ids are whole numbers above 0, and the page gives some of them as text.

    Raises:
        LimitError: it is anything else.
    """
    text = str(value).strip() if value is not None and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise LimitError(
            f"{what} is {_shown(str(value))}, not a ConnectWise id. Give a whole number above 0."
        )
    return int(text)


def _shown(value: str, length: int = 60) -> str:
    return repr(value if len(value) <= length else value[: length - 1] + "…")


def check_batch(what: str, records: Sized, maximum: int) -> None:
    """A bulk request takes 1 to ``maximum`` records. Raises LimitError: there is none, or there are more."""
    if not 1 <= len(records) <= maximum:
        raise LimitError(f"{what}: {len(records)} records in one request. Send 1 to {maximum}.")


def check_positive(what: str, value: int) -> int:
    """Give a record's number back. Raises LimitError: it is not positive, as every record's number is."""
    if value < 1:
        raise LimitError(f"{what} is {value}. Give the number of a record, such as 5021.")
    return value
