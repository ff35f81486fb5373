"""The small company that the searches for links are tried on."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployments.local.sandbox import Sandbox
from tests.support.ticket_links import LinkedData


@pytest.fixture
def linked(sandbox_process: Sandbox, empty_ledger: Path, tmp_path: Path) -> LinkedData:
    """A company of 30 configurations, 12 agreements and 70 tickets, every way open."""
    linked = LinkedData(sandbox_process, tmp_path, empty_ledger)
    linked.reset()
    return linked
