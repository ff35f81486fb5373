"""Which ways to agreements and tickets a ConnectWise server takes, and which of them costs least.

ConnectWise links configurations to agreements and tickets only from the other side. Child collections always
work, one request an agreement or ticket; everything cheaper is undocumented or without published limits
(reference, 4.2, 4.3, 4.5), so it is tried out per server, checked against child collections, and remembered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from tasks.rules.bundle_size import BundleSize
from tasks.rules.group_costs import plan_groups
from tasks.rules.question_size import Room, fewest_groups

TRUSTED_FOR = timedelta(days=30)
"""What was found out longer ago is tried again."""
Kind = Literal["service", "project"]
KINDS: tuple[Kind, ...] = ("service", "project")
PAGE = 1000


class WayState(StrEnum):
    """What is known of a way. ``FAILED``: it broke in this run; the next one tries it again."""

    UNKNOWN = "unknown"
    WORKS = "works"
    REFUSED = "refused"
    WRONG = "gives wrong answers"
    FAILED = "failed in this run"


class Asking(StrEnum):
    """How to ask which tickets hold one of several configurations, the roomiest first."""

    SEARCH = "configuration/id in, by ticket search"
    URL = "configuration/id in, in the URL"
    SINGLE = "configuration/id = one"


REPORT = "report ConfigurationAgreement"
BUNDLES = "bundles"
ONE_BY_ONE = "child collections"
CHECKS = 4
"""Requests that trying bundles out, and comparing a sample with child collections, costs about."""
GROUP_CHECKS = 8
"""The same for group questions, whose end is compared once more."""


@dataclass(slots=True)
class Ways:
    """The states of one tenant's ways by name, and its bundle size."""

    version: str = ""
    found_at: str = ""
    states: dict[str, WayState] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    bundles: BundleSize = field(default_factory=BundleSize)

    def state(self, way: str) -> WayState:
        return self.states.get(way, WayState.UNKNOWN)

    def is_open(self, way: str) -> bool:
        """Whether the way works, or may."""
        return self.state(way) in (WayState.UNKNOWN, WayState.WORKS)

    def set(self, way: str, state: WayState, note: str = "") -> None:
        self.states[way] = state
        self.notes[way] = note

    def as_json(self) -> dict[str, Any]:
        """What is worth remembering."""
        kept = {
            way: state
            for way, state in self.states.items()
            if state not in (WayState.UNKNOWN, WayState.FAILED)
        }
        return {
            "version": self.version,
            "found_at": self.found_at,
            "states": {way: state.value for way, state in kept.items()},
            "notes": {way: self.notes[way] for way in kept if self.notes.get(way)},
            "bundles": [self.bundles.accepted, self.bundles.refused],
        }


def remembered_ways(known: dict[str, Any] | None, version: str, now: datetime) -> Ways:
    """The ways as they were remembered; fresh ones if they are old, of another version, or unreadable."""
    fresh = Ways(version=version, found_at=now.astimezone(UTC).isoformat())
    try:
        value = known or {}
        found_at = datetime.fromisoformat(value["found_at"])
        if value["version"] != version or not timedelta(0) <= now - found_at < TRUSTED_FOR:
            return fresh
        states = {str(way): WayState(state) for way, state in value["states"].items()}
        accepted, refused = value["bundles"]
        bundles = BundleSize(int(accepted), None if refused is None else int(refused))
        return Ways(version, value["found_at"], states, dict(value.get("notes") or {}), bundles)
    except (KeyError, TypeError, ValueError, AttributeError):
        return fresh


def asking_way(kind: Kind, asking: Asking) -> str:
    """The name under which the state of a way of asking is kept: the two kinds of tickets may differ."""
    return f"{kind} tickets: {asking.value}"


def bundle_way(what: str) -> str:
    """The name for bundles of child collections of agreements, or of service or project tickets."""
    return f"{what}: {BUNDLES}"


@dataclass(frozen=True, slots=True)
class AgreementPlan:
    """How the configurations of a company's agreements are read, and the requests expected."""

    way: str
    requests: int


def cheapest_agreement_way(ways: Ways, agreements: int, rows: int | None) -> AgreementPlan:
    """Report, bundles or child collections; ``rows``: links expected, None: not known, so no report.

    Each way's check against a child collection counts too.
    """
    plans = [AgreementPlan(ONE_BY_ONE, agreements)]
    if ways.is_open(bundle_way("agreements")) and not ways.bundles.is_useless:
        plans.append(AgreementPlan(BUNDLES, ways.bundles.requests(agreements) + 2))
    if ways.is_open(REPORT) and rows is not None:
        plans.append(AgreementPlan(REPORT, max(1, -(-rows // PAGE)) + 2))
    return min(plans, key=lambda plan: plan.requests)


@dataclass(frozen=True, slots=True)
class TicketPlan:
    """How the configurations of tickets of one kind are found, and the requests expected.

    ``asking`` None: only ticket by ticket; ``detail`` is how single tickets are read, in bundles or by their
    child collections; ``base`` is the cut of the group questions.
    """

    kind: Kind
    detail: str
    requests: int
    asking: Asking | None = None
    base: int = 0

    @property
    def way(self) -> str:
        """In words."""
        return f"{self.asking.value}, the rest by {self.detail}" if self.asking else self.detail


def cheapest_ticket_way(
    ways: Ways,
    kind: Kind,
    tickets: int,
    configurations: Sequence[int],
    rooms: dict[Asking, Room],
    touched: float | None = None,
) -> TicketPlan:
    """Group questions with a rest ticket by ticket, or ticket by ticket alone.

    Args:
        tickets: how many of the kind are to be asked about.
        configurations: every configuration that they may hold and that matters.
        rooms: how many of them fit in one question, by the way of asking.
        touched: how many of the tickets probably hold one of them; None: all.
    """
    plan = _detail_plan(ways, kind, tickets)
    unit = ways.bundles.unit() if plan.detail == BUNDLES else 1.0
    for asking in Asking:
        if not ways.is_open(asking_way(kind, asking)):
            continue
        groups = plan_groups(
            len(configurations), fewest_groups(configurations, rooms[asking]), tickets, unit, touched
        )
        if groups is None:
            continue
        requests = math.ceil(groups.requests) + GROUP_CHECKS
        if requests < plan.requests:
            plan = TicketPlan(kind, plan.detail, requests, asking, groups.base)
    return plan


def _detail_plan(ways: Ways, kind: Kind, tickets: int) -> TicketPlan:
    if ways.is_open(bundle_way(f"{kind} tickets")) and not ways.bundles.is_useless:
        requests = ways.bundles.requests(tickets) + CHECKS
        if requests < tickets:
            return TicketPlan(kind, BUNDLES, requests)
    return TicketPlan(kind, ONE_BY_ONE, tickets)
