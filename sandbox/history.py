"""An audit trail of some collections: who read their records whole, wrote them, deleted them, in order.

Nothing is kept until somebody asks for it, and then a copy of a record a change, so that large inventories
cost nothing. A request's own work knows when the request arrived: a write that lands long after its
connection dropped was made of what was read before it arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from typing import Any

Record = dict[str, Any]
Show = Callable[[Record], Record]

MOST_ENTRIES = 200_000
_ARRIVAL: ContextVar[Arrival | None] = ContextVar("arrival", default=None)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A vendor request: its number since the history began, the entries before it, its name and query.

    ``heard``: whether its caller gets the answer.
    """

    number: int
    since: int
    name: str
    query: str = ""
    heard: bool = True


@dataclass(slots=True)
class Entry:
    """One thing that happened to a record.

    Attributes:
        action: ``read`` (whole), ``added``, ``updated`` or ``deleted``.
        by: the member, or ``a person``.
        request: the number of the request that did it; 0 for what was done through control.
        since: how many entries there were when that request arrived.
        name: of the request, such as ``PUT /company/configurations/bulk``; ``query``: its query in clear.
        record: the record as it was afterwards (before a deletion); None for a read, and for assets.
    """

    at: int
    collection: str
    id: int | str
    action: str
    by: str
    request: int
    since: int
    name: str
    record: Record | None
    query: str


class History:
    """The entries of the collections that are ``kept``. After ``MOST_ENTRIES`` it is ``cut``."""

    def __init__(self) -> None:
        self.keep(())

    def keep(self, collections: Collection[str]) -> None:
        """From now on note what happens to these collections' records; what was noted before is dropped."""
        self.kept = frozenset(collections)
        self.cut = False
        self.requests = 0
        self._entries: list[Entry] = []
        self._added: dict[tuple[str, int | str], Entry] = {}

    def arrived(self, name: str, query: str = "") -> None:
        """A vendor request arrived; what is noted from here on in its own task is that request's work."""
        if self.kept:
            self.requests += 1
            _ARRIVAL.set(Arrival(self.requests, len(self._entries), name, query))

    def unheard(self) -> None:
        """Nobody gets the answer of this task's request: what it reads has not been read."""
        if arrival := _ARRIVAL.get():
            _ARRIVAL.set(replace(arrival, heard=False))

    def note(
        self, collection: str, record_id: int | str, action: str, by: str, record: Record | None = None
    ) -> None:
        """Keep one entry; a record that is added and then filled in by one request is added once."""
        if collection not in self.kept:
            return
        arrival = _ARRIVAL.get() or Arrival(0, len(self._entries), "")
        image = None if record is None else {**record}
        added = self._added.get((collection, record_id))
        if action == "updated" and added and arrival.number and added.request == arrival.number:
            added.record = image
            return
        if len(self._entries) >= MOST_ENTRIES:
            self.cut = True
            return
        at = len(self._entries)
        done = (arrival.number, arrival.since, arrival.name)
        entry = Entry(at, collection, record_id, action, by, *done, image, arrival.query)
        self._entries.append(entry)
        if action == "added":
            self._added[collection, record_id] = entry

    def note_reads(self, collection: str, record_ids: Iterable[int], by: str) -> None:
        """Whole records were given to a caller, who gets them unless the connection is gone."""
        arrival = _ARRIVAL.get()
        if collection in self.kept and (arrival is None or arrival.heard):
            for record_id in record_ids:
                self.note(collection, record_id, "read", by)

    def as_json(self, collection: str, show: Show | None = None) -> dict[str, Any]:
        """The entries of one collection; ``show`` gives a stored record its wire form."""
        entries = [asdict(each) for each in self._entries if each.collection == collection]
        for entry in entries:
            if entry["record"] is not None and show is not None:
                entry["record"] = show(entry["record"])
        return {"kept": collection in self.kept, "cut": self.cut, "entries": entries}
