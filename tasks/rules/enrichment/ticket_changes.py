"""Which tickets must be asked for their configurations again, given the cache of earlier answers.

A ticket whose ``lastUpdated`` is the cached one holds the cached configurations, as far as attaching and
detaching move it. Group questions tell only of the configurations that they name: those are cached too, and a
later run asks about the others only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

STABLE_AFTER = timedelta(seconds=2)
"""``lastUpdated`` counts whole seconds: within the second of its last change a ticket can change again."""

TicketKey = tuple[str, int]
"""Kind and id."""


@dataclass(frozen=True, slots=True)
class KnownTicket:
    """A remembered ticket."""

    last_updated: str
    configurations: frozenset[int]


@dataclass(frozen=True, slots=True)
class TicketChanges:
    """What a sweep of tickets found against what is remembered.

    Attributes:
        gone: remembered, and no longer there.
        unchanged: remembered with the same ``lastUpdated``.
        changed: to be asked: new, changed, or without a ``lastUpdated``.
        new_configurations: not asked about when the unchanged tickets were.
    """

    gone: list[TicketKey]
    unchanged: dict[TicketKey, frozenset[int]]
    changed: list[TicketKey]
    new_configurations: list[int]


def ticket_changes(
    swept: Mapping[TicketKey, str],
    remembered: Mapping[TicketKey, KnownTicket],
    asked_about: Collection[int] | None,
    wanted: Collection[int],
) -> TicketChanges:
    """Compare.

    Args:
        swept: ``lastUpdated`` by ticket, empty where the server gave none.
        asked_about: the configurations that the remembered links are complete for; None: for all.
        wanted: the configurations of this run.
    """
    unchanged = {
        key: known.configurations
        for key, known in remembered.items()
        if known.last_updated and swept.get(key) == known.last_updated
    }
    changed = sorted(key for key in swept if key not in unchanged)
    known_ids = None if asked_about is None else set(asked_about)
    new = [] if known_ids is None or not unchanged else sorted(set(wanted) - known_ids)
    return TicketChanges(sorted(remembered.keys() - swept.keys()), unchanged, changed, new)


def stable_stamp(last_updated: str, now: datetime) -> str:
    """``lastUpdated`` as it is remembered: empty while the ticket can still change within the same second.

    One that lies after ``now``, when the reading of tickets began, is of a change during the reading.
    """
    try:
        age = now - datetime.fromisoformat(last_updated)
    except (ValueError, TypeError):
        return ""
    return "" if age < STABLE_AFTER else last_updated


def is_reconcile_due(runs_since: int, every: int) -> bool:
    """Whether this run asks all tickets again; ``every`` 0: never by itself."""
    return every > 0 and runs_since + 1 >= every


def as_ranges(ids: Iterable[int]) -> list[list[int]]:
    """Ids as [first, last] pairs in order, to be remembered in little room."""
    ranges: list[list[int]] = []
    for each in sorted(set(ids)):
        if ranges and ranges[-1][1] == each - 1:
            ranges[-1][1] = each
        else:
            ranges.append([each, each])
    return ranges


def from_ranges(ranges: Sequence[Sequence[int]]) -> set[int]:
    """The ids that ``as_ranges`` wrote down."""
    return {each for first, last in ranges for each in range(first, last + 1)}


def tickets_by_configuration(
    links: Mapping[TicketKey, Collection[int]],
    tickets: Mapping[TicketKey, dict[str, Any]],
    wanted: Iterable[int],
) -> dict[int, list[dict[str, Any]]]:
    """The tickets of each wanted configuration in the order of their ids; a ticket can be in several."""
    found: dict[int, list[dict[str, Any]]] = {each: [] for each in wanted}
    for key in sorted(links, key=lambda each: each[1]):
        for configuration in links[key]:
            if configuration in found:
                found[configuration].append(tickets[key])
    return found
