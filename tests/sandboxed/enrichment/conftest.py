"""The small company that the searches for links are tried on."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from connectors.ledger.store import Ledger
from deployments.local.sandbox import Sandbox
from tests.support.ticket_links import LinkedData


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with its tables and nothing in them: making the tables takes longer than a search."""

    async def make() -> None:
        async with Ledger.open(path):
            pass

    path = tmp_path_factory.mktemp("ledger") / "links.db"
    anyio.run(make)
    return path


@pytest.fixture
def linked(sandbox_process: Sandbox, empty_ledger: Path, tmp_path: Path) -> LinkedData:
    """A company of 30 configurations, 12 agreements and 70 tickets, every way open."""
    linked = LinkedData(sandbox_process, tmp_path, empty_ledger)
    linked.reset()
    return linked
