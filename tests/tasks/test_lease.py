"""Who holds the lease, as a refused run is told."""

from __future__ import annotations

import pytest
from prefect import flow, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Completed, Crashed, Running

from tasks.synchronization.lease import LeaseHeldError, lease_name, writing_lease

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]
CONNECTION = "names-of-holders"


@flow
def holding() -> None:
    """Stands for a run that has held the lease; it is never started."""


async def a_run(company_id: int, state: State[None]) -> FlowRun:
    async with get_client() as client:
        tag = lease_name(CONNECTION, company_id)
        # Prefect takes the time of the first Running as the start.
        run = await client.create_flow_run(holding, tags=[tag], state=Running())
        await client.set_flow_run_state(run.id, state, force=True)
        return run


async def refusal(company_id: int) -> str:
    """What a run is told that asks while the lease is held by somebody else."""
    async with writing_lease(CONNECTION, company_id):
        with pytest.raises(LeaseHeldError) as refused:
            async with writing_lease(CONNECTION, company_id, wait_seconds=1):
                raise AssertionError("two hold the lease")
    return str(refused.value)


@pytest.mark.usefixtures("prefect_server")
async def test_a_holder_that_prefect_calls_crashed_is_named_as_such() -> None:
    run = await a_run(1, Crashed(message="No sign of life"))
    assert f"perhaps flow run {run.name} ({run.id}), which Prefect calls crashed" in await refusal(1)


@pytest.mark.usefixtures("prefect_server")
async def test_a_running_holder_is_named_before_a_crashed_one() -> None:
    running = await a_run(2, Running())
    await a_run(2, Crashed())
    told = await refusal(2)
    assert f": flow run {running.name} ({running.id}). Wait" in told


@pytest.mark.usefixtures("prefect_server")
async def test_a_crashed_run_that_another_one_followed_is_not_the_holder() -> None:
    await a_run(3, Crashed())
    await a_run(3, Completed())
    assert "a run that has just ended" in await refusal(3)
