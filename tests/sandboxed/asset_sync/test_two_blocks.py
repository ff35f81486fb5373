"""Two blocks that lead to one tenant are one: lease, open batches, request budget, undo."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from prefect import State, get_client
from pydantic import SecretStr

from connectors.connectwise.block import ConnectWiseConnection
from connectors.ledger.models import WriteEntry
from connectors.ledger.store import Ledger
from flows.asset_synchronization import asset_synchronization
from flows.undo_run import undo_run
from tasks.asset_sync.create import recover_open_batches
from tasks.asset_sync.run import prepare_run
from tasks.shared.connections import connectwise_client, shared_connections
from tasks.shared.lease import CONNECTWISE, LeaseHeldError, lease_name, read_lease, writing_lease
from tasks.shared.retry import Waiting
from tests.support.faults import LEAN, opened
from tests.support.run_flow import QUICK, FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

OTHER = "other"
PATIENT = QUICK.model_copy(update={"lease_seconds": 60})
AT_ONCE = Waiting(settle_seconds=0, pause_seconds=0.05)


@pytest.fixture(autouse=True)
async def two_blocks(runner: FlowRunner) -> None:
    """A second block of the same tenant, spelt differently."""
    runner.sandbox.reset(assets=20)
    account = runner.sandbox.info["connectwise"]
    block = ConnectWiseConnection(
        site=f" {account['site'].replace('http', 'HTTP')}/v4_6_release/",
        company_id=account["company_id"].upper(),
        public_key=SecretStr(account["public_key"]),
        private_key=SecretStr(account["private_key"]),
        client_id=account["client_id"],
    )
    await block.save(OTHER, overwrite=True)


async def run(runner: FlowRunner, connectwise: str, **changes: Any) -> State[Any]:
    settings = runner.settings(mappings=LEAN, **changes)
    state: State[Any] = await asset_synchronization(settings, connectwise, return_state=True)
    return state


async def test_two_first_loads_at_once_through_two_blocks_create_nothing_twice(runner: FlowRunner) -> None:
    states: list[State[Any]] = []

    async def one(connectwise: str) -> None:
        states.append(await run(runner, connectwise, waiting=PATIENT))

    async with anyio.create_task_group() as group:
        group.start_soon(one, "default")
        group.start_soon(one, OTHER)
    assert [each.message for each in states if not each.is_completed()] == []
    assert set(runner.asset_keys().values()) == {1}
    assert len(runner.asset_keys()) > 10


async def test_the_second_run_is_told_who_holds_the_lease(runner: FlowRunner) -> None:
    impatient = QUICK.model_copy(update={"lease_seconds": 1})
    async with writing_lease(runner.tenant, runner.sandbox.company_id, connection="default"):
        state = await run(runner, OTHER, waiting=impatient)
    assert state.is_cancelled()
    assert "Another run writes to company" in str(state.message)


async def test_what_a_killed_run_left_is_recovered_through_the_other_block(runner: FlowRunner) -> None:
    company = runner.sandbox.company_id
    async with opened() as (client, ledger):
        run = await prepare_run(runner.settings(), "default", "default", client, ledger)
        await ledger.batches.open("killed", "default", company, ["never made"], 10**6, tenant=run.tenant)
        other = await prepare_run(runner.settings(waiting=AT_ONCE), OTHER, "default", client, ledger)
        assert await recover_open_batches(other) == 1
        assert await ledger.batches.in_flight(run.tenant, company, "default") == []


async def test_the_batch_of_an_older_version_is_taken_only_where_its_records_are(runner: FlowRunner) -> None:
    """It knew the block's name alone, and the block may have led elsewhere then."""
    company, key = runner.sandbox.company_id, "key of an asset"
    record = runner.configurations()[0]
    made = int(record["id"])
    fields = [
        each | ({"value": key} if each["caption"] == "ls_asset_id" else {}) for each in record["customFields"]
    ]
    runner.sandbox.edit("company/configurations", made, {"customFields": fields})
    async with opened() as (client, ledger):
        await ledger.batches.open("here", "default", company, [key, "not made"], made - 1)
        await ledger.batches.open("elsewhere", "default", company, ["made elsewhere"], made - 1)
        await ledger.batches.open("through a third", "third", company, [key], made - 1)
        run = await prepare_run(runner.settings(waiting=AT_ONCE), "default", "default", client, ledger)
        assert await recover_open_batches(run) == 2
        assert await recover_open_batches(run) == 0
        assert await ledger.batches.of_run("here") == []
        (aside,) = await ledger.batches.of_run("elsewhere")
        assert aside.asset_keys == ["made elsewhere"]
        (third,) = await ledger.batches.of_run("through a third")
        assert third.tenant is None


async def test_requests_through_both_blocks_count_for_one_budget(runner: FlowRunner) -> None:
    async with shared_connections():
        for name in ("default", OTHER):
            async with connectwise_client(name) as client:
                assert client.settings.tenant_key == runner.tenant
                await client.companies.count("deletedFlag = false")
    sent = runner.sandbox.requests()["connectwise"]["requests"]
    async with Ledger.open(runner.ledger) as ledger:
        assert await ledger.rate_limits.used(runner.tenant, 300.0) == sent >= 2


async def test_a_run_is_undone_through_the_other_block(runner: FlowRunner) -> None:
    before = len(runner.configurations())
    state = await run(runner, "default")
    made = len(runner.configurations()) - before
    assert made > 0
    undone: Any = await undo_run(
        str(state.state_details.flow_run_id), dry_run=False, connectwise=OTHER, return_state=True
    )
    assert undone.is_completed(), undone.message
    assert len(runner.configurations()) == before


async def test_a_run_of_another_tenant_is_not_undone(runner: FlowRunner) -> None:
    async with Ledger.open(runner.ledger) as ledger:
        entry = WriteEntry("modify", "configuration", 1, None, "PC", {"name": "a"}, {"name": "b"})
        await ledger.journal.begin("of another", "default", 6, [entry], tenant="connectwise:elsewhere:acme")
    state: Any = await undo_run("of another", return_state=True)
    assert state.is_failed()
    assert "holds no writes" in state.message
    assert "which leads to another tenant, but through 'default'" in state.message


async def test_the_lease_of_an_older_version_is_respected(runner: FlowRunner) -> None:
    """It named the lease by the block, and a run of it may still be at work."""
    company = runner.sandbox.company_id
    old = f"{CONNECTWISE}-writes-{OTHER}-company-{company}"
    async with writing_lease(runner.tenant, company, connection=OTHER):
        pass
    async with get_client() as client:
        await client.upsert_global_concurrency_limit_by_name(old, 1)
        await client.increment_concurrency_slots([old], slots=1, mode="concurrency")
    with pytest.raises(LeaseHeldError, match="Another run writes to company"):
        async with writing_lease(runner.tenant, company, 1, connection=OTHER):
            raise AssertionError("two write at once")
    assert (await read_lease(lease_name(runner.tenant, company))).taken == 0
    async with get_client() as client:
        await client.delete_global_concurrency_limit_by_name(old)
