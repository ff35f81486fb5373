"""Runs asset-synchronization in the test's process and reads what it left behind."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from prefect import State

from deployments.blocks import sandbox_blocks, save_sandbox_blocks
from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox
from flows.asset_synchronization import asset_synchronization
from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.rules.asset_sync.report import SyncReport
from tasks.rules.asset_sync.safety import SafetyThresholds
from tasks.shared.results import RunFailedError
from tasks.shared.retry import Waiting

QUICK = Waiting(settle_seconds=2, pause_seconds=0.3, lease_seconds=25)

SAVED: dict[str, tuple[str, dict[str, str]]] = {}
"""For whose tests a server's blocks were saved last, and when each was changed then; by its address."""


async def save_once(server: LocalPrefect, whose: str, save: Callable[[], Awaitable[None]]) -> None:
    """Save blocks, unless nobody saved any since: saving takes as long as a short run.

    ``whose`` stands for what ``save`` saves: the same words mean the same blocks.
    """
    if (whose, await when_changed(server)) != SAVED.get(server.api_url):
        await save()
        SAVED[server.api_url] = (whose, await when_changed(server))


async def when_changed(server: LocalPrefect) -> dict[str, str]:
    """When each saved block was last changed, by id."""
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{server.api_url}/block_documents/filter", json={})
    return {each["id"]: each["updated"] for each in answer.raise_for_status().json()}


class FlowRunner:
    """The flow, the sandbox it runs against, and its ledger."""

    def __init__(self, sandbox: Sandbox, server: LocalPrefect, ledger: Path) -> None:
        self.sandbox = sandbox
        self.server = server
        self.ledger = ledger

    async def save_blocks(self, **connectwise: Any) -> None:
        await save_sandbox_blocks(self.sandbox.info, self.ledger, **connectwise)

    async def use_blocks(self) -> None:
        await save_once(self.server, f"asset synchronization, {self.ledger}", self.save_blocks)

    def new_world(self, **options: Any) -> None:
        """Reset the sandbox in the middle of a test; a ledger that remembers the old world would be right."""
        self.sandbox.reset(**options)
        for each in self.ledger.parent.glob(f"{self.ledger.name}*"):
            each.unlink()
        shutil.copyfile(self.ledger.with_name("empty.db"), self.ledger)

    def settings(self, **changes: Any) -> AssetSynchronizationSettings:
        values = {
            "company": self.sandbox.company,
            "dry_run": False,
            "ceilings": SafetyThresholds(go_on=True),
            "waiting": QUICK,
        }
        return AssetSynchronizationSettings(**(values | changes))

    async def state(self, **changes: Any) -> State[Any]:
        """Run the flow and answer its final state, whatever it is."""
        state: State[Any] = await asset_synchronization(self.settings(**changes), return_state=True)
        return state

    async def report(self, **changes: Any) -> SyncReport:
        """Run the flow and answer its report, also that of a run that ended with failures."""
        return await report_of(await self.state(**changes))

    @property
    def tenant(self) -> str:
        """The key of the sandbox's ConnectWise tenant."""
        connectwise, _, _ = sandbox_blocks(self.sandbox.info, self.ledger)
        return connectwise.settings().tenant_key

    @property
    def site_tenant(self) -> str:
        """The key of the sandbox's Lansweeper site."""
        _, lansweeper, _ = sandbox_blocks(self.sandbox.info, self.ledger)
        return lansweeper.settings().tenant_key(lansweeper.site_id)

    def configurations(self) -> list[dict[str, Any]]:
        """The configurations of the run's company as the server keeps them."""
        records = self.sandbox.state("company/configurations")
        return [each for each in records if each["company"]["id"] == self.sandbox.company_id]

    def asset_keys(self) -> Counter[str]:
        """How many configurations carry each asset key."""
        return Counter(key for each in self.configurations() if (key := custom_value(each, "ls_asset_id")))

    async def artifact(self, key: str) -> str:
        """The newest artifact of that key; Prefect's own client sends nulls that its server refuses."""
        body = {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC", "limit": 1}
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{self.server.api_url}/artifacts/filter", json=body)
        return str(answer.raise_for_status().json()[0]["data"])

    async def run_names(self, most: int = 5) -> list[str]:
        """The names of the newest flow runs."""
        body = {"sort": "START_TIME_DESC", "limit": most}
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{self.server.api_url}/flow_runs/filter", json=body)
        return [str(each["name"]) for each in answer.raise_for_status().json()]


async def ended_with(state: State[Any]) -> Any:
    """What a run returned, also that of a failed one; or the exception that ended it."""
    result = await state.aresult(raise_on_failure=False)
    return result.data if isinstance(result, RunFailedError) else result


async def report_of(state: State[Any]) -> SyncReport:
    """The report that a run ended with; an exception that ended it is raised."""
    result = await ended_with(state)
    if isinstance(result, Exception):
        raise result
    assert isinstance(result, SyncReport)
    return result


def custom_value(record: dict[str, Any], caption: str) -> Any:
    """The value of a configuration's custom field; None if it has none."""
    return next(
        (each.get("value") for each in record.get("customFields", []) if each["caption"] == caption), None
    )
