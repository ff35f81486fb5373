"""What both sides agreed on, kept by tenant and asset, and the writes that the rows do not know of."""

from __future__ import annotations

import pytest

from connectors.ledger.models import (
    FieldWrite,
    JournalOutcome,
    MergeBase,
    Operation,
    WriteEntry,
    WriteOutcome,
)
from connectors.ledger.store import Ledger
from tests.support.ledger import hand, ledger, place

__all__ = ["hand", "ledger", "place"]
pytestmark = pytest.mark.anyio

TENANT = "connectwise:host:bluelight"


async def write(
    ledger: Ledger, outcome: JournalOutcome | None, operation: Operation = "modify", company: int = 7
) -> None:
    entry = WriteEntry(operation, "configuration", 100, "a", "PC", {"name": "x"}, {"name": "y"})
    (number,) = await ledger.journal.begin("run", "block", company, [entry], tenant=TENANT)
    if outcome is not None:
        await ledger.journal.record_outcomes([WriteOutcome(number, outcome)])


async def test_rows_are_of_one_tenant_and_company_and_one_a_key(ledger: Ledger) -> None:
    bases = ledger.merge_bases
    await bases.keep(TENANT, 7, {"a": MergeBase(1, '{"name": "x"}'), "b": MergeBase(2, "{}")})
    await bases.keep("another", 7, {"a": MergeBase(9, "{}")})
    await bases.keep(TENANT, 8, {"b": MergeBase(3, "{}"), "a\nb": MergeBase(4, "{}")})
    assert await bases.read(TENANT, 7) == {"a": MergeBase(1, '{"name": "x"}')}
    assert await bases.read(TENANT, 8) == {"b": MergeBase(3, "{}")}
    await bases.keep(TENANT, 7, {"a": MergeBase(1, '{"name": "y"}')})
    assert await bases.read(TENANT, 7) == {"a": MergeBase(1, '{"name": "y"}')}
    assert await bases.read("another", 7) == {"a": MergeBase(9, "{}")}


async def test_only_writes_since_the_rows_were_kept_are_given(ledger: Ledger) -> None:
    bases = ledger.merge_bases
    await write(ledger, "done")
    assert await bases.writes_since(TENANT, 7) == []
    # The first run has no rows, so what was written before it is none of theirs.
    assert await bases.begin(TENANT, 7) == []
    outcomes: tuple[JournalOutcome | None, ...] = ("done", "unclear", None, "failed", "not_sent")
    for outcome in outcomes:
        await write(ledger, outcome)
    await write(ledger, "done", "delete")
    await write(ledger, "done", company=8)
    values = {"name": "x"}, {"name": "y"}
    expected = [FieldWrite("a", 100, *values, done) for done in (True, False, False)]
    assert await bases.begin(TENANT, 7) == expected
    assert await bases.writes_since(TENANT, 7) == expected
    await bases.keep(TENANT, 7, {})
    assert await bases.begin(TENANT, 7) == []
