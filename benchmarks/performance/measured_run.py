"""One run of asset-synchronization in a process of its own; prints what it cost as one JSON line.

``python -m benchmarks.performance.measured_run COMPANY``: expects Prefect's settings in the environment and
the blocks named ``default``, as ``benchmarks.performance.scale`` prepares them. ``without_prefect`` prints
the same of the same chain.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

# Prefect imports it while it writes the parameters of a run down that was called by name. A worker's run has
# them from the server, and imports are not measured.
import fastapi.encoders  # noqa: F401

from benchmarks.performance.runner import Stopwatch
from flows.asset_synchronization import asset_synchronization
from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.rules.asset_sync.report import SyncReport
from tasks.rules.asset_sync.safety import SafetyThresholds
from tasks.rules.mapping.compile import compile_mapping
from tasks.rules.mapping.targets import CUSTOM_FIELD_PREFIX
from tasks.shared import connections

NO_LIMIT = ((10_000_000, 60.0),)


def main(company: str) -> None:
    """Run once for real."""
    print(json.dumps(measured(company)))


def measured(company: str) -> dict[str, Any]:
    """Run the chain with the client's own limit for Lansweeper switched off, and say what it cost."""
    connections.REQUEST_LIMITS = NO_LIMIT  # type: ignore[attr-defined]
    settings = AssetSynchronizationSettings(
        company=company, dry_run=False, ceilings=SafetyThresholds(go_on=True)
    )
    watch = Stopwatch()
    report: SyncReport = asyncio.run(_run(settings))
    return watch.as_json() | {
        "run_id": report.run_id,
        "counts": report.counts.as_dict(),
        "predicted": report.requests_predicted,
        "used": report.requests_used,
        "paths": lansweeper_paths(settings),
    }


def lansweeper_paths(settings: AssetSynchronizationSettings) -> int:
    """How many Lansweeper paths the mapping reads where ConnectWise has all of its custom fields."""
    mappings = settings.all_mappings()
    captions = [each.target.removeprefix(CUSTOM_FIELD_PREFIX) for each in mappings]
    ids = {caption: number for number, caption in enumerate(captions, start=1)}
    return len(compile_mapping(mappings, custom_field_ids=ids).lansweeper_paths)


async def _run(settings: AssetSynchronizationSettings) -> Any:
    return await asset_synchronization(settings)


if __name__ == "__main__":
    main(sys.argv[1])
