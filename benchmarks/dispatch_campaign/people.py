"""The people of the dispatch campaign: dispatchers in ConnectWise, providers and managers in Field Nation.

``People`` does the steps of all stories when they are due, each once the record is as the step needs it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from benchmarks.dispatch_campaign.stories import (
    CLOSED,
    COLLECTIONS,
    LIFE,
    OPPORTUNITY,
    PROJECT,
    UNAWAITED,
    Step,
    Story,
)
from connectors.errors import ConnectorError
from connectors.field_nation.client import FieldNationClient
from deployments.local.sandbox import Sandbox
from tasks.rules.dispatch.reference import reference_carried

Record = dict[str, Any]
ORDERS = "field_nation/work_orders"
NEEDS = {
    "accept": ("Published",),
    "check-in": ("Assigned",),
    "check-out": ("Assigned",),
    "work-done": ("Assigned",),
    "approve": ("Work Done",),
    "message": ("Published", "Assigned", "Work Done", "Approved"),
    "delete": ("Published",),
    "merge": ("Published",),
}
"""The status of a work order in which a step can be done."""
ENDED = ("Cancelled", "Deleted", "Paid")


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
        self._stages = {
            each["name"]: int(each["id"]) for each in sandbox.state("sales/opportunities/statuses")
        }
        self._boards = {
            (kind, int(each["id"])): int(each["board"]["id"])
            for kind, collection in COLLECTIONS.items()
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
        needs = () if step.value == UNAWAITED else NEEDS.get(step.what, ())
        if needs and (order is None or order["status"]["name"] not in needs):
            return False
        if step.what in LIFE or step.what == "message":
            await self._in_field_nation(step, int((order or {})["id"]))
        else:
            self._in_connectwise(story, step)
        return True

    def _in_connectwise(self, story: Story, step: Step) -> None:
        collection = COLLECTIONS[story.kind]
        if step.what == "status":
            self._set_status(story, step.value)
        elif step.what == "summary":
            name = "name" if story.kind == OPPORTUNITY else "summary"
            self._sandbox.edit(collection, story.ticket, {name: step.value})
        elif step.what == "date":
            self._sandbox.edit(collection, story.ticket, {"requiredDate": step.value})
        elif step.what == "delete":
            self._sandbox.delete(collection, story.ticket)
        elif step.what == "merge":
            closed = self._statuses[self._boards[story.kind, story.ticket], CLOSED]
            self._sandbox.merge(collection, int(step.value), [story.ticket], closed)
        elif story.kind == OPPORTUNITY:
            self._sandbox.add(f"{collection}/notes", {"opportunityId": story.ticket, "text": step.value})
        else:
            record = {"ticketId": story.ticket, "text": step.value, "detailDescriptionFlag": True}
            self._sandbox.add(f"{collection}/notes", record)

    def _set_status(self, story: Story, name: str) -> None:
        if story.kind == OPPORTUNITY:
            changes: Record = {"status": {"id": self._stages[name]}}
        else:
            board = self._boards[story.kind, story.ticket]
            changes = {"status": {"id": self._statuses[board, name]}}
            if story.kind == PROJECT and story.plot:
                changes["type"] = {"id": self._on_site[board]}
        self._sandbox.edit(COLLECTIONS[story.kind], story.ticket, changes)

    async def _in_field_nation(self, step: Step, number: int) -> None:
        details: dict[str, Record] = {
            "message": {"message": step.value},
            "check-out": {"hours": 2},
            "work-done": {"closing_notes": "All tested."},
        }
        if step.what == "approve":
            await self._approve(number)
        else:
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
