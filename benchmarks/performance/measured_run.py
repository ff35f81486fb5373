"""One measured run of a flow in a process of its own; prints what it cost as one JSON line.

``python -m benchmarks.performance.measured_run KIND COMPANY [LEDGER INFO]``, where KIND is one of

``assets``
    asset-synchronization, orchestrated.
``assets-without-prefect``
    The same chain as plain functions: no orchestration, no server, no artifact, no lease. The requests must
    be the same. LEDGER and INFO (the sandbox's first line) stand in the blocks' place.
``enrichment``
    tickets-agreements-sla-sync, orchestrated.

The orchestrated ones expect Prefect's settings in the environment and the blocks named ``default``, as
``benchmarks.performance.runner`` saves them. Each imports its own flow only, and this
module nothing that a run has no need of: imports are measured, too.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from prefect import Flow, Task
from prefect.blocks.core import Block

from connectors.lansweeper import settings as lansweeper_settings
from tasks.shared import connections

NO_LIMIT = ((10_000_000, 60.0),)


def exchange(place: type | ModuleType, **values: Any) -> None:
    """Exchange names of a module or class in this process; AttributeError for one that is not there."""
    for name, value in values.items():
        getattr(place, name)
        setattr(place, name, value)


def peak_megabytes() -> int:
    """Of this program alone: what ``getrusage`` says holds the program that started it, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [each for each in status.splitlines() if each.startswith("VmHWM:")]
    return round(int(line.split()[1]) / 1024)


@dataclass
class Stopwatch:
    """Runs from the moment it is made. CPU is that of all threads of this process."""

    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def as_json(self) -> dict[str, float]:
        """Seconds since the start, the CPU that the imports before it took, and the peak in MiB."""
        return {
            "wall_seconds": round(time.perf_counter() - self.wall, 2),
            "cpu_seconds": round(time.process_time() - self.cpu, 2),
            "import_cpu_seconds": round(self.cpu, 2),
            "peak_megabytes": peak_megabytes(),
        }


def measure_assets(company: str) -> dict[str, Any]:
    """Run asset-synchronization once for real, without the client's own limit for Lansweeper."""
    # Prefect imports it while it writes the parameters of a run down that was called by name. A worker's run
    # has them from the server, and imports are not measured.
    import fastapi.encoders  # noqa: F401

    from flows.asset_synchronization import asset_synchronization
    from tasks.asset_sync.settings import AssetSynchronizationSettings
    from tasks.rules.asset_sync.safety import SafetyThresholds
    from tasks.rules.modes import RunMode

    exchange(lansweeper_settings, REQUEST_LIMITS=NO_LIMIT)
    settings = AssetSynchronizationSettings(
        company=company, mode=RunMode.APPLY, ceilings=SafetyThresholds(go_on=True)
    )
    watch = Stopwatch()
    report: Any = asyncio.run(_awaited(asset_synchronization, settings))
    return watch.as_json() | {
        "run_id": report.run_id,
        "counts": report.counts.as_dict(),
        "predicted": report.requests_predicted,
        "used": report.requests_used,
        "seconds_predicted": round(report.seconds_predicted, 2),
        "seconds_used": round(report.seconds_used, 2),
        "paths": _lansweeper_paths(settings),
    }


def measure_assets_without_prefect(company: str, ledger: str, info: str) -> dict[str, Any]:
    """Run the same chain once for real with flows and tasks as the functions that they were made of."""
    import flows.asset_synchronization as chain
    from connectors.ledger.block import LedgerDatabase
    from deployments.blocks import sandbox_blocks
    from tasks.asset_sync import decisions, report

    logging.disable(logging.INFO)
    blocks = sandbox_blocks(json.loads(info), Path(ledger), request_limit=10_000_000)

    async def given(kind: type[Block], name: str = "") -> Block:
        return next(block for block in blocks if isinstance(block, kind))

    async def given_ledger(name: str) -> Block:
        return await given(LedgerDatabase)

    exchange(Flow, __call__=_called)
    exchange(Task, __call__=_called)
    exchange(connections, load_block=given, load_ledger_block=given_ledger)
    exchange(chain, writing_lease=_no_lease)
    exchange(report, acreate_markdown_artifact=_no_artifact)
    exchange(decisions, acreate_table_artifact=_no_artifact)
    return measure_assets(company)


def measure_enrichment(company: str) -> dict[str, Any]:
    """Run tickets-agreements-sla-sync once for real; CPU and memory with the imports."""
    from flows.tickets_agreements_sla_sync import tickets_agreements_sla_sync
    from tasks.enrichment.settings import EnrichmentSettings
    from tasks.rules.enrichment.render import search_words
    from tasks.rules.modes import PlanOrApply

    settings = EnrichmentSettings(company=company, mode=PlanOrApply.APPLY)
    watch = Stopwatch()
    report: Any = asyncio.run(_awaited(tickets_agreements_sla_sync, settings))
    cost = watch.as_json()
    return {
        "counts": report.counts.as_dict(),
        "predicted": report.connectwise_predicted,
        "used": report.connectwise_used,
        "mutations": report.mutations,
        "searches": [search_words(each) for each in report.searches],
        "wall_seconds": cost["wall_seconds"],
        "cpu_seconds": round(cost["cpu_seconds"] + cost["import_cpu_seconds"], 2),
        "peak_megabytes": cost["peak_megabytes"],
    }


KINDS: dict[str, Callable[..., dict[str, Any]]] = {
    "assets": measure_assets,
    "assets-without-prefect": measure_assets_without_prefect,
    "enrichment": measure_enrichment,
}


async def _awaited(flow: Any, settings: Any) -> Any:
    """The flow is called inside the event loop: without Prefect calling it gives a coroutine at once."""
    return await flow(settings)


def _lansweeper_paths(settings: Any) -> int:
    """How many Lansweeper paths the mapping reads where ConnectWise has all of its custom fields."""
    from tasks.rules.mapping.compile import compile_mapping
    from tasks.rules.mapping.targets import CUSTOM_FIELD_PREFIX

    mappings = settings.all_mappings()
    captions = [each.target.removeprefix(CUSTOM_FIELD_PREFIX) for each in mappings]
    ids = {caption: number for number, caption in enumerate(captions, start=1)}
    return len(compile_mapping(mappings, custom_field_ids=ids).lansweeper_paths)


def _called(self: Flow[..., Any] | Task[..., Any], *arguments: Any, **named: Any) -> Any:
    return self.fn(*arguments, **named)


@asynccontextmanager
async def _no_lease(*arguments: Any, **named: Any) -> AsyncIterator[None]:
    yield


async def _no_artifact(*arguments: Any, **named: Any) -> None:
    return None


if __name__ == "__main__":
    kind, *given = sys.argv[1:]
    print(json.dumps(KINDS[kind](*given)))
