"""What must be true at the end, read from the sandbox, never from the ledger: a sentence for each fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.campaign.people import ENDED, ORDERS, TICKETS
from benchmarks.campaign.stories import NOTED, Story
from deployments.local.sandbox import Sandbox
from tasks.rules.dispatch.reference import effect_mark

Record = dict[str, Any]
COMPLETED = "completed"


class Truth:
    """What the sandbox holds at one moment."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.orders = sandbox.state(ORDERS)
        self._tickets = {
            (kind, int(each["id"])): each
            for kind, collection in TICKETS.items()
            for each in sandbox.state(collection)
        }
        self._notes: dict[tuple[str, int], list[Record]] = {}
        for kind, collection in TICKETS.items():
            for note in sandbox.state(f"{collection}/notes"):
                self._notes.setdefault((kind, int(note["ticketId"])), []).append(note)
        self._times: dict[int, list[Record]] = {}
        for entry in sandbox.state("time/entries"):
            self._times.setdefault(int(entry.get("chargeToId") or 0), []).append(entry)

    def faults(self, stories: Sequence[Story]) -> list[str]:
        """Everything that is not as it must be."""
        references = {story.reference for story in stories}
        strange = [each["id"] for each in self.orders if _references(each) - references]
        found = [f"work order {number} carries a reference that no ticket has" for number in strange]
        for story in stories:
            found += [
                f"{story.reference} ({story.plot or 'never in a trigger'}): {fault}"
                for fault in self._of(story)
            ]
        return found

    def _of(self, story: Story) -> Iterator[str]:
        ours = [each for each in self.orders if story.reference in _references(each)]
        living = [each for each in ours if each["status"]["name"] not in ENDED]
        if not story.plot and ours:
            yield f"has {len(ours)} work orders"
        if len(living) != story.living:
            yield f"has {len(living)} living work orders instead of {story.living}: {_shown(ours)}"
        for order in living:
            if _references(order) != {story.reference} or order.get("incident_id") != story.reference:
                yield f"work order {order['id']} says {order.get('incident_id')!r}, {order['title']!r}"
        for order in ours:
            if story.plot not in NOTED and (messages := _all_messages(order)):
                yield f"nobody wrote anything, and work order {order['id']} has {len(messages)} messages"
        ticket = self._tickets[story.kind, story.ticket]
        if story.plot and ticket["status"]["name"] != story.status:
            yield f"its status is {ticket['status']['name']!r} instead of {story.status!r}"
        if len(living) == 1 and story.living == 1:
            yield from self._of_pair(story, ticket, living[0])

    def _of_pair(self, story: Story, ticket: Record, order: Record) -> Iterator[str]:
        name = order["status"]["name"]
        wanted = {"accept": "Assigned", "work-done": "Work Done", "approve": "Approved"}
        reached = [wanted[step] for step in story.reached if step in wanted]
        if name != (reached[-1] if reached else "Published"):
            yield f"work order {order['id']} is {name}"
        if story.summary and story.summary not in str(order["title"]):
            yield f"its summary {story.summary!r} is not in the title {order['title']!r}"
        yield from self._of_notes(story, order)
        yield from self._of_events(story, ticket, order)

    def _of_notes(self, story: Story, order: Record) -> Iterator[str]:
        notes = [str(each.get("text")) for each in self._notes.get((story.kind, story.ticket), [])]
        messages = [str(each["message"]) for each in _all_messages(order)]
        people = [*story.texts("note"), *story.texts("message")]
        for text in people:
            for side, held in (("ConnectWise", notes), ("Field Nation", messages)):
                number = sum(text in each for each in held)
                if number != 1:
                    yield f"{text!r} is {number} times in {side}"
        if len(messages) != len(people):
            yield f"Field Nation has {len(messages)} messages, people wrote {len(people)}: {messages}"
        # One is the description, from before.
        events = int("work-done" in story.reached)
        if len(notes) != 1 + len(people) + events:
            yield f"ConnectWise has {len(notes)} notes instead of {1 + len(people) + events}: {notes}"

    def _of_events(self, story: Story, ticket: Record, order: Record) -> Iterator[str]:
        done = "work-done" in story.reached
        mark = effect_mark(int(order["id"]), COMPLETED)
        notes = self._notes.get((story.kind, story.ticket), [])
        number = sum(mark in str(each.get("text")) for each in notes)
        if number != int(done):
            yield f"{number} notes say that the work is done"
        times = len(self._times.get(story.ticket, []))
        if times != int(done):
            yield f"{times} time entries"
        fields = {each.get("caption"): each.get("value") for each in ticket.get("customFields") or []}
        if bool(fields.get("FN check-in")) != ("check-in" in story.reached):
            yield f"the custom field FN check-in is {fields.get('FN check-in')!r}"


def _references(order: Record) -> set[str]:
    """What title and Incident ID say, each by itself: they must agree."""
    title = str(order.get("title") or "")
    named = title[1:].partition("]")[0] if title.startswith("[") else ""
    return {each for each in (named, str(order.get("incident_id") or "")) if each}


def _all_messages(order: Record) -> list[Record]:
    first = order["messages"]["results"]
    return [*first, *(reply for each in first for reply in each.get("replies") or [])]


def _shown(orders: Sequence[Record]) -> str:
    return ", ".join(f"{each['id']} {each['status']['name']}" for each in orders) or "none"
