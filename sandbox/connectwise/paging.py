"""Pages of a list: by number with a navigable Link header, or forward-only by id."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from sandbox.connectwise.errors import VendorError, bad_condition
from sandbox.connectwise.store import Record

DEFAULT_SIZE = 25
LARGEST_SIZE = 1000

One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class Address:
    """The list's address as the caller typed it: without the query, and the query's pairs."""

    url: str
    query: tuple[tuple[str, str], ...]

    def with_value(self, name: str, value: int) -> str:
        """The same address with one query value exchanged or added."""
        kept = [pair for pair in self.query if pair[0].lower() != name.lower()]
        return f"{self.url}?{urlencode([*kept, (name, str(value))], quote_via=quote)}"


def page_size(query: Mapping[str, str], over_limit: str) -> int:
    """The `pageSize` parameter; default 25, at most 1,000: more is capped or, by switch, refused."""
    size = _whole(query, "pagesize", DEFAULT_SIZE)
    if size > LARGEST_SIZE and over_limit == "refuse":
        raise VendorError(400, "InvalidObject", f"pageSize must be between 1 and {LARGEST_SIZE}.")
    return min(size, LARGEST_SIZE) if size > 0 else DEFAULT_SIZE


def numbered(
    records: list[One], query: Mapping[str, str], size: int, address: Address
) -> tuple[list[One], str]:
    """One page by `page` (from 1) and its Link header; empty past the end."""
    page = max(1, _whole(query, "page", 1))
    last = max(1, -(-len(records) // size))
    links: list[tuple[int, str]] = []
    if page < last:
        links += [(page + 1, "next"), (last, "last")]
    if page > 1:
        links += [(min(page - 1, last), "prev"), (1, "first")]
    header = ", ".join(f'<{address.with_value("page", number)}>; rel="{rel}"' for number, rel in links)
    return records[(page - 1) * size : page * size], header


def forward(
    records: Iterable[Record], query: Mapping[str, str], size: int, address: Address
) -> tuple[list[Record], str]:
    """The records with an id above `pageId`, lowest first; the Link header is empty on the last page.

    `records` come in order of id, already filtered and beginning anywhere.
    """
    after = after_id(query)
    found = list(islice((one for one in records if one["id"] > after), size + 1))
    if len(found) <= size:
        return found, ""
    page = found[:size]
    return page, f'<{address.with_value("pageId", page[-1]["id"])}>; rel="next"'


def after_id(query: Mapping[str, str]) -> int:
    """The `pageId` parameter: the last id of the page before, 0 on the first."""
    return _whole(query, "pageid", 0)


def ordered(records: list[One], order_by: str, read: Callable[[str], Callable[[One], Any]]) -> list[One]:
    """Sorted by the `orderBy` parameter: names with asc or desc; values that are missing come first.

    `read` gives the function that reads a name; texts sort without regard to case.
    """
    for part in reversed([part.split() for part in order_by.split(",") if part.strip()]):
        direction = part[1].lower() if len(part) > 1 else "asc"
        if len(part) > 2 or direction not in ("asc", "desc"):
            raise bad_condition(f"orderBy can't be read: {' '.join(part)}")
        key = _sort_key(read(part[0]))
        records = sorted(records, key=key, reverse=direction == "desc")
    return records


def _sort_key(read: Callable[[One], Any]) -> Callable[[One], tuple[bool, Any]]:
    def key(record: One) -> tuple[bool, Any]:
        value = read(record)
        return (value is not None, value.casefold() if isinstance(value, str) else value or 0)

    return key


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    typed = query.get(name, "").strip()
    if not typed:
        return default
    try:
        return int(typed)
    except ValueError:
        raise VendorError(400, "ConnectWiseApi", f"The value '{typed}' is not valid for {name}.") from None
