"""The chain of asset-synchronization as plain functions: no orchestration, no server, no artifact, no lease.

``python -m benchmarks.performance.without_prefect COMPANY LEDGER INFO`` prints what ``measured_run``
prints. The steps, their order, the clients and the ledger are the same, so the requests must be the same;
what is left out is Prefect's part, and only that.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prefect import Flow, Task
from prefect.blocks.core import Block

import flows.asset_synchronization as chain
from benchmarks.performance.measured_run import measured
from connectors.ledger.block import LedgerDatabase
from deployments.blocks import sandbox_blocks
from tasks.asset_sync import report
from tasks.shared import connections


def main(company: str, ledger: str, info: str) -> None:
    """Run once for real."""
    logging.disable(logging.INFO)
    leave_prefect_out(sandbox_blocks(json.loads(info), Path(ledger), request_limit=10_000_000))
    print(json.dumps(measured(company)))


def leave_prefect_out(blocks: tuple[Block, ...]) -> None:
    """In this process flows and tasks are the functions that they were made of; ``blocks`` need no server."""

    async def given(kind: type[Block], name: str = "") -> Block:
        return next(block for block in blocks if isinstance(block, kind))

    async def given_ledger(name: str) -> Block:
        return await given(LedgerDatabase)

    replaced: dict[Any, dict[str, Any]] = {
        Flow: {"__call__": _plainly},
        Task: {"__call__": _plainly},
        connections: {"load_block": given, "load_ledger_block": given_ledger},
        chain: {"writing_lease": _no_lease},
        report: {"acreate_markdown_artifact": _no_artifact},
    }
    for place, names in replaced.items():
        for name, value in names.items():
            assert hasattr(place, name), (place, name)
            setattr(place, name, value)


def _plainly(self: Flow[..., Any] | Task[..., Any], *arguments: Any, **named: Any) -> Any:
    return self.fn(*arguments, **named)


@asynccontextmanager
async def _no_lease(connection: str, company_id: int, wait_seconds: float = 0) -> AsyncIterator[None]:
    yield


async def _no_artifact(text: str, key: str, description: str) -> None:
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
