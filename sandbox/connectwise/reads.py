"""Lists: conditions, order, pages, fields; their counts; and POST `/search` of tickets.

Pages go by number with a navigable Link header, or forward-only by id. A page by id begins where the one
before ended, and a condition that names ids looks at those records alone: otherwise reading a large company,
page by page, would cost the square of its size.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from sandbox.connectwise.body import Body
from sandbox.connectwise.condition_paths import (
    ExtraNames,
    Names,
    child_condition,
    condition,
    custom_condition,
    unknown_name,
)
from sandbox.connectwise.conditions import ConditionError, Test
from sandbox.connectwise.errors import VendorError, bad_condition
from sandbox.connectwise.rendering import Renderer
from sandbox.connectwise.schema.fields import Kind, Table
from sandbox.connectwise.store import Record, Store
from sandbox.requests import is_number
from sandbox.switches import Switches

DEFAULT_SIZE = 25
LARGEST_SIZE = 1000
LARGEST, LONGEST_NUMBER = 2**31 - 1, 20

One = TypeVar("One")
_IDS_ALONE = re.compile(r"\s*id\s+in\s*\(([\d\s,]+)\)\s*", re.IGNORECASE)
LONGEST_BODY = 10_000
MEMBERS = frozenset({"conditions", "orderby", "childconditions", "customfieldconditions"})


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
    return min(size, LARGEST_SIZE)


def page_by_number(
    records: list[One], query: Mapping[str, str], size: int, address: Address
) -> tuple[list[One], str]:
    """One page by `page` (from 1) and its Link header; empty past the end."""
    page = _whole(query, "page", 1)
    last = max(1, -(-len(records) // size))
    links: list[tuple[int, str]] = []
    if page < last:
        links += [(page + 1, "next"), (last, "last")]
    if page > 1:
        links += [(min(page - 1, last), "prev"), (1, "first")]
    header = ", ".join(f'<{address.with_value("page", number)}>; rel="{rel}"' for number, rel in links)
    return records[(page - 1) * size : page * size], header


def page_forward(
    records: Iterable[Record], query: Mapping[str, str], size: int, address: Address
) -> tuple[list[Record], str]:
    """The records, in order of id, with an id above `pageId`; the Link header is empty on the last page."""
    after = after_id(query)
    found = list(islice((one for one in records if one["id"] > after), size + 1))
    if len(found) <= size:
        return found, ""
    page = found[:size]
    return page, f'<{address.with_value("pageId", page[-1]["id"])}>; rel="next"'


def after_id(query: Mapping[str, str]) -> int:
    """The `pageId` parameter: the last id of the page before, 0 on the first."""
    return _whole(query, "pageid", 0, least=0)


def sort_records(records: list[One], order_by: str, read: Callable[[str], Callable[[One], Any]]) -> list[One]:
    """Sorted by `orderBy`: texts in any case, missing values first. `read` gives what reads a name."""
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


def _whole(query: Mapping[str, str], name: str, default: int, least: int = 1) -> int:
    """A 32-bit number of the query, the default where there is none; VendorError 400 below `least`."""
    typed = query.get(name, "").strip()
    if not typed:
        return default
    if not is_number(typed) or not least <= int(typed[:LONGEST_NUMBER]) <= LARGEST:
        shown = typed if len(typed) <= LONGEST_NUMBER else f"{typed[:LONGEST_NUMBER]}..."
        raise VendorError(400, "ConnectWiseApi", f"The value '{shown}' is not valid for {name}.")
    return int(typed)


class Listing:
    """One list request; `query` has lower-case names, `belongs` tells a parent's children from others."""

    def __init__(
        self,
        table: Table,
        store: Store,
        query: Mapping[str, str],
        renderer: Renderer,
        belongs: Callable[[Record], bool] = lambda _: True,
        *,
        records: Mapping[int, Record] | None = None,
        extra_names: ExtraNames | None = None,
    ) -> None:
        """`records` stand in the place of the store's, `extra_names` knows more names.

        Raises:
            VendorError: 400 ApiFindCondition.
        """
        self._table = table
        self._store = store
        self._query = query
        self._renderer = renderer
        self._extra_names = extra_names
        self._records = store.collection(table.name) if records is None else records
        self._tests = [belongs] if table.parent or table.belongs else []
        try:
            self._tests += self._asked()
        except ConditionError as error:
            raise bad_condition(str(error)) from None

    def count(self) -> dict[str, int]:
        """`{"count": n}` of what meets the conditions."""
        return {"count": sum(1 for _ in self._found())}

    def numbered_page(self, address: Address, switches: Switches) -> tuple[list[Record], str]:
        found, order = list(self._found()), self._query.get("orderby", "")
        if order.strip():
            found = sort_records(found, order, self._reader)
        page, link = page_by_number(found, self._query, self._size(switches), address)
        return self._shown(page, switches), link

    def forward_page(self, address: Address, switches: Switches) -> tuple[list[Record], str]:
        """The records after `pageId`, shown, and the Link header, empty on the last page.

        Raises:
            VendorError: orderBy is not allowed here.
        """
        if self._query.get("orderby", "").strip():
            raise bad_condition("orderBy is not supported with forward-only pagination.")
        found = self._found(after_id(self._query))
        page, link = page_forward(found, self._query, self._size(switches), address)
        return self._shown(page, switches), link

    def _asked(self) -> list[Test]:
        tests: list[Test] = []
        if text := self._query.get("conditions", "").strip():
            tests.append(condition(text, self._table, self._store, self._extra_names))
        if text := self._query.get("childconditions", "").strip():
            tests.append(child_condition(text, self._table, self._store, self._renderer.items))
        if text := self._query.get("customfieldconditions", "").strip():
            tests.append(custom_condition(text, self._renderer.custom_values))
        return tests

    def _found(self, after: int = 0) -> Iterator[Record]:
        """What meets the conditions, in order of id, from the first id above ``after`` on, if given."""
        records = self._records
        ids = sorted(self._candidates())  # Nearly free: ids are almost always in order already.
        # The merged list of notes has keys below zero too.
        start = bisect_right(ids, after) if after else 0
        found: Iterator[Record] = (records[record_id] for record_id in ids[start:])
        for test in self._tests:
            found = filter(test, found)
        return found

    def _candidates(self) -> Iterator[int]:
        """The ids of the records that the conditions have to be held against."""
        named = _IDS_ALONE.fullmatch(self._query.get("conditions", ""))
        if named is None:
            return iter(self._records)
        ids = {int(word) for word in named[1].split(",") if is_number(word.strip())}
        return (record_id for record_id in ids if record_id in self._records)

    def _size(self, switches: Switches) -> int:
        return page_size(self._query, switches.page_size_over_limit)

    def _reader(self, path: str) -> Callable[[Record], object]:
        try:
            names = Names(self._table, self._store)
            found = names.access(path)
            # A reference sorts by what it shows as its name.
            return names.access(f"{path}/name").read if found.kind is Kind.REFERENCE else found.read
        except ConditionError as error:
            raise bad_condition(str(error)) from None

    def _shown(self, page: list[Record], switches: Switches) -> list[Record]:
        return list(map(presenter(self._renderer, self._query, switches), page))


def presenter(renderer: Renderer, query: Mapping[str, str], switches: Switches) -> Callable[[Record], Record]:
    """How records are shown: whole, or just the members that `fields` names.

    Raises:
        VendorError: a name nobody knows, where the switch says to refuse it.
    """
    fields = query.get("fields", "").strip()
    if not fields:
        return renderer.record
    pick, unknown = renderer.picker(fields)
    if unknown and switches.unknown_fields == "refuse":
        raise bad_condition(str(unknown_name(unknown[0])))
    return pick


def search_query(body: Body) -> dict[str, str]:
    """The body's members as a list's query has them, by lower-case name.

    Raises:
        VendorError: 413 above 10,000 characters (the vendor's number for moving from a URL to a search, the
            refusal assumed), 400 for a member that a search does not have.
    """
    if body.length > LONGEST_BODY:
        raise VendorError(413, "ConnectWiseApi", f"The request body exceeds {LONGEST_BODY} characters.")
    return filter_values(body, body.value)


def filter_values(body: Body, value: object, at: str = "") -> dict[str, str]:
    """A FilterValues object as query values; `at` is its place in the body.

    Raises:
        VendorError: not an object, or a member that it does not have.
    """
    members = body.object(value, MEMBERS, "FilterValues", at)
    return {name: str(one) for name, one in members.items() if one is not None and name in MEMBERS}
