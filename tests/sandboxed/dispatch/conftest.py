"""A fresh world for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployments.local.sandbox import Sandbox
from tests.support.dispatch import World


@pytest.fixture
def world(sandbox: Sandbox, tmp_path: Path) -> World:
    """Little data and a ledger that nobody has used."""
    sandbox.reset(assets=2, tickets=2)
    return World(sandbox, tmp_path / "ledger.db")
