"""A fresh board of tickets, or a fresh desk of work orders, for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployments.local.sandbox import Sandbox
from tests.support.dispatch import Board
from tests.support.work_orders import FieldDesk


@pytest.fixture
def board(sandbox: Sandbox, ledger_file: Path) -> Board:
    """Little data and a ledger that nobody has used."""
    sandbox.reset(assets=2, tickets=2)
    return Board(sandbox, ledger_file)


@pytest.fixture
def desk(sandbox: Sandbox, ledger_file: Path) -> FieldDesk:
    """The scenario ``dispatch`` with little data, and a ledger that nobody has used."""
    return FieldDesk(sandbox, ledger_file)
