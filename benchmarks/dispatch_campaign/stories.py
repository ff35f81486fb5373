"""Stories: what happens to each record of the campaign, drawn from its seed, and how it must end.

``people`` does it. ``campaign_rules`` are the documented rules and a trigger for opportunities, with waiting
times made short.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.dispatch.settings import (
    CreateState,
    DispatchSettings,
    DispatchWaiting,
    OnLeave,
    PollingSettings,
    WorkOrderDefaults,
    default_triggers,
)
from tasks.rules.dispatch.events import OutboundAction, OutboundRule, WorkOrderEvent, default_outbound_rules
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.triggers import Trigger, TriggerCondition

SERVICE, PROJECT, OPPORTUNITY = "service", "project", "opportunity"
ENTER = {SERVICE: "Dispatch", PROJECT: "Scheduled", OPPORTUNITY: "Won"}
"""The status that brings a record into the trigger of its kind."""
AWAY = {SERVICE: "New", PROJECT: "New", OPPORTUNITY: "Open"}
CLOSED = "Closed"
DELETED, UNSEEN, MERGED, NULL_DATE = "deleted", "deleted at once", "merged", "null date"
PLOTS = {
    "stays": 20,
    "changed": 13,
    "works": 30,
    "comes back": 10,
    "leaves": 5,
    "closes": 5,
    "reopens": 5,
    DELETED: 4,
    UNSEEN: 3,
    MERGED: 3,
    NULL_DATE: 2,
}
"""Shares in percent. Only those whose work order is never cancelled get notes."""
OPPORTUNITY_PLOTS = ("stays", "changed", "comes back", "leaves", "stays", DELETED, "")
"""One after the other: an opportunity's status is nobody's but the seller's, so none of them works."""
NOTED = ("stays", "changed", "works")
WITHOUT = ("", "leaves", "closes")
"""Plots at whose end no work order is alive. A record that was deleted keeps its work order, which a person
must look at: ConnectWise says "not found" of a record that the keys may not see any more, too. So does a
service ticket that was merged into another: its work is still to be done. A project ticket has no member that
names its parent, so it is one that was closed."""
UNDECIDED = (UNSEEN, NULL_DATE)
"""Plots that end with one living work order or with none, as the record was seen in time or not."""
UNAWAITED = "at once"
"""The value of a step that waits for no work order."""
NO_DATE = "0001-01-01T00:00:00Z"
LIFE = ("accept", "check-in", "check-out", "work-done", "approve")
PAUSE = (0.5, 10.0)
"""Seconds between two steps of one ticket."""
Record = dict[str, Any]
COLLECTIONS = {SERVICE: "service/tickets", PROJECT: "project/tickets", OPPORTUNITY: "sales/opportunities"}
REQUESTS_A_MINUTE = 60_000
"""Of the clients' own budget for Field Nation, and the sandbox counts none: 60 would take hours."""
WAITING = DispatchWaiting(
    settle_seconds=6,
    pause_seconds=0.5,
    unresolved_seconds=15,
    unanswered_creations=6,
    creation_seconds=20,
    hold_seconds=12,
    busy_seconds=1,
    patience_seconds=60,
)
POLLING = PollingSettings(overlap_seconds=5, cache_seconds=120, inbox_seconds=0.3, inbox_attempts=8)


@dataclass(frozen=True, slots=True)
class Step:
    """Something a person, or the provider, does ``at`` so many seconds after the start, not before it can.

    ``what``: ``status``, ``summary``, ``date``, ``note``, ``delete``, ``merge`` (in ConnectWise), ``message``
    (in Field Nation), or one of ``LIFE``; ``value`` its details.
    """

    at: float
    what: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """One ticket or opportunity. ``plot`` is empty for one that never comes into the trigger."""

    kind: str
    ticket: int
    plot: str
    steps: tuple[Step, ...]

    @property
    def reference(self) -> str:
        """What title and Incident ID of its work order hold."""
        return f"CW-{self.kind[0].upper()}-{self.ticket}"

    @property
    def living(self) -> tuple[int, ...]:
        """How many work orders may be alive at the end."""
        if self.plot in UNDECIDED:
            return (0, 1)
        closed = self.plot == MERGED and self.kind == PROJECT
        return (int(self.plot not in WITHOUT and not closed),)

    @property
    def exists(self) -> bool:
        """Whether the record is there at the end."""
        return self.plot not in (DELETED, UNSEEN)

    @property
    def reached(self) -> tuple[str, ...]:
        return tuple(step.what for step in self.steps if step.what in LIFE)

    @property
    def status(self) -> str:
        """The ticket's status at the end, by the outbound rules of the connector page."""
        if "approve" in self.reached:
            return "Completed"
        if "accept" in self.reached:
            return "Assigned"
        if self.plot == MERGED:
            return CLOSED
        return next((step.value for step in reversed(self.steps) if step.what == "status"), AWAY[self.kind])

    @property
    def summary(self) -> str:
        """The ticket's last summary; empty: nobody changed it."""
        return next((step.value for step in reversed(self.steps) if step.what == "summary"), "")

    def texts(self, what: str) -> list[str]:
        """The notes (``note``) or messages (``message``) that people write."""
        return [step.value for step in self.steps if step.what == what]


def draw_stories(
    seed: int,
    service: Sequence[int],
    project: Sequence[int],
    dispatched: int,
    spread: float,
    opportunities: Sequence[int] = (),
) -> list[Story]:
    """A story for every record; ``dispatched`` of the tickets enter the trigger within ``spread`` seconds."""
    draw = random.Random(f"{seed}-stories")
    tickets = [(SERVICE, each) for each in service] + [(PROJECT, each) for each in project]
    draw.shuffle(tickets)
    plots = _plots(dispatched)
    draw.shuffle(plots)
    plots += [""] * (len(tickets) - dispatched)
    told = [(*ticket, plot) for ticket, plot in zip(tickets, plots, strict=True)]
    own = [OPPORTUNITY_PLOTS[place % len(OPPORTUNITY_PLOTS)] for place in range(len(opportunities))]
    told += [(OPPORTUNITY, number, plot) for number, plot in zip(opportunities, own, strict=True)]
    parents = {kind: number for kind, number, plot in told if not plot}
    return [
        Story(kind, number, plot, tuple(_timed(draw, _words(draw, kind, number, plot, parents), spread)))
        for kind, number, plot in told
    ]


def _plots(number: int) -> list[str]:
    plots = [plot for plot, share in PLOTS.items() for _ in range(share)]
    # In an order that holds each plot among the first few.
    mixed = sorted(range(len(plots)), key=lambda place: (place * 37) % 100)
    return [plots[mixed[place % 100]] for place in range(number)]


def _words(
    draw: random.Random, kind: str, ticket: int, plot: str, parents: Mapping[str, int]
) -> list[tuple[str, str]]:
    enter, away, close = (("status", name) for name in (ENTER[kind], AWAY[kind], CLOSED))
    nothing = away if kind == OPPORTUNITY else ("status", "In Progress")
    if plot == MERGED and kind not in parents:
        plot = "closes"
    steps: dict[str, list[tuple[str, str]]] = {
        "": [nothing, ("summary", f"Nothing for the field ({ticket})")],
        "stays": [enter],
        "changed": [enter, *(("summary", _summary(draw, ticket)) for _ in range(draw.randint(1, 2)))],
        "works": [enter, *((step, "") for step in LIFE[: draw.randint(1, len(LIFE))])],
        "comes back": [enter, away, enter],
        "leaves": [enter, away],
        "closes": [enter, close],
        "reopens": [enter, close, enter],
        DELETED: [enter, ("delete", "")],
        UNSEEN: [enter, ("delete", UNAWAITED)],
        MERGED: [enter, ("merge", str(parents.get(kind, 0)))],
        NULL_DATE: [("date", NO_DATE), enter],
    }
    found = steps[plot]
    if plot in NOTED and draw.random() < 0.6:
        # Every note of an opportunity is internal, and stays in ConnectWise.
        for what in ("message",) if kind == OPPORTUNITY else ("note", "message"):
            for number in range(draw.randint(0, 2)):
                words = f"{what} {number} of {kind} {ticket}, {draw.getrandbits(40):010x}"
                found.insert(draw.randint(1, len(found)), (what, words))
    return found


def _summary(draw: random.Random, ticket: int) -> str:
    return f"{draw.choice(('Swap', 'Survey', 'Re-cable'))} rack {draw.randrange(100)} for {ticket}"


def _timed(draw: random.Random, words: list[tuple[str, str]], spread: float) -> list[Step]:
    moment = draw.uniform(0, spread)
    steps = []
    for what, value in words:
        steps.append(Step(moment, what, value))
        moment += draw.uniform(*PAUSE)
    return steps


def as_json(stories: Sequence[Story]) -> dict[str, Any]:
    """How many tickets of each kind and plot there are."""
    names = (f"{story.kind}: {story.plot or 'never in a trigger'}" for story in stories)
    return dict(sorted(Counter(names).items()))


def campaign_rules() -> DispatchSettings:
    """Both documented triggers and one for opportunities, the page's outbound rules and a time entry."""
    time_entry = OutboundRule(event=WorkOrderEvent.COMPLETED, action=OutboundAction.ADD_TIME_ENTRY)
    won = TriggerCondition(field="status", values=(ENTER[OPPORTUNITY],))
    return DispatchSettings(
        triggers=[*default_triggers(), Trigger(kind=RecordKind.OPPORTUNITY, conditions=(won,))],
        create_state=CreateState.PUBLISH,
        on_leave=OnLeave.CANCEL,
        work_orders=WorkOrderDefaults(type_of_work_id=103, pay_type="fixed", pay_amount=150, pay_units=1),
        outbound_rules=[*default_outbound_rules(), time_entry],
        waiting=WAITING,
        polling=POLLING,
    )


def changed_settings() -> dict[str, str]:
    usual, overlap = DispatchWaiting(), PollingSettings().overlap_seconds
    waits = {
        name: f"{value:g} instead of {getattr(usual, name):g}" for name, value in WAITING.model_dump().items()
    }
    return {
        "Field Nation requests a minute": f"{REQUESTS_A_MINUTE:,} instead of 60, and the sandbox counts none",
        **waits,
        "overlap_seconds": f"{POLLING.overlap_seconds:g} instead of {overlap:g}",
    }
