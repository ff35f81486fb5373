"""What is remembered of one record and its work order, kept as the details of their link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tasks.rules.dispatch_triggers import Seen
from tasks.rules.scalars import read_moment, write_moment

RULES = "rules"
"""Kept with a link: the mark of the triggers by which its record was last judged."""
FOUND = "found"
"""Kept of a work order that was found although the ledger knew of no creation: what came back from it before
is not known either, so that notes and time entries are looked for before they are made."""
CANCELLING = "cancelling"
"""Kept while a cancellation is under way: who takes over after a kill knows by it that the record had left,
even where it has come back by then."""
_OWN = ("sent", "inside", "updated", "entries", "closed", "published", "written_back", "dropped")


@dataclass(frozen=True, slots=True)
class Memory:
    """
    Attributes:
        sent: the work order's members as they were last sent.
        seen: whether the record was in a trigger when last fetched, and its ``lastUpdated``.
        closed: it was closed then, or gone.
        published, written_back: what follows a creation is done, or is not to be done.
        dropped: dotted paths that Field Nation dropped silently when they were last sent.
        more: what other steps keep there; it is never touched here.
    """

    sent: dict[str, Any] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    closed: bool = False
    published: bool = False
    written_back: bool = False
    dropped: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Nothing of the creation is left to do."""
        return self.published and self.written_back

    def but(self, **changes: Any) -> Memory:
        """The same with some attributes replaced."""
        return replace(self, **changes)

    def details(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **self.more,
            "sent": self.sent,
            "inside": self.seen.inside,
            "updated": write_moment(self.seen.updated) if self.seen.updated else None,
            "entries": self.seen.entries,
            "closed": self.closed,
            "published": self.published,
            "written_back": self.written_back,
            "dropped": list(self.dropped),
        }


def memory_of(details: Mapping[str, Any]) -> Memory:
    """Reads what ``Memory.details`` wrote; what is missing has its default."""
    seen = Seen(
        bool(details.get("inside")), read_moment(details.get("updated")), int(details.get("entries") or 0)
    )
    return Memory(
        dict(details.get("sent") or {}),
        seen,
        bool(details.get("closed")),
        bool(details.get("published")),
        bool(details.get("written_back")),
        tuple(details.get("dropped") or ()),
        {name: value for name, value in details.items() if name not in _OWN},
    )
