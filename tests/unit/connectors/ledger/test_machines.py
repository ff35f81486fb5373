"""The ledger against plain models: drawn steps of two processes that claim, send, crash and reset the clock.

``make fuzz`` runs the same machines for longer.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from benchmarks.fuzz.ledger import MACHINES
from benchmarks.fuzz.ledger_budget import BudgetMachine
from benchmarks.fuzz.ledger_inbox import InboxMachine
from benchmarks.fuzz.ledger_outbox import IntentsMachine
from benchmarks.fuzz.ledger_world import LedgerMachine, LedgerWorld, run_machine
from connectors.ledger import claims, rate_limit
from connectors.ledger.inbox import Inbox
from deployments.local.postgres import TEST_SERVER, new_database

EXAMPLES = 3


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """As ``place``, for tests that have no loop of their own."""
    server = os.environ.get(TEST_SERVER)
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.db")
        return
    if not server:
        pytest.skip(f"{TEST_SERVER} names no PostgreSQL server")
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(new_database(server)) as address,
    ):
        yield address


@pytest.mark.parametrize("machine", MACHINES)
def test_two_processes_do_what_the_model_does(database: str, machine: type[LedgerMachine]) -> None:
    steps: Counter[str] = Counter()
    with LedgerWorld(database, lambda kind, _outcome: steps.update([kind])) as world:
        run_machine(machine, world, examples=EXAMPLES, given=15)
    assert steps


def claim_whatever_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that takes a row from its holder."""

    async def taken(
        connection: Any, table: Any, row_id: int, holder: str, now: float, seconds: float
    ) -> bool:
        this = claims.update(table).where(table.c.id == row_id)
        await connection.execute(this.values(claimed_by=holder, claimed_until=now + seconds))
        return True

    monkeypatch.setattr(claims, "claim_row", taken)


def acknowledge_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages that are acknowledged and come again."""

    async def forgetful(_self: Inbox, ids: Any, _holder: str) -> int:
        return len(set(ids))

    monkeypatch.setattr(Inbox, "acknowledge", forgetful)


def count_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grants that stop counting before their tokens' window has passed."""
    rule = rate_limit.WindowRule
    monkeypatch.setattr(rule, "counts_until_after_grant", lambda self, at: at + self.window / 2)
    monkeypatch.setattr(rule, "counts_until_after_use", lambda self, at: at + self.window / 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("machine", "spoil"),
    [
        (IntentsMachine, claim_whatever_stands),
        (InboxMachine, acknowledge_nothing),
        (BudgetMachine, count_too_short),
    ],
)
def test_a_ledger_that_is_wrong_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: type[LedgerMachine], spoil: Any
) -> None:
    spoil(monkeypatch)
    with LedgerWorld(tmp_path / "ledger.db") as world, pytest.raises(AssertionError):
        run_machine(machine, world, examples=200, given=15, shrink=False)
