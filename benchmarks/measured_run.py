"""One run of asset-synchronization in a process of its own; prints what it cost as one JSON line.

``python -m benchmarks.measured_run COMPANY``: expects Prefect's settings in the environment and the blocks
named ``default``, as ``benchmarks.run`` prepares them.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any

from flows.asset_synchronization import asset_synchronization
from tasks.synchronization.settings import AssetSynchronizationSettings, Ceilings


def main(company: str) -> None:
    """Run once for real; CPU and memory are those of this process, imports included."""
    settings = AssetSynchronizationSettings(company=company, dry_run=False, ceilings=Ceilings(go_on=True))
    began = time.perf_counter()
    report = asyncio.run(_run(settings))
    wall = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures: dict[str, Any] = {
        "counts": report.counts.as_dict(),
        "predicted": report.requests_predicted,
        "used": report.requests_used,
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_megabytes": round(usage.ru_maxrss / 1024),
    }
    print(json.dumps(figures))


async def _run(settings: AssetSynchronizationSettings) -> Any:
    return await asset_synchronization(settings)


if __name__ == "__main__":
    main(sys.argv[1])
