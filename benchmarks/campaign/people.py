"""The people of the campaign: dispatchers in ConnectWise, providers and managers in Field Nation."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from benchmarks.campaign.stories import LIFE, PROJECT, Step, Story
from connectors.errors import ConnectorError
from connectors.field_nation.client import FieldNationClient
from deployments.local.sandbox import Sandbox
from tasks.rules.dispatch.reference import reference_carried

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


class People:
    """Does the steps of all stories, each when it is due and can be done.

    ``doubles`` are the moments at which one reference had two living work orders, whenever it was looked.
    """

    def __init__(self, sandbox: Sandbox, manager: FieldNationClient, stories: Sequence[Story]) -> None:
        self._sandbox = sandbox
        self._manager = manager
        self._left = {story: deque(story.steps) for story in stories}
        self._statuses = _statuses(sandbox)
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
        """Steps that are not done yet."""
        return sum(len(steps) for steps in self._left.values())

    def waiting(self) -> list[str]:
        """What could not be done, to tell."""
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
        """A manager clicks until it is approved: the weather is bad for her, too."""
        for _ in range(20):
            try:
                await self._manager.approve_work_order(number)
                return
            except ConnectorError:
                shown = next(each for each in self._sandbox.state(ORDERS) if each["id"] == number)
                if shown["status"]["name"] == "Approved":
                    return
        raise RuntimeError(f"Work order {number} could not be approved in 20 tries")


def _statuses(sandbox: Sandbox) -> dict[tuple[int, str], int]:
    found = sandbox.state("service/boards/statuses")
    return {(int(each["board"]["id"]), each["name"]): int(each["id"]) for each in found}
