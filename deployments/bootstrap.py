"""``python -m deployments.bootstrap``: makes a Prefect server ready for these flows; repeatable.

Registers the blocks, makes the work pool and the automation that marks dead runs as crashed, saves blocks
from environment variables where they are given, deploys ``prefect.yaml`` and refreshes the choices of the
run forms. What a person changed in the meantime stays: the pool's settings, default parameters and schedules.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

from prefect import get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import WorkPool
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker
from rich.console import Console

from connectors import blocks
from connectors.connectwise.block import ConnectWiseConnection
from connectors.lansweeper.block import LansweeperConnection
from deployments.crash_automation import HEARTBEAT_SECONDS, install_crash_automation
from deployments.environment_blocks import save_environment_blocks
from deployments.kept_settings import present_deployments, restore
from flows.refresh_choices import refresh_choices
from tasks.choices import own_deployments
from tasks.dispatch.block import DispatchRules
from tasks.saved_blocks import saved_block_names

ROOT = Path(__file__).resolve().parent.parent
POOL = "connectwise"
RUNS_AT_ONCE = 8
"""Limit of a new pool; each run is a process of about 150 MB."""
HEARTBEAT = "PREFECT_FLOWS_HEARTBEAT_FREQUENCY"
"""Without it Prefect's runs send no sign of life, and none is ever marked as crashed."""


def main() -> int:
    """Do it all and say what was done."""
    console = Console(highlight=False)
    for line in asyncio.run(bootstrap()):
        console.print(line)
    return 0


async def bootstrap() -> list[str]:
    """Every step, in an order in which each finds what it needs; returns a line for each.

    Raises:
        ValueError: the environment variables of a block are incomplete.
        RuntimeError: ``prefect deploy`` failed; the text holds the end of its output.
    """
    names = await register_blocks()
    done = [f"Blocks registered: {', '.join(names)}."]
    done.append(await make_pool())
    done.append(await install_crash_automation())
    saved = await save_environment_blocks(os.environ)
    done.append(f"Blocks saved from the environment: {', '.join(saved) or 'none'}.")
    before = await present_deployments()
    deploy()
    await restore(before)
    done.append(f"{len(await own_deployments())} deployments are in place.")
    if await saved_block_names(ConnectWiseConnection) or await saved_block_names(LansweeperConnection):
        state = await refresh_choices(return_state=True)
        done.append(f"Choices of the run forms: {state.name}. {state.message or ''}".strip())
    else:
        done.append("Save a connection under Blocks, then run refresh-choices and check-connections.")
    return done


async def register_blocks() -> list[str]:
    """Register every block of the project; returns their names."""
    kinds = [*(getattr(blocks, name) for name in blocks.__all__), DispatchRules]
    for kind in kinds:
        await kind.register_type_and_schema()
    return [str(kind._block_type_name) for kind in kinds]


async def make_pool() -> str:
    """The process work pool with its limit; one that is there stays, but its runs get a heartbeat."""
    async with get_client() as client:
        try:
            there = await client.read_work_pool(POOL)
        except ObjectNotFound:
            template = with_heartbeat(ProcessWorker.get_default_base_job_template())
            await client.create_work_pool(
                WorkPoolCreate(
                    name=POOL, type="process", base_job_template=template, concurrency_limit=RUNS_AT_ONCE
                )
            )
            return f"Work pool {POOL} made, {RUNS_AT_ONCE} runs at once."
        template = with_heartbeat(there.base_job_template)
        if template == there.base_job_template:
            return f"Work pool {POOL} is there{_other_type(there)}; it stays as it is."
        await client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=template))
    return f"Work pool {POOL} is there{_other_type(there)}; its runs send heartbeats from now on."


def with_heartbeat(template: dict[str, Any]) -> dict[str, Any]:
    """The job template with a frequency of heartbeats among the runs' environment, unless it has one.

    A template without an input ``env``, as somebody may have written it, stays as it is.
    """
    changed = deepcopy(template)
    environment = changed.get("variables", {}).get("properties", {}).get("env")
    if isinstance(environment, dict):
        given = environment.get("default") or {}
        environment["default"] = {HEARTBEAT: str(HEARTBEAT_SECONDS)} | given
    return changed


def _other_type(pool: WorkPool) -> str:
    return "" if pool.type == "process" else f", but of the type {pool.type}, not process"


def deploy() -> None:
    """Deploy everything in ``prefect.yaml``."""
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=ROOT,
        env=_with_api_address(),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"prefect deploy failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def _with_api_address() -> dict[str, str]:
    """The child process deploys to the server that this process speaks to."""
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME

    address = PREFECT_API_URL.value()
    return dict(os.environ) | (
        {"PREFECT_API_URL": str(address), "PREFECT_HOME": str(PREFECT_HOME.value())} if address else {}
    )


if __name__ == "__main__":
    sys.exit(main())
