"""A fresh board of tickets for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployments.local.sandbox import Sandbox
from tests.support.dispatch import Board


@pytest.fixture
def board(sandbox: Sandbox, ledger_file: Path) -> Board:
    """Little data and a ledger that nobody has used."""
    sandbox.reset(assets=2, tickets=2)
    return Board(sandbox, ledger_file)
