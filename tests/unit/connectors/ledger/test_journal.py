"""The journal of writes and the batches in flight."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from connectors.ledger.database import Clock
from connectors.ledger.models import HeldRecord, WriteEntry, WriteOutcome
from connectors.ledger.store import Ledger
from tests.support.ledger import place

__all__ = ["place"]
pytestmark = pytest.mark.anyio


@pytest.fixture
async def ledger(place: str) -> AsyncIterator[Ledger]:
    async with Ledger.open(place, clock=Clock(now=lambda: 1_700_000_000.5)) as ledger:
        yield ledger


def entry(number: int, **changes: object) -> WriteEntry:
    values = {
        "operation": "modify",
        "record_kind": "configuration",
        "record_id": number,
        "asset_key": f"key-{number}",
        "record_name": f"WKS-{number} é",
        "before": {"serialNumber": None},
        "after": {"serialNumber": "A1", "customFields.ls_asset_id": f"key-{number}"},
        **changes,
    }
    return WriteEntry(**values)  # type: ignore[arg-type]


async def test_writes_are_noted_in_order_and_come_back_whole(ledger: Ledger) -> None:
    ids = await ledger.journal.begin("run", "cw", 7, [entry(number) for number in range(50)])
    noted = await ledger.journal.of_run("run")
    assert [write.id for write in noted] == ids
    assert [write.record_id for write in noted] == list(range(50))
    first = noted[0]
    assert (first.connection, first.company_id, first.operation) == ("cw", 7, "modify")
    assert (first.before, first.after) == (entry(0).before, entry(0).after)
    assert (first.record_name, first.outcome, first.settled_at) == ("WKS-0 é", None, None)
    assert first.begun_at == datetime.fromtimestamp(1_700_000_000.5, UTC)


async def test_a_creation_gets_its_record_id_when_it_is_settled(ledger: Ledger) -> None:
    creation = entry(1, operation="create", record_id=None, before=None)
    (write,) = await ledger.journal.begin("run", "cw", 7, [creation])
    await ledger.journal.record_outcomes([WriteOutcome(write, "done", 4711)])
    (settled,) = await ledger.journal.of_run("run")
    assert (settled.outcome, settled.record_id, settled.before) == ("done", 4711, None)
    assert settled.settled_at is not None


async def test_an_outcome_without_an_id_keeps_the_noted_one(ledger: Ledger) -> None:
    (write,) = await ledger.journal.begin("run", "cw", 7, [entry(5)])
    await ledger.journal.record_outcomes([WriteOutcome(write, "failed", None, "x" * 5000)])
    (settled,) = await ledger.journal.of_run("run")
    assert (settled.outcome, settled.record_id, len(settled.message or "")) == ("failed", 5, 2000)


async def test_an_unclear_outcome_can_be_cleared_up_later(ledger: Ledger) -> None:
    (write,) = await ledger.journal.begin("run", "cw", 7, [entry(5)])
    await ledger.journal.record_outcomes([WriteOutcome(write, "unclear", None, "no answer")])
    await ledger.journal.record_outcomes([WriteOutcome(write, "done", 5, None)])
    (settled,) = await ledger.journal.of_run("run")
    assert (settled.outcome, settled.message) == ("done", "no answer")


async def test_nothing_to_note_is_nothing_to_do(ledger: Ledger) -> None:
    assert await ledger.journal.begin("run", "cw", 7, []) == []
    await ledger.journal.record_outcomes([])
    assert await ledger.journal.of_run("run") == []


async def test_secrets_are_not_noted(ledger: Ledger) -> None:
    after = {"name": "n", "loginPassword": "p", "deep": [{"privateKey": "k", "keyboard": "de"}]}
    await ledger.journal.begin("run", "cw", 7, [entry(1, after=after)])
    (noted,) = await ledger.journal.of_run("run")
    assert noted.after == {"name": "n", "deep": [{"keyboard": "de"}]}


async def test_open_batches_are_those_of_the_company_that_nobody_settled(ledger: Ledger) -> None:
    settled, writes = await ledger.batches.open("run", "cw", 7, ["a"], 10, [entry(1)])
    await ledger.batches.open("run", "cw", 7, ["b", "c"], 11)
    await ledger.batches.open("run", "cw", 8, ["d"], 12)
    await ledger.batches.open("run", "other", 7, ["e"], 13)
    await ledger.batches.open("run", "cw", 7, ["f"], 14, tenant="another tenant")
    await ledger.batches.close(settled, [WriteOutcome(write, "done", 4711) for write in writes])
    await ledger.batches.close(settled)
    (write,) = await ledger.journal.of_run("run")
    assert (write.id, write.outcome, write.record_id) == (writes[0], "done", 4711)
    (batch,) = await ledger.batches.in_flight("tenant", 7, "cw")
    assert (batch.run_id, batch.asset_keys, batch.highest_id) == ("run", ["b", "c"], 11)
    assert batch.sent_at == datetime.fromtimestamp(1_700_000_000.5, UTC)


async def test_noting_a_batch_of_50_takes_milliseconds(place: str) -> None:
    async with Ledger.open(place) as ledger:
        await ledger.journal.begin("warm", "cw", 7, [entry(0), entry(1)])
        started = time.process_time()
        for run in range(10):
            ids = await ledger.journal.begin(f"run{run}", "cw", 7, [entry(n) for n in range(50)])
            await ledger.journal.record_outcomes([WriteOutcome(write, "done") for write in ids])
        assert (time.process_time() - started) / 10 < 0.1


async def test_times_are_of_the_shared_clock(place: str) -> None:
    async with Ledger.open(place) as ledger:
        await ledger.batches.open("run", "cw", 7, ["a"], 1)
        (batch,) = await ledger.batches.in_flight("tenant", 7, "cw")
        assert abs((datetime.now(UTC) - batch.sent_at).total_seconds()) < 5


async def test_a_tenant_s_batches_are_found_whatever_block_sent_them(ledger: Ledger) -> None:
    await ledger.batches.open("one", "first block", 7, ["a"], 1, tenant="tenant")
    await ledger.batches.open("two", "second block", 7, ["b"], 2, tenant="tenant")
    await ledger.batches.open("of an older version", "second block", 7, ["c"], 3)
    found = await ledger.batches.in_flight("tenant", 7, "second block")
    assert [(each.asset_keys, each.tenant) for each in found] == [
        (["a"], "tenant"),
        (["b"], "tenant"),
        (["c"], None),
    ]
    await ledger.batches.set_aside(found[0].id)
    await ledger.batches.set_aside(found[2].id)
    assert [each.run_id for each in await ledger.batches.in_flight("tenant", 7, "second block")] == [
        "one",
        "two",
    ]
    assert [each.asset_keys for each in await ledger.batches.of_run("of an older version")] == [["c"]]


async def test_a_name_that_is_no_text_costs_neither_its_own_record_nor_its_batch(ledger: Ledger) -> None:
    """A vendor may give a list for a name: the ledger's refusal ended a batch of 50."""
    deep: list[object] = []
    for _ in range(1000):
        deep = [deep]
    names: list[object] = ["PC", ["a", {"b": 1}], 7, None, True, deep, "\ud83d \x00", 10**400]
    await ledger.journal.begin("run", "cw", 7, [entry(at, record_name=each) for at, each in enumerate(names)])
    noted = [each.record_name for each in await ledger.journal.of_run("run")]
    assert noted[:5] == ["PC", '["a",{"b":1}]', "7", "", "true"]
    assert noted[6] == "\ufffd "
    assert all(len(each) <= 200 for each in noted)
    held = [
        HeldRecord(f"k{at}", "create", each, 1, "p", "v", "r", "Refused")  # type: ignore[arg-type]
        for at, each in enumerate(names)
    ]
    await ledger.quarantine.hold("tenant", "feature", held)
    kept = await ledger.quarantine.held("tenant", "feature")
    assert [each.name for each in kept.values()] == noted
