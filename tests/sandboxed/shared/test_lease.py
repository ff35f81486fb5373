"""Who holds the lease, as a refused run is told."""

from __future__ import annotations

import pytest
from prefect import flow, get_client
from prefect.client.schemas.actions import VariableUpdate
from prefect.client.schemas.objects import FlowRun, State
from prefect.runtime import flow_run
from prefect.states import Completed, Crashed, Running

from tasks.shared.lease import LeaseHeldError, last_holder, lease_name, writing_lease

pytestmark = [pytest.mark.anyio, pytest.mark.prefect, pytest.mark.usefixtures("prefect_server")]
CONNECTION = "names-of-holders"


@flow
def holding() -> None:
    """Stands for a run that holds the lease; it is never started."""


async def refusal(company_id: int, state: State[None]) -> tuple[str, FlowRun]:
    """What a run is told while another one holds the lease that Prefect calls so."""
    name = lease_name(CONNECTION, company_id)
    async with writing_lease(CONNECTION, company_id), get_client() as client:
        run = await client.create_flow_run(holding, state=state)
        await client.update_variable(VariableUpdate(name=name, value={"flow_run": str(run.id)}))
        with pytest.raises(LeaseHeldError) as refused:
            async with writing_lease(CONNECTION, company_id, wait_seconds=1):
                raise AssertionError("two hold the lease")
    return str(refused.value), run


async def test_a_running_holder_is_named() -> None:
    told, run = await refusal(1, Running())
    assert f": flow run {run.name} ({run.id}). Wait" in told


async def test_a_holder_that_prefect_calls_crashed_is_named_as_such() -> None:
    told, run = await refusal(2, Crashed(message="No sign of life"))
    assert f"perhaps flow run {run.name} ({run.id}), which Prefect calls crashed" in told


async def test_a_holder_that_could_not_take_its_last_sign_away_is_not_named() -> None:
    told, _ = await refusal(5, Completed())
    assert "a run that has just ended" in told


async def test_a_holder_that_is_no_flow_run_has_no_name() -> None:
    async with writing_lease(CONNECTION, 3):
        with pytest.raises(LeaseHeldError, match="a run that has just ended"):
            async with writing_lease(CONNECTION, 3, wait_seconds=1):
                raise AssertionError("two hold the lease")


async def test_a_run_that_holds_the_lease_is_found_by_it_and_no_longer_afterwards() -> None:
    @flow
    async def held() -> tuple[str, str | None]:
        async with writing_lease(CONNECTION, 4):
            holder = await last_holder(lease_name(CONNECTION, 4))
        return str(holder and holder.id), flow_run.id

    holder, own = await held()
    assert holder == own
    assert await last_holder(lease_name(CONNECTION, 4)) is None
