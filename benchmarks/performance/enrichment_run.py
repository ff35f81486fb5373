"""One run of tickets-agreements-sla-sync in a process of its own; prints what it cost as one JSON line.

``python -m benchmarks.performance.enrichment_run COMPANY``: expects Prefect's settings in the environment
and the blocks named ``default``, as ``benchmarks.performance.enrichment`` prepares them.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any

from benchmarks.performance.runner import peak_megabytes
from flows.tickets_agreements_sla_sync import tickets_agreements_sla_sync
from tasks.enrichment.settings import EnrichmentSettings
from tasks.rules.enrichment.render import search_words


def main(company: str) -> None:
    """Run once for real; CPU and memory are those of this process, imports included."""
    settings = EnrichmentSettings(company=company, dry_run=False)
    began = time.perf_counter()
    report = asyncio.run(_run(settings))
    wall = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures: dict[str, Any] = {
        "counts": report.counts.as_dict(),
        "predicted": report.connectwise_predicted,
        "used": report.connectwise_used,
        "mutations": report.mutations,
        "searches": [search_words(each) for each in report.searches],
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_megabytes": peak_megabytes(),
    }
    print(json.dumps(figures))


async def _run(settings: EnrichmentSettings) -> Any:
    return await tickets_agreements_sla_sync(settings)


if __name__ == "__main__":
    main(sys.argv[1])
