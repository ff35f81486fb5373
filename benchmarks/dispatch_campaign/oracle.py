"""The oracle of the dispatch campaign: what must be true at the end, read from the sandbox, never the ledger.

A sentence a fault. ``later_round`` lets what killed processes held become free, ``quiet_round`` does
everything once more and must write nothing. ``measure`` counts the requests of one work order without
faults, held against ``BOUNDS``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from benchmarks.dispatch_campaign.people import ENDED, ORDERS
from benchmarks.dispatch_campaign.processes import open_run
from benchmarks.dispatch_campaign.stories import COLLECTIONS, MERGED, NOTED, OPPORTUNITY, Story
from connectors.ledger.outbox import WORK_ORDER_KIND
from deployments.local.sandbox import Sandbox
from tasks.dispatch.inbox import InboxDrain, drain_all, handle_notes, handle_work_order
from tasks.dispatch.notes import copy_notes
from tasks.dispatch.reconcile import dispatch_record
from tasks.dispatch.run import DispatchRun, RelatedCache
from tasks.dispatch.state import COVERAGE_NAME
from tasks.dispatch.sweep import RecordSweep, sweep, sweep_notes, sweep_work_orders
from tasks.dispatch.work_order_events import sync_events
from tasks.rules.dispatch.reference import RecordKind, effect_mark, reference_carried
from tasks.rules.dispatch.result import DispatchStatus

Record = dict[str, Any]
COMPLETED = "completed"
HOUR = 3_600.0
READING = ("GET ", "HEAD ", "POST /authentication")
OLDER = "creation, record older than the ledger"
BOUNDS = {
    OLDER: (5, 3),
    "creation": (5, 2),
    "creation, company, site and board cached": (3, 2),
    "assigned: ticket status": (2, 2),
    "checked in: custom field": (2, 2),
    "work done: note and time entry": (4, 2),
    "approved: ticket status": (2, 2),
}
"""Most requests to ConnectWise and to Field Nation, token calls not counted. An event that does two things
may send one more for the second. A record that is older than the ledger, which may have been lost, is looked
for in Field Nation before its first creation: one more."""
LONG_AGO = "2020-01-01T00:00:00Z"
SERVICE = RecordKind.SERVICE_TICKET


class Oracle:
    def __init__(self, sandbox: Sandbox) -> None:
        self.orders = sandbox.state(ORDERS)
        self._records = {
            (kind, int(each["id"])): each
            for kind, collection in COLLECTIONS.items()
            for each in sandbox.state(collection)
        }
        self._notes: dict[tuple[str, int], list[Record]] = {}
        for kind, collection in COLLECTIONS.items():
            for note in sandbox.state(f"{collection}/notes"):
                owner = note["opportunityId" if kind == OPPORTUNITY else "ticketId"]
                self._notes.setdefault((kind, int(owner)), []).append(note)
        self._times: dict[int, list[Record]] = {}
        for entry in sandbox.state("time/entries"):
            self._times.setdefault(int(entry.get("chargeToId") or 0), []).append(entry)

    def faults(self, stories: Sequence[Story]) -> list[str]:
        references = {story.reference for story in stories}
        strange = [each["id"] for each in self.orders if _references(each) - references]
        found = [f"work order {number} carries a reference that no ticket has" for number in strange]
        for story in stories:
            found += [
                f"{story.reference} ({story.plot or 'never in a trigger'}): {fault}"
                for fault in self._of(story)
            ]
        return found

    def left_alive(self, stories: Sequence[Story]) -> int:
        """How many tickets are to have no work order any more, and have one that lives."""
        living = [each for each in self.orders if each["status"]["name"] not in ENDED]
        references = set[str]().union(*map(_references, living))
        return sum(story.living == (0,) and story.reference in references for story in stories)

    def _of(self, story: Story) -> Iterator[str]:
        ours = [each for each in self.orders if story.reference in _references(each)]
        living = [each for each in ours if each["status"]["name"] not in ENDED]
        if not story.plot and ours:
            yield f"has {len(ours)} work orders"
        if len(living) not in story.living:
            wanted = " or ".join(map(str, story.living))
            yield f"has {len(living)} living work orders instead of {wanted}: {_shown(ours)}"
        for order in living:
            if _references(order) != {story.reference} or order.get("incident_id") != story.reference:
                yield f"work order {order['id']} says {order.get('incident_id')!r}, {order['title']!r}"
        for order in ours:
            if story.plot not in NOTED and (messages := _all_messages(order)):
                yield f"nobody wrote anything, and work order {order['id']} has {len(messages)} messages"
        record = self._records.get((story.kind, story.ticket))
        if record is None:
            if story.exists:
                yield "it is gone"
            return
        if story.plot and record["status"]["name"] != story.status:
            yield f"its status is {record['status']['name']!r} instead of {story.status!r}"
        # The notes of a merged ticket are its parent's.
        if len(living) == 1 and story.living == (1,) and story.plot != MERGED:
            yield from self._of_pair(story, record, living[0])

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
        yield from self._of_numbers(story, order, notes)
        # A ticket has one from before, its description.
        wanted = int(story.kind != OPPORTUNITY) + len(people) + int("work-done" in story.reached)
        others = [each for each in notes if "-number]" not in each]
        if len(others) != wanted:
            yield f"ConnectWise has {len(others)} notes instead of {wanted}: {others}"

    def _of_numbers(self, story: Story, order: Record, notes: Sequence[str]) -> Iterator[str]:
        """Without a field for it a note has the number of each work order; an ended one may lack its."""
        marks = {
            int(each["id"]): effect_mark(int(each["id"]), "number")
            for each in self.orders
            if story.reference in _references(each)
        }
        counts = {number: sum(mark in each for each in notes) for number, mark in marks.items()}
        wanted = int(story.kind != SERVICE)
        if counts[int(order["id"])] != wanted or any(each > wanted for each in counts.values()):
            yield f"notes with the numbers of its work orders: {counts} instead of {wanted} each"
        if sum("-number]" in each for each in notes) != sum(counts.values()):
            yield f"a note has the number of another record's work order: {notes}"

    def _of_events(self, story: Story, ticket: Record, order: Record) -> Iterator[str]:
        done = "work-done" in story.reached
        mark = effect_mark(int(order["id"]), COMPLETED)
        notes = self._notes.get((story.kind, story.ticket), [])
        number = sum(mark in str(each.get("text")) for each in notes)
        if number != int(done):
            yield f"{number} notes say that the work is done"
        times = 0 if story.kind == OPPORTUNITY else len(self._times.get(story.ticket, []))
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


async def accepting_sweep(sandbox: Sandbox, ledger: str | Path, number: int) -> int:
    """A person has seen that so many tickets really left, and runs dispatch-sweep as the refusals say.

    Returns how many work orders it cancelled.
    """
    async with open_run(sandbox.info, ledger, accept_cancellations=number) as run:
        return (await sweep(run)).counts()[DispatchStatus.CANCELLED]


async def later_round(sandbox: Sandbox, ledger: str | Path) -> dict[str, Any]:
    """By its clock an hour has passed, and what killed processes held is free: all sweeps and the inbox."""
    async with open_run(sandbox.info, ledger, later=HOUR) as run:
        swept, drained = await _sweep_all(run)
        return {
            "records": dict(swept.counts()),
            "messages": drained.messages,
            "inbox": await run.ledger.inbox.count(),
            "intents": await run.ledger.intents.count(run.tenant),
        }


async def quiet_round(sandbox: Sandbox, ledger: str | Path) -> dict[str, Any]:
    """Everything once more, and each ticket and work order by itself, whatever sweeps would pass."""
    async with open_run(sandbox.info, ledger, later=2 * HOUR) as run:
        sandbox.clear_requests()
        await _sweep_all(run)
        await _each(run)
    counted = sandbox.requests()
    writes = {
        f"{system} {name}": number
        for system in ("connectwise", "field_nation")
        for name, number in counted[system]["by"].items()
        if counted[system]["writes"] and not name.startswith("GET ") and "oauth" not in name
    }
    requests = {system: counted[system]["requests"] for system in ("connectwise", "field_nation")}
    return {"requests": requests, "writes": writes}


async def _sweep_all(run: DispatchRun) -> tuple[RecordSweep, InboxDrain]:
    swept = await sweep(run)
    await sweep_work_orders(run)
    await sweep_notes(run)
    return swept, await drain_all(run, handle_work_order, handle_notes)


async def _each(run: DispatchRun) -> None:
    work: list[Callable[[], Awaitable[Any]]] = []
    for link in await run.ledger.links.of_kind(run.tenant, WORK_ORDER_KIND):
        kind, record = RecordKind(link.left.kind.removeprefix("connectwise/")), int(link.left.id)
        work.append(partial(dispatch_record, run, kind, record, wait=False))
        work.append(partial(handle_work_order, run, int(link.right.id)))
        work.append(partial(handle_notes, run, int(link.right.id)))
    slots = anyio.Semaphore(run.settings.polling.at_once)

    async def one(each: Callable[[], Awaitable[Any]]) -> None:
        async with slots:
            await each()

    async with anyio.create_task_group() as group:
        for each in work:
            group.start_soon(one, each)


async def measure(sandbox: Sandbox, ledger: str | Path) -> dict[str, dict[str, int]]:
    """Requests by event, as the sandbox counted them; resets the sandbox."""
    sandbox.reset(assets=2, scenario="dispatch", tickets=14)
    sandbox.switch(field_nation_rate_limit=None)
    tickets = _alike(sandbox)
    found: dict[str, dict[str, int]] = {}
    async with open_run(sandbox.info, ledger) as run:
        # A process asks for the code base and a token once; the ledger notes when it began.
        await run.client.boards.list(fields="id", page_size=1, page=1)
        await run.field_nation.search_work_orders("nothing", columns="status")
        for name, ticket in zip(list(BOUNDS)[:3], tickets, strict=True):
            _enter(sandbox, ticket)
            found[name] = await _count(sandbox, dispatch_record(run, SERVICE, ticket))
            if name == OLDER:
                known = await run.ledger.state.get(run.tenant, COVERAGE_NAME) or {}
                await run.ledger.state.set(run.tenant, COVERAGE_NAME, {**known, "at": LONG_AGO})
                run.related = RelatedCache(run.settings.polling.cache_seconds)
        await _life(sandbox, run, tickets[0], found)
    return found


async def _life(sandbox: Sandbox, run: DispatchRun, ticket: int, found: dict[str, dict[str, int]]) -> None:
    number = next(
        int(each["id"])
        for each in sandbox.state(ORDERS)
        if reference_carried(each) == run.state.ref(SERVICE, ticket).reference
    )
    await sync_events(run, number)
    sandbox.provider(number, "accept")
    found["assigned: ticket status"] = await _count(sandbox, sync_events(run, number))
    sandbox.provider(number, "check-in")
    found["checked in: custom field"] = await _count(sandbox, sync_events(run, number))
    sandbox.provider(number, "check-out", hours=2)
    sandbox.provider(number, "work-done", closing_notes="All tested.")
    found["work done: note and time entry"] = await _count(sandbox, sync_events(run, number))
    await run.field_nation.approve_work_order(number)
    found["approved: ticket status"] = await _count(sandbox, sync_events(run, number))
    found["nothing new: status"] = await _count(sandbox, sync_events(run, number))
    found["nothing new: notes"] = await _count(sandbox, copy_notes(run, number))


async def _count(sandbox: Sandbox, work: Any) -> dict[str, int]:
    sandbox.clear_requests()
    await work
    counted = sandbox.requests()
    return {
        system: sum(number for name, number in counted[system]["by"].items() if "oauth" not in name)
        for system in ("connectwise", "field_nation")
    }


def _alike(sandbox: Sandbox) -> list[int]:
    """Three service tickets of one company and site."""
    tickets = [each for each in sandbox.state("service/tickets") if each["board"]["name"] == "Field Services"]
    site = tickets[0]["site"]["id"]
    return [int(each["id"]) for each in tickets if each["site"]["id"] == site][:3]


def _enter(sandbox: Sandbox, ticket: int) -> None:
    statuses = sandbox.state("service/boards/statuses")
    shown = next(each for each in sandbox.state("service/tickets") if each["id"] == ticket)
    number = next(
        each["id"]
        for each in statuses
        if each["name"] == "Dispatch" and each["board"]["id"] == shown["board"]["id"]
    )
    sandbox.edit("service/tickets", ticket, {"status": {"id": number}})


def broken_bounds(found: dict[str, dict[str, int]]) -> list[str]:
    return [
        f"{name}: {found[name]['connectwise']} + {found[name]['field_nation']} requests, allowed are "
        f"{bound[0]} + {bound[1]}"
        for name, bound in BOUNDS.items()
        if found[name]["connectwise"] > bound[0] or found[name]["field_nation"] > bound[1]
    ]
