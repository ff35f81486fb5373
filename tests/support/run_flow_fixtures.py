"""Fixtures of the tests that run flows: the flow, the sandbox it runs against, and its ledger."""

from __future__ import annotations

import gc
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox
from tests.support.run_enrichment import Enricher
from tests.support.run_flow import FlowRunner


@pytest.fixture
def ledger(empty_ledger: Path) -> Path:
    """An empty ledger, always at the place that the saved block names."""
    place = empty_ledger.with_name("ledger.db")
    for each in place.parent.glob("ledger.db*"):
        each.unlink()
    shutil.copyfile(empty_ledger, place)
    return place


@pytest.fixture
async def runner(prefect_server: LocalPrefect, sandbox: Sandbox, ledger: Path) -> AsyncIterator[FlowRunner]:
    """Runs asset-synchronization against the fresh sandbox with a ledger of its own."""
    made = FlowRunner(sandbox, prefect_server, ledger)
    await made.use_blocks()
    yield made
    # What Prefect leaves open is found here, where its warning is let through, and not in a later test.
    gc.collect()


@pytest.fixture
async def enricher(prefect_server: LocalPrefect, sandbox: Sandbox, ledger: Path) -> AsyncIterator[Enricher]:
    """Ninety assets that are configurations already, with agreements and tickets."""
    sandbox.reset(assets=90, scenario="enrichment")
    made = Enricher(sandbox, prefect_server, ledger)
    await made.use_blocks()
    yield made
    # What Prefect leaves open is found here, where its warning is let through, and not in a later test.
    gc.collect()
