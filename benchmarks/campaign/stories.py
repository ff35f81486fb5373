"""What happens to each ticket during the campaign, drawn from its seed, and how it must end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
        """The steps of a work order's life that it takes."""
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
    """A story for every ticket; ``dispatched`` of them enter the trigger within ``spread`` seconds.

    Project tickets take part by their share. What is left over never meets a trigger.
    """
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
    """The steps without their times."""
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
    counted: dict[str, int] = {}
    for story in stories:
        name = f"{story.kind}: {story.plot or 'never in a trigger'}"
        counted[name] = counted.get(name, 0) + 1
    return dict(sorted(counted.items()))
