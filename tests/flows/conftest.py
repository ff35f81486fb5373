"""A way to run the flow against the sandbox."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deployments.local_prefect import LocalPrefect
from deployments.local_sandbox import Sandbox
from tests.flows.enriching import Enricher
from tests.flows.running import FlowRunner


@pytest.fixture
async def runner(prefect_server: LocalPrefect, sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[FlowRunner]:
    """Runs asset-synchronization against the fresh sandbox with a ledger of its own."""
    made = FlowRunner(sandbox, prefect_server, tmp_path / "ledger.db")
    await made.save_blocks()
    yield made
    # What Prefect leaves open is found here, where its warning is let through, and not in a later test.
    gc.collect()


@pytest.fixture
async def enricher(prefect_server: LocalPrefect, sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Enricher]:
    """Ninety assets that are configurations already, with agreements and tickets."""
    sandbox.reset(assets=90, scenario="enrichment")
    made = Enricher(sandbox, prefect_server, tmp_path / "ledger.db")
    await made.save_blocks()
    yield made
    # What Prefect leaves open is found here, where its warning is let through, and not in a later test.
    gc.collect()
