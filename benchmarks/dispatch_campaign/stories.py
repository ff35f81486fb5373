"""Stories: what happens to each ticket of the campaign, drawn from its seed, and how it must end.

``People`` does it: dispatchers in ConnectWise, providers and managers in Field Nation. ``campaign_rules``
are the documented rules with waiting times made short.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import ConnectorError
from connectors.field_nation.client import FieldNationClient
from deployments.local.sandbox import Sandbox
from tasks.dispatch.settings import (
    CreateState,
    DispatchSettings,
    DispatchWaiting,
    OnLeave,
    PollingSettings,
    WorkOrderDefaults,
)
from tasks.rules.dispatch.events import OutboundAction, OutboundRule, WorkOrderEvent, default_outbound_rules
from tasks.rules.dispatch.reference import reference_carried

SERVICE, PROJECT = "service", "project"
ENTER = {SERVICE: "Dispatch", PROJECT: "Scheduled"}
"""The status that brings a ticket into the documented trigger of its kind."""
AWAY, CLOSED = "New", "Closed"
PLOTS = {"stays": 25, "changed": 15, "works": 35, "comes back": 10, "leaves": 5, "closes": 5, "reopens": 5}
"""Shares in percent. Only those whose work order is never cancelled get notes."""
NOTED = ("stays", "changed", "works")
LIFE = ("accept", "check-in", "check-out", "work-done", "approve")
PAUSE = (0.5, 10.0)
"""Seconds between two steps of one ticket."""
Record = dict[str, Any]
TICKETS = {"service": "service/tickets", "project": "project/tickets"}
ORDERS = "field_nation/work_orders"
NEEDS = {
    "accept": ("Published",),
    "check-in": ("Assigned",),
    "check-out": ("Assigned",),
    "work-done": ("Assigned",),
    "approve": ("Work Done",),
    "message": ("Published", "Assigned", "Work Done", "Approved"),
}
"""The status of a work order in which a step can be done."""
ENDED = ("Cancelled", "Deleted", "Paid")
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

    ``what``: ``status``, ``summary``, ``note`` (in ConnectWise), ``message`` (in Field Nation), or one of
    ``LIFE``; ``value`` its details.
    """

    at: float
    what: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """One ticket. ``plot`` is empty for one that never comes into the trigger."""

    kind: str
    ticket: int
    plot: str
    steps: tuple[Step, ...]

    @property
    def reference(self) -> str:
        """What title and Incident ID of its work order hold."""
        return f"CW-{self.kind[0].upper()}-{self.ticket}"

    @property
    def living(self) -> int:
        """Work orders that are alive at the end."""
        return int(self.plot not in ("", "leaves", "closes"))

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
        return next((step.value for step in reversed(self.steps) if step.what == "status"), AWAY)

    @property
    def summary(self) -> str:
        """The ticket's last summary; empty: nobody changed it."""
        return next((step.value for step in reversed(self.steps) if step.what == "summary"), "")

    def texts(self, what: str) -> list[str]:
        """The notes (``note``) or messages (``message``) that people write."""
        return [step.value for step in self.steps if step.what == what]


def draw_stories(
    seed: int, service: Sequence[int], project: Sequence[int], dispatched: int, spread: float
) -> list[Story]:
    """A story for every ticket; ``dispatched`` of them enter the trigger within ``spread`` seconds."""
    draw = random.Random(f"{seed}-stories")
    tickets = [(SERVICE, each) for each in service] + [(PROJECT, each) for each in project]
    draw.shuffle(tickets)
    plots = _plots(dispatched)
    draw.shuffle(plots)
    plots += [""] * (len(tickets) - dispatched)
    return [
        Story(kind, ticket, plot, tuple(_timed(draw, _words(draw, kind, ticket, plot), spread)))
        for (kind, ticket), plot in zip(tickets, plots, strict=True)
    ]


def _plots(number: int) -> list[str]:
    plots = [plot for plot, share in PLOTS.items() for _ in range(share)]
    # In an order that holds each plot among the first few.
    mixed = sorted(range(len(plots)), key=lambda place: (place * 37) % 100)
    return [plots[mixed[place % 100]] for place in range(number)]


def _words(draw: random.Random, kind: str, ticket: int, plot: str) -> list[tuple[str, str]]:
    enter, away, close = (("status", name) for name in (ENTER[kind], AWAY, CLOSED))
    steps: dict[str, list[tuple[str, str]]] = {
        "": [("status", "In Progress"), ("summary", f"Nothing for the field ({ticket})")],
        "stays": [enter],
        "changed": [enter, *(("summary", _summary(draw, ticket)) for _ in range(draw.randint(1, 2)))],
        "works": [enter, *((step, "") for step in LIFE[: draw.randint(1, len(LIFE))])],
        "comes back": [enter, away, enter],
        "leaves": [enter, away],
        "closes": [enter, close],
        "reopens": [enter, close, enter],
    }
    found = steps[plot]
    if plot in NOTED and draw.random() < 0.6:
        for what in ("note", "message"):
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


class People:
    """Does the steps of all stories when due; ``doubles``: two living work orders of one reference."""

    def __init__(self, sandbox: Sandbox, manager: FieldNationClient, stories: Sequence[Story]) -> None:
        self._sandbox = sandbox
        self._manager = manager
        self._left = {story: deque(story.steps) for story in stories}
        self._statuses = {
            (int(each["board"]["id"]), each["name"]): int(each["id"])
            for each in sandbox.state("service/boards/statuses")
        }
        self._boards = {
            (kind, int(each["id"])): int(each["board"]["id"])
            for kind, collection in TICKETS.items()
            for each in sandbox.state(collection)
            if each.get("board")
        }
        self._on_site = {
            int(each["board"]["id"]): int(each["id"])
            for each in sandbox.state("service/boards/types")
            if each["name"].lower() == "on-site"
        }
        self.doubles: set[str] = set()

    @property
    def left(self) -> int:
        return sum(len(steps) for steps in self._left.values())

    def waiting(self) -> list[str]:
        return [f"{story.reference}: {steps[0].what}" for story, steps in self._left.items() if steps]

    async def act(self, now: float) -> None:
        """Everything that is due ``now`` seconds after the start."""
        due = [(story, steps) for story, steps in self._left.items() if steps and steps[0].at <= now]
        orders = self._orders()
        for story, steps in due:
            # One step a look, so that each meets the work order as it is.
            if await self._do(story, steps[0], orders.get(story.reference)):
                steps.popleft()

    def _orders(self) -> dict[str, Record]:
        found: dict[str, Record] = {}
        for order in self._sandbox.state(ORDERS):
            if order["status"]["name"] in ENDED:
                continue
            reference = reference_carried(order)
            if reference in found:
                self.doubles.add(f"{reference}: {found[reference]['id']} and {order['id']}")
            found[reference] = order
        return found

    async def _do(self, story: Story, step: Step, order: Record | None) -> bool:
        if step.what == "status":
            self._set_status(story, step.value)
        elif step.what == "summary":
            self._sandbox.edit(TICKETS[story.kind], story.ticket, {"summary": step.value})
        elif step.what == "note":
            record = {"ticketId": story.ticket, "text": step.value, "detailDescriptionFlag": True}
            self._sandbox.add(f"{TICKETS[story.kind]}/notes", record)
        elif order is None or order["status"]["name"] not in NEEDS[step.what]:
            return False
        else:
            await self._in_field_nation(step, int(order["id"]))
        return True

    def _set_status(self, story: Story, name: str) -> None:
        board = self._boards[story.kind, story.ticket]
        changes: Record = {"status": {"id": self._statuses[board, name]}}
        if story.kind == PROJECT and story.plot:
            changes["type"] = {"id": self._on_site[board]}
        self._sandbox.edit(TICKETS[story.kind], story.ticket, changes)

    async def _in_field_nation(self, step: Step, number: int) -> None:
        details: dict[str, Record] = {
            "message": {"message": step.value},
            "check-out": {"hours": 2},
            "work-done": {"closing_notes": "All tested."},
        }
        if step.what == "approve":
            await self._approve(number)
        elif step.what in LIFE or step.what == "message":
            self._sandbox.provider(number, step.what, **details.get(step.what, {}))

    async def _approve(self, number: int) -> None:
        """A manager clicks until it is approved: her requests are disturbed, too."""
        for _ in range(20):
            try:
                await self._manager.approve_work_order(number)
                return
            except ConnectorError:
                shown = next(each for each in self._sandbox.state(ORDERS) if each["id"] == number)
                if shown["status"]["name"] == "Approved":
                    return
        raise RuntimeError(f"Work order {number} could not be approved in 20 tries")


def campaign_rules() -> DispatchSettings:
    """Both documented triggers, the page's four outbound rules and a time entry, cancelling, publishing."""
    time_entry = OutboundRule(event=WorkOrderEvent.COMPLETED, action=OutboundAction.ADD_TIME_ENTRY)
    return DispatchSettings(
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
