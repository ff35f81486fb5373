"""Query strategies: which a ConnectWise server takes to agreements and tickets, and which costs least.

ConnectWise links configurations to agreements and tickets only from the other side. Child collections
always work, one request an agreement or ticket; everything cheaper is undocumented or without published
limits (docs/vendors.md, ConnectWise 4.2, 4.3 and 4.5), so it is tried out per server, checked against child
collections, and kept for later runs.

- ``BundleSize``: reads in one bundle; no limit is published, so it is found by real work.
- ``Room``: ids in one question; an address has 2,000 characters, the body of a search 10,000.
- ``plan_groups``: into how many groups to cut group questions, by their expected cost.
- ``QueryStrategies``: what is known of each; ``cheapest_agreement_strategy``, ``cheapest_ticket_strategy``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from connectors.connectwise.models import TicketKind
from tasks.rules.enrichment.group_testing import digits_needed, is_prime

FIRST = 50
LARGEST = 100
LIKELY = 20
"""What is reckoned with while the limit is not known."""
LIKELY_REFUSALS = 4
"""Bundles refused for their size until the limit is found."""

EVENNESS = 0.97
"""Groups of even number differ a little in length: cut a little smaller, all of them have room."""
SEVERAL = {2: 0.05, 4: 0.05}
"""Shares of the tickets reckoned to hold so many configurations, before anything is known."""
MOST_ROUNDS = 10
Shapes = Mapping[tuple[int, int], float]
"""How many tickets by (configurations held at least, candidates)."""
TRUSTED_FOR = timedelta(days=30)
"""What was found out longer ago is tried again."""
TICKET_KINDS: tuple[TicketKind, ...] = ("service", "project")
PAGE_ROWS = 1000
REPORT = "report ConfigurationAgreement"
BUNDLES = "bundles"
ONE_BY_ONE = "child collections"
CHECKS = 4
"""Requests that trying bundles out, and comparing a sample with child collections, costs about."""
GROUP_CHECKS = 8
"""The same for group questions, whose end is compared once more."""


@dataclass(slots=True)
class BundleSize:
    """``accepted``: the largest size that was taken; ``refused``: the smallest that was not, or None."""

    accepted: int = 0
    refused: int | None = None

    @property
    def is_useless(self) -> bool:
        """Whether a bundle saves nothing: not even two reads fit in one."""
        return self.refused is not None and self.refused <= 2

    @property
    def is_found(self) -> bool:
        """Whether there is no size left that is worth trying."""
        return self.accepted >= LARGEST or (
            self.refused is not None and self.refused - self.accepted <= max(1, self.accepted // 10)
        )

    def next(self) -> int:
        """The size to send now: larger than ever while the limit is not found, half of what was refused."""
        if self.is_found:
            return max(1, self.accepted)
        if self.refused is not None:
            return max(1, (self.accepted + self.refused) // 2)
        return min(LARGEST, max(FIRST, self.accepted * 2))

    def take(self, size: int) -> None:
        """A bundle of this size was answered."""
        self.accepted = max(self.accepted, size)
        if self.refused is not None and self.refused <= size:
            self.refused = None

    def refuse(self, size: int) -> None:
        """A bundle of this size was refused as a whole."""
        self.refused = size if self.refused is None else min(self.refused, size)
        if self.accepted >= self.refused:
            self.accepted = self.refused - 1

    def unit(self) -> float:
        """Requests for one read."""
        return 1 / max(1, self.accepted if self.is_found else max(self.accepted, LIKELY))

    def requests(self, reads: int) -> int:
        """Requests expected for so many reads, with those refused while the limit is being found."""
        finding = 0 if self.is_found or self.accepted >= reads else LIKELY_REFUSALS
        return math.ceil(reads * self.unit()) + finding if reads else 0


@dataclass(frozen=True, slots=True)
class Room:
    """``characters`` for the ids of one list, ``comma`` of them for each one between two ids.

    ``most`` ids at most, whatever their length; None: no such limit.
    """

    characters: int
    comma: int = 1
    most: int | None = None


def fewest_groups(ids: Sequence[int], room: Room) -> int:
    """Into how many groups of even size the ids have to be cut at least."""
    if not ids:
        return 0
    if room.most is not None:
        return math.ceil(len(ids) / room.most)
    length = sum(len(str(each)) + room.comma for each in ids)
    return math.ceil(length / max(1, room.characters * EVENNESS))


def cut(ids: Sequence[int], room: Room) -> Iterator[list[int]]:
    """The ids in as many lists as have room."""
    held: list[int] = []
    length = 0
    for each in ids:
        more = len(str(each)) + room.comma
        if held and (length + more > room.characters or len(held) == room.most):
            yield held
            held, length = [], 0
        held.append(each)
        length += more
    if held:
        yield held


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """The cheapest cut: a prime base, the rounds expected, and the requests of it all."""

    base: int
    rounds: int
    requests: float


def _expected_shapes(configurations: int, tickets: float) -> Shapes:
    several = {(held, max(held, configurations)): tickets * share for held, share in SEVERAL.items()}
    return {(1, configurations): tickets * (1 - sum(SEVERAL.values())), **several}


def chance_resolved(held: int, candidates: int, base: int, rounds: int) -> float:
    """How likely a ticket with so many candidates is resolved after so many further rounds."""
    reach = float(base**rounds)
    if held == 1:
        # Code words divide the candidates evenly, so nearly all cells hold as many, or one more.
        return 1.0 if candidates <= reach else max(0.0, (2 * reach - candidates) / candidates)
    if held >= base:
        return 0.0
    return float((1 - (held / base) ** rounds) ** max(0, candidates - held))


def best_rounds(
    shapes: Shapes, base: int, groups: int, unit: float, most_rounds: int = MOST_ROUNDS
) -> tuple[int, float]:
    """How many further rounds pay, and what these and the rest ticket by ticket will cost."""
    tickets = sum(shapes.values())
    best = (0, tickets * unit)
    for rounds in range(1, most_rounds + 1):
        asked = rounds * (groups + int(tickets / PAGE_ROWS))
        if asked >= best[1]:
            break
        left = sum(
            number * (1 - chance_resolved(held, candidates, base, rounds))
            for (held, candidates), number in shapes.items()
        )
        cost = asked + left * unit
        if cost < best[1]:
            best = (rounds, cost)
    return best


def plan_groups(
    configurations: int, fewest_groups: int, tickets: int, unit: float, touched: float | None = None
) -> GroupPlan | None:
    """The base that costs least; None where asking ticket by ticket is no dearer.

    Args:
        fewest_groups: so many groups at least, since the server limits the length of one question.
        touched: how many of the tickets probably hold one of the configurations; None: all of them.
    """
    if not configurations or not tickets:
        return None
    shapes = _expected_shapes(configurations, tickets if touched is None else touched)
    best: GroupPlan | None = None
    least = tickets * unit
    base = max(2, fewest_groups)
    while min(base, configurations) < least:
        digits = digits_needed(configurations, base)
        if is_prime(base) and digits <= base:
            groups = min(base, configurations)
            if digits == 1:
                # Each configuration is its own group: one round tells all, more groups tell no more.
                rounds, cost = 1, float(groups + int(tickets / PAGE_ROWS))
            else:
                rounds, cost = best_rounds(shapes, base, groups, unit, min(MOST_ROUNDS, base))
            if rounds and cost < least:
                best, least = GroupPlan(base, rounds, cost), cost
            if digits == 1:
                break
        base += 1
    return best


class StrategyState(StrEnum):
    """What is known of a strategy. ``FAILED``: it broke in this run; the next one tries it again."""

    UNKNOWN = "unknown"
    WORKS = "works"
    REFUSED = "refused"
    WRONG = "gives wrong answers"
    FAILED = "failed in this run"


class GroupQuery(StrEnum):
    """How to ask which tickets hold one of several configurations, the roomiest first."""

    SEARCH = "configuration/id in, by ticket search"
    URL = "configuration/id in, in the URL"
    SINGLE = "configuration/id = one"


@dataclass(slots=True)
class QueryStrategies:
    """The states of one tenant's strategies by name, and its bundle size."""

    version: str = ""
    found_at: str = ""
    states: dict[str, StrategyState] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    bundles: BundleSize = field(default_factory=BundleSize)

    def state(self, strategy: str) -> StrategyState:
        return self.states.get(strategy, StrategyState.UNKNOWN)

    def is_open(self, strategy: str) -> bool:
        """Whether the strategy works, or may."""
        return self.state(strategy) in (StrategyState.UNKNOWN, StrategyState.WORKS)

    def set(self, strategy: str, state: StrategyState, note: str = "") -> None:
        self.states[strategy] = state
        self.notes[strategy] = note

    def forget_refusals(self) -> None:
        """What the server did not take may have been for want of rights: credentials of others try again."""
        for strategy, state in list(self.states.items()):
            if state not in (StrategyState.UNKNOWN, StrategyState.WORKS):
                self.set(strategy, StrategyState.UNKNOWN)

    def as_json(self) -> dict[str, Any]:
        """What is worth remembering."""
        kept = {
            strategy: state
            for strategy, state in self.states.items()
            if state not in (StrategyState.UNKNOWN, StrategyState.FAILED)
        }
        return {
            "version": self.version,
            "found_at": self.found_at,
            "states": {strategy: state.value for strategy, state in kept.items()},
            "notes": {strategy: self.notes[strategy] for strategy in kept if self.notes.get(strategy)},
            "bundles": [self.bundles.accepted, self.bundles.refused],
        }


def saved_strategies(known: dict[str, Any] | None, version: str, now: datetime) -> QueryStrategies:
    """The strategies as kept; fresh ones if those are old, of another version, or unreadable."""
    fresh = QueryStrategies(version=version, found_at=now.astimezone(UTC).isoformat())
    try:
        value = known or {}
        found_at = datetime.fromisoformat(value["found_at"])
        if value["version"] != version or not timedelta(0) <= now - found_at < TRUSTED_FOR:
            return fresh
        states = {str(strategy): StrategyState(state) for strategy, state in value["states"].items()}
        accepted, refused = value["bundles"]
        bundles = BundleSize(int(accepted), None if refused is None else int(refused))
        return QueryStrategies(version, value["found_at"], states, dict(value.get("notes") or {}), bundles)
    except (KeyError, TypeError, ValueError, AttributeError):
        return fresh


def group_strategy(kind: TicketKind, query: GroupQuery) -> str:
    """The name under which the state of a strategy of query is kept: the two kinds of tickets may differ."""
    return f"{kind} tickets: {query.value}"


def bundle_strategy(what: str) -> str:
    """The name for bundles of child collections of agreements, or of service or project tickets."""
    return f"{what}: {BUNDLES}"


@dataclass(frozen=True, slots=True)
class AgreementPlan:
    """How the configurations of a company's agreements are read, and the requests expected."""

    strategy: str
    requests: int


def cheapest_agreement_strategy(
    strategies: QueryStrategies, agreements: int, rows: int | None
) -> AgreementPlan:
    """Report, bundles or child collections; ``rows``: links expected, None: not known, so no report.

    Each strategy's check against a child collection counts too.
    """
    plans = [AgreementPlan(ONE_BY_ONE, agreements)]
    if strategies.is_open(bundle_strategy("agreements")) and not strategies.bundles.is_useless:
        plans.append(AgreementPlan(BUNDLES, strategies.bundles.requests(agreements) + 2))
    if strategies.is_open(REPORT) and rows is not None:
        plans.append(AgreementPlan(REPORT, max(1, -(-rows // PAGE_ROWS)) + 2))
    return min(plans, key=lambda plan: plan.requests)


@dataclass(frozen=True, slots=True)
class TicketPlan:
    """How the configurations of tickets of one kind are found, and the requests expected.

    ``query`` None: only ticket by ticket; ``detail`` is how single tickets are read, in bundles or by their
    child collections; ``base`` is the cut of the group questions.
    """

    kind: TicketKind
    detail: str
    requests: int
    query: GroupQuery | None = None
    base: int = 0

    @property
    def strategy(self) -> str:
        return f"{self.query.value}, the rest by {self.detail}" if self.query else self.detail


def cheapest_ticket_strategy(
    strategies: QueryStrategies,
    kind: TicketKind,
    tickets: int,
    configurations: Sequence[int],
    rooms: dict[GroupQuery, Room],
    touched: float | None = None,
) -> TicketPlan:
    """Group questions with a rest ticket by ticket, or ticket by ticket alone.

    Args:
        tickets: how many of the kind are to be asked about.
        configurations: every configuration that they may hold and that matters.
        rooms: how many of them fit in one question, by the strategy of query.
        touched: how many of the tickets probably hold one of them; None: all.
    """
    plan = _detail_plan(strategies, kind, tickets)
    unit = strategies.bundles.unit() if plan.detail == BUNDLES else 1.0
    for query in GroupQuery:
        if not strategies.is_open(group_strategy(kind, query)):
            continue
        groups = plan_groups(
            len(configurations), fewest_groups(configurations, rooms[query]), tickets, unit, touched
        )
        if groups is None:
            continue
        requests = math.ceil(groups.requests) + GROUP_CHECKS
        if requests < plan.requests:
            plan = TicketPlan(kind, plan.detail, requests, query, groups.base)
    return plan


def _detail_plan(strategies: QueryStrategies, kind: TicketKind, tickets: int) -> TicketPlan:
    if strategies.is_open(bundle_strategy(f"{kind} tickets")) and not strategies.bundles.is_useless:
        requests = strategies.bundles.requests(tickets) + CHECKS
        if requests < tickets:
            return TicketPlan(kind, BUNDLES, requests)
    return TicketPlan(kind, ONE_BY_ONE, tickets)
