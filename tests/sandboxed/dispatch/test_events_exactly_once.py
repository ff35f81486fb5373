"""What comes back to the ticket comes once: with lost answers, refusals for now, several processes, kills."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from connectors.errors import ConnectorError
from tasks.dispatch.notes import copy_notes
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.work_order_events import sync_events
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus
from tests.support.kill import Killed, Killer, KillingLedger, KillingTransport
from tests.support.work_orders import FieldDesk

pytestmark = pytest.mark.anyio


NOTES = "/service/tickets/*/notes"


async def until_settled(
    desk: FieldDesk, run: DispatchRun, number: int, *, pause: float = 0
) -> list[DispatchStatus]:
    """Both directions, on and on, an hour later each time; what became of each try.

    ``pause``: real seconds, for work that the server still does when the clock was moved on.
    """
    results = []
    for _ in range(6):
        for step in (sync_events, copy_notes):
            try:
                results.append((await step(run, number)).status)
            except ConnectorError:
                results.append(DispatchStatus.FAILED)
        if results[-2:] == [DispatchStatus.UNCHANGED] * 2:
            return results
        desk.later(3_600)
        await anyio.sleep(pause)
    raise AssertionError(f"never settled: {results}")


def talk(desk: FieldDesk, ticket: int, number: int) -> None:
    note = {"ticketId": ticket, "text": "Ask for Mia", "detailDescriptionFlag": True, "member": {"id": 1}}
    desk.sandbox.add("service/tickets/notes", note)
    desk.provider(number, "message", message="Which gate?")


async def everything_once(desk: FieldDesk, run: DispatchRun, ticket: int, number: int) -> None:
    texts = [each["text"] for each in desk.notes(ticket)]
    assert len(texts) == 3
    assert sum(f"[FN-{number}-completed]" in text for text in texts) == 1
    assert sum("Which gate?" in text for text in texts) == 1
    said = [one["message"] for one in await run.field_nation.list_messages(number)]
    assert [sum(words in text for text in said) for words in ("Which gate?", "Ask for Mia")] == [1, 1]
    assert len(said) == 2
    assert len(desk.times(ticket)) == 1
    assert desk.status(ticket) == "Assigned"
    assert desk.field(ticket, "FN check-in") == "2026-12-01 14:00:00"


SLOW = pytest.mark.slow
FAULTS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("connectwise", "POST", NOTES, {"kind": "drop_after"}),
    ("connectwise", "POST", NOTES, {"kind": "late", "delay": 0.3}),
    ("connectwise", "POST", NOTES, {"kind": "drop_before"}),
    ("connectwise", "POST", NOTES, {"kind": "status", "status": 500}),
    ("connectwise", "POST", NOTES, {"kind": "status", "status": 429}),
    ("connectwise", "POST", "/time/entries", {"kind": "drop_after"}),
    ("connectwise", "PATCH", "/service/tickets/*", {"kind": "drop_after"}),
    ("connectwise", "PATCH", "/service/tickets/*", {"kind": "status", "status": 503}),
    ("field_nation", "POST", "/workorders/*/messages", {"kind": "drop_after"}),
    ("field_nation", "POST", "/workorders/*/messages", {"kind": "late", "delay": 0.3}),
    ("field_nation", "POST", "/workorders/*/messages", {"kind": "status", "status": 429}),
    ("field_nation", "GET", "/workorders/*", {"kind": "status", "status": 500}),
]


@pytest.mark.parametrize(
    "fault",
    [pytest.param(one, marks=[] if one[3]["kind"] == "late" else [SLOW]) for one in FAULTS],
    ids=[f"{one[2].split('/')[-1]}-{one[3]['kind']}-{one[3].get('status', '')}" for one in FAULTS],
)
async def test_a_disturbed_run_does_each_once(
    desk: FieldDesk, fault: tuple[str, str, str, dict[str, Any]]
) -> None:
    system, method, path, kind = fault
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        desk.whole_life(number)
        talk(desk, ticket, number)
        rule = {"system": system, "method": method, "path": path, "nth": [1], "fault": kind}
        desk.sandbox.faults([rule])
        await until_settled(desk, run, number, pause=kind.get("delay", 0) * 1.5)
        assert desk.sandbox.faults_fired() == [1]
        await everything_once(desk, run, ticket, number)


async def test_duplicates_at_once_do_each_once(desk: FieldDesk) -> None:
    async with desk.run() as one, desk.run() as other:
        ticket, number = await desk.dispatched(one)
        desk.whole_life(number)
        talk(desk, ticket, number)
        backs: list[DispatchResult] = []

        async def told(run: DispatchRun, copying: bool) -> None:
            backs.append(await (copy_notes if copying else sync_events)(run, number))

        async with anyio.create_task_group() as group:
            for turn in range(20):
                group.start_soon(told, one if turn % 2 else other, turn % 4 < 2)
        assert {back.status for back in backs} <= {
            DispatchStatus.UPDATED,
            DispatchStatus.UNCHANGED,
            DispatchStatus.BUSY,
        }
        await until_settled(desk, one, number)
        await everything_once(desk, one, ticket, number)


class KillerAtWrites(Killer):
    """Counts requests to one address only."""

    def __init__(self, ending: str) -> None:
        super().__init__(1, "after")
        self.ending = ending

    def passes(self, name: str, when: str) -> None:
        if name.startswith("POST") and name.endswith(self.ending):
            super().passes(name, when)


@pytest.mark.parametrize("ending", ["/notes", pytest.param("/time/entries", marks=SLOW), "/messages"])
async def test_killed_right_after_a_write_the_next_run_finds_it(desk: FieldDesk, ending: str) -> None:
    assert await killed_run(desk, KillerAtWrites(ending))


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
async def test_killed_at_any_request_the_next_run_finishes(desk: FieldDesk, when: str) -> None:
    """A fresh desk for each place at which a run can be killed, until one is not killed any more."""
    place = 1
    while await killed_run(desk, Killer(place, when)):
        place += 1
        desk.renew(f"killed-{place}.db")
    assert place > 10


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
async def test_killed_at_any_step_of_the_ledger_the_next_run_finishes(desk: FieldDesk, when: str) -> None:
    place = 1
    while await killed_run(desk, Killer(place, when), in_ledger=True):
        place += 1
        desk.renew(f"killed-{place}.db")
    assert place > 15


async def killed_run(desk: FieldDesk, killer: Killer, *, in_ledger: bool = False) -> bool:
    """Whether the run was killed, at a request or at a step of the ledger; another one then finishes."""
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        desk.whole_life(number)
        talk(desk, ticket, number)
        killed = False
        wrap = None if in_ledger else lambda inner: KillingTransport(inner, killer)
        async with desk.run(wrap=wrap) as victim:
            if in_ledger:
                for name in ("effects", "notes"):
                    setattr(victim.ledger, name, KillingLedger(getattr(victim.ledger, name), killer, name))
            try:
                await sync_events(victim, number)
                await copy_notes(victim, number)
            except Killed:
                killed = True
        await until_settled(desk, run, number)
        await everything_once(desk, run, ticket, number)
    return killed
