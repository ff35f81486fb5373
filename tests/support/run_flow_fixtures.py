"""Fixtures of the tests that run flows: the flow, the sandbox it runs against, and its ledger."""

from __future__ import annotations

import gc
import shutil
import warnings
from collections.abc import Iterator
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


@pytest.fixture(scope="module")
def left_open() -> Iterator[None]:
    """What Prefect leaves open is found at the end of a file, and not in another file's test.

    To look for it after each test took a tenth of the tests' time.
    """
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "unclosed <socket", ResourceWarning)
        gc.collect()


@pytest.fixture
async def runner(left_open: None, prefect_server: LocalPrefect, sandbox: Sandbox, ledger: Path) -> FlowRunner:
    """Runs asset-synchronization against the fresh sandbox with a ledger of its own."""
    made = FlowRunner(sandbox, prefect_server, ledger)
    await made.use_blocks()
    return made


@pytest.fixture
async def enricher(left_open: None, prefect_server: LocalPrefect, sandbox: Sandbox, ledger: Path) -> Enricher:
    """Ninety assets that are configurations already, with agreements and tickets."""
    sandbox.reset(assets=90, scenario="enrichment")
    made = Enricher(sandbox, prefect_server, ledger)
    await made.use_blocks()
    return made
