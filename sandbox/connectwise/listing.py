"""GET of a list: conditions, order, page, fields; and its count.

A page by id begins where the one before ended, and a condition that names ids looks at those records alone:
otherwise reading a large company, page by page, would cost the square of its size.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping

from sandbox.connectwise.comparing import Test
from sandbox.connectwise.conditions import ConditionError
from sandbox.connectwise.errors import VendorError, bad_condition
from sandbox.connectwise.fields import Table
from sandbox.connectwise.naming import Beside, Names, child_condition, condition, custom_condition
from sandbox.connectwise.paging import Address, after_id, forward, numbered, ordered, page_size
from sandbox.connectwise.rendering import Renderer
from sandbox.connectwise.store import Record, Store
from sandbox.switches import Switches

_IDS_ALONE = re.compile(r"\s*id\s+in\s*\(([\d\s,]+)\)\s*", re.IGNORECASE)


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
        beside: Beside | None = None,
    ) -> None:
        """Reads the conditions; `records` stand in the place of the store's, `beside` knows further names.

        Raises:
            VendorError: 400 ApiFindCondition.
        """
        self._table = table
        self._store = store
        self._query = query
        self._renderer = renderer
        self._beside = beside
        self._records = store.collection(table.name) if records is None else records
        self._tests = [belongs] if table.parent else []
        try:
            self._tests += self._asked()
        except ConditionError as error:
            raise bad_condition(str(error)) from None

    def count(self) -> dict[str, int]:
        """`{"count": n}` of what meets the conditions."""
        return {"count": sum(1 for _ in self._found())}

    def numbered_page(self, address: Address, switches: Switches) -> tuple[list[Record], str]:
        """One page by number, shown, and the Link header."""
        found, order = list(self._found()), self._query.get("orderby", "")
        if order.strip():
            found = ordered(found, order, self._reader)
        page, link = numbered(found, self._query, self._size(switches), address)
        return self._shown(page, switches), link

    def forward_page(self, address: Address, switches: Switches) -> tuple[list[Record], str]:
        """The records after `pageId`, shown, and the Link header, empty on the last page.

        Raises:
            VendorError: orderBy is not allowed here.
        """
        if self._query.get("orderby", "").strip():
            raise bad_condition("orderBy is not supported with forward-only pagination.")
        page, link = forward(self._found(after_id(self._query)), self._query, self._size(switches), address)
        return self._shown(page, switches), link

    def _asked(self) -> list[Test]:
        tests: list[Test] = []
        if text := self._query.get("conditions", "").strip():
            tests.append(condition(text, self._table, self._store, self._beside))
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
        ids = {int(word) for word in named[1].split(",") if word.strip().isdecimal()}
        return (record_id for record_id in ids if record_id in self._records)

    def _size(self, switches: Switches) -> int:
        return page_size(self._query, switches.page_size_over_limit)

    def _reader(self, path: str) -> Callable[[Record], object]:
        try:
            return Names(self._table, self._store).access(path).read
        except ConditionError as error:
            raise bad_condition(str(error)) from None

    def _shown(self, page: list[Record], switches: Switches) -> list[Record]:
        return list(map(shower(self._renderer, self._query, switches), page))


def shower(renderer: Renderer, query: Mapping[str, str], switches: Switches) -> Callable[[Record], Record]:
    """How records are shown: whole, or just the members that `fields` names.

    Raises:
        VendorError: a name nobody knows, where the switch says to refuse it.
    """
    fields = query.get("fields", "").strip()
    if not fields:
        return renderer.record
    pick, unknown = renderer.picker(fields)
    if unknown and switches.unknown_fields == "refuse":
        raise VendorError(400, "ApiFindCondition", f"{unknown[0]} is not a recognized name.")
    return pick
