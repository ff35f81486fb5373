"""What is remembered stays true when a run was killed, or another one writes meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from connectors.ledger.store import Ledger
from tasks.connectwise.link_search.ticket_cache import TicketCache

pytestmark = pytest.mark.anyio

TENANT, COMPANY = "na/acme", 6
STAMP = "2026-01-01T00:00:00Z"


async def remember(memory: TicketCache, ticket: int, *held: int) -> None:
    await memory.save("service", {ticket: held}, {("service", ticket): STAMP}, datetime.now(UTC))


async def test_a_reconcile_that_goes_on_after_a_kill_is_as_old_as_its_first_questions(tmp_path: Path) -> None:
    async with Ledger.open(tmp_path / "links.db") as ledger:
        killed = await TicketCache.load(ledger, TENANT, COMPANY)
        await killed.begin_reconcile()
        await remember(killed, 1, 10)
        asked = datetime.now(UTC)
        await anyio.sleep(0.01)
        later = await TicketCache.load(ledger, TENANT, COMPANY)
        assert later.reconciling
        assert set(later.known) == {("service", 1)}
        await later.finish([10])
        done = await TicketCache.load(ledger, TENANT, COMPANY)
        assert not done.reconciling
        assert done.last_reconcile is not None
        assert done.last_reconcile <= asked


class Overtaken:
    """A ledger in which another run writes right after the first watermark was read."""

    def __init__(self, ledger: Ledger, other: TicketCache) -> None:
        self.ledger = ledger
        self.state = self
        self.ticket_links = ledger.ticket_links
        self.other = other
        self.reads = 0

    async def get(self, tenant: str, name: str) -> dict[str, Any] | None:
        value = await self.ledger.state.get(tenant, name)
        self.reads += 1
        if self.reads == 1:
            await self.other.limit_to([10])
            await remember(self.other, 1, 10)
        return value


async def test_links_are_not_taken_for_more_complete_than_another_run_made_them(tmp_path: Path) -> None:
    async with Ledger.open(tmp_path / "links.db") as ledger:
        other = await TicketCache.load(ledger, TENANT, COMPANY)
        await other.begin_reconcile()
        overtaken: Any = Overtaken(ledger, other)
        memory = await TicketCache.load(overtaken, TENANT, COMPANY)
        assert set(memory.known) == {("service", 1)}
        assert memory.asked_about == {10}
