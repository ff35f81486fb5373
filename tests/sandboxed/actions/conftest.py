"""The connector blocks saved for the sandbox, so that actions run as the Prefect UI runs them."""

from __future__ import annotations

import anyio
import pytest

from deployments.blocks import save_sandbox_blocks
from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox


@pytest.fixture(scope="module")
def saved_blocks(
    left_open: None,
    prefect_server: LocalPrefect,
    sandbox_process: Sandbox,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Blocks named ``default`` for the sandbox and a ledger; saving them takes longer than a test."""
    anyio.run(save_sandbox_blocks, sandbox_process.info, tmp_path_factory.mktemp("ledger") / "ledger.db")


@pytest.fixture
def blocks(saved_blocks: None, sandbox: Sandbox) -> None:
    """The blocks, and fresh data in the sandbox that they lead to."""
