"""Who holds the lease, as a refused run is told; slots without a holder are freed, those in use are not."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from prefect import flow, get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.client.schemas.objects import FlowRun, State
from prefect.runtime import flow_run
from prefect.states import Completed, Crashed, Running

from tasks.shared import lease
from tasks.shared.lease import LeaseHeldError, last_holder, lease_name, writing_lease

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

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


@pytest.mark.usefixtures("prefect_server")
async def test_a_running_holder_is_named() -> None:
    told, run = await refusal(1, Running())
    assert f": flow run {run.name} ({run.id}). Wait" in told


@pytest.mark.usefixtures("prefect_server")
async def test_a_holder_that_prefect_calls_crashed_is_named_as_such() -> None:
    told, run = await refusal(2, Crashed(message="No sign of life"))
    assert f"perhaps flow run {run.name} ({run.id}), which Prefect calls crashed" in told


@pytest.mark.usefixtures("prefect_server")
async def test_a_holder_that_could_not_take_its_last_sign_away_is_not_named() -> None:
    told, _ = await refusal(5, Completed())
    assert "a run that has just ended" in told


@pytest.mark.usefixtures("prefect_server")
async def test_a_holder_that_is_no_flow_run_has_no_name() -> None:
    async with writing_lease(CONNECTION, 3):
        with pytest.raises(LeaseHeldError, match="a run that has just ended"):
            async with writing_lease(CONNECTION, 3, wait_seconds=1):
                raise AssertionError("two hold the lease")


@pytest.mark.usefixtures("prefect_server")
async def test_a_run_that_holds_the_lease_is_found_by_it_and_no_longer_afterwards() -> None:
    @flow
    async def held() -> tuple[str, str | None]:
        async with writing_lease(CONNECTION, 4):
            holder = await last_holder(lease_name(CONNECTION, 4))
        return str(holder and holder.id), flow_run.id

    holder, own = await held()
    assert holder == own
    assert await last_holder(lease_name(CONNECTION, 4)) is None


async def state_of_last_holder(company_id: int, state: State[None]) -> State[None]:
    """What Prefect calls the run whose sign was left behind, after another one has had the lease."""
    async with get_client() as client:
        run = await client.create_flow_run(holding, state=state)
        sign = VariableCreate(name=lease_name(CONNECTION, company_id), value={"flow_run": str(run.id)})
        await client.create_variable(sign)
        async with writing_lease(CONNECTION, company_id):
            pass
        found = (await client.read_flow_run(run.id)).state
    assert found is not None
    return found


@pytest.mark.usefixtures("prefect_server")
async def test_a_running_run_that_left_its_sign_behind_is_marked_as_crashed_by_the_next_holder() -> None:
    state = await state_of_last_holder(6, Running())
    assert state.is_crashed()
    assert "start the flow again" in (state.message or "")


@pytest.mark.usefixtures("prefect_server")
async def test_a_run_that_has_ended_keeps_its_state_though_it_left_its_sign_behind() -> None:
    assert (await state_of_last_holder(7, Completed(message="Done"))).message == "Done"


FORGOTTEN = "forgotten-slots"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.3)
    monkeypatch.setattr(lease, "QUIET_SECONDS", 1.5)
    monkeypatch.setattr(lease, "FIRST_HEARTBEAT_SECONDS", 0.3)
    monkeypatch.setattr(lease, "FREED_SECONDS", 1.0)


async def forget_a_slot(company_id: int) -> None:
    """What a server leaves that was killed after it had counted the slot and before it noted the lease."""
    name = lease_name(FORGOTTEN, company_id)
    async with get_client() as client:
        await client.upsert_global_concurrency_limit_by_name(name, 1)
        taken = await client.increment_concurrency_slots([name], slots=1, mode="concurrency")
    assert len(taken.json()) == 1


async def taken_slots(company_id: int) -> int:
    return (await lease.read_lease(lease_name(FORGOTTEN, company_id))).taken


async def sign(company_id: int) -> object:
    return (await lease.read_lease(lease_name(FORGOTTEN, company_id))).heartbeat


@pytest.mark.usefixtures("prefect_server", "quick")
async def test_a_forgotten_slot_is_freed_by_the_run_that_waited_for_it() -> None:
    await forget_a_slot(1)
    async with writing_lease(FORGOTTEN, 1, wait_seconds=3):
        assert await taken_slots(1) == 1
        assert await sign(1)
    assert await taken_slots(1) == 0
    assert await sign(1) is None


@pytest.mark.usefixtures("prefect_server", "quick")
async def test_a_server_that_answers_late_gives_the_slot_to_the_run_that_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask = PrefectClient.increment_concurrency_slots_with_lease
    asked = []

    async def answered_late(client: PrefectClient, *given: Any, **named: Any) -> Any:
        asked.append(named)
        answer = await ask(client, *given, **named)
        await anyio.sleep(1.5)
        return answer

    monkeypatch.setattr(PrefectClient, "increment_concurrency_slots_with_lease", answered_late)
    async with writing_lease(FORGOTTEN, 7, wait_seconds=4):
        assert await taken_slots(7) == 1
    assert len(asked) == 1
    assert await taken_slots(7) == 0


@pytest.mark.usefixtures("prefect_server", "quick")
async def test_who_waits_shorter_than_a_lease_lives_is_refused() -> None:
    await forget_a_slot(2)
    with pytest.raises(LeaseHeldError):
        async with writing_lease(FORGOTTEN, 2, wait_seconds=2):
            raise AssertionError("freed too early")


@pytest.mark.usefixtures("prefect_server", "quick")
async def test_a_silent_holder_that_prefect_calls_running_is_left_alone() -> None:
    await forget_a_slot(6)
    async with get_client() as client:
        run = await client.create_flow_run(holding, state=Running())
        sign = VariableCreate(name=lease_name(FORGOTTEN, 6), value={"flow_run": str(run.id)})
        await client.create_variable(sign)
    with pytest.raises(LeaseHeldError, match="Another run writes"):
        async with writing_lease(FORGOTTEN, 6, wait_seconds=3):
            raise AssertionError("two hold the lease")


@pytest.mark.usefixtures("prefect_server", "quick")
async def test_a_holder_that_gives_signs_keeps_its_slot() -> None:
    async with writing_lease(FORGOTTEN, 3):
        before = await sign(3)
        with pytest.raises(LeaseHeldError):
            async with writing_lease(FORGOTTEN, 3, wait_seconds=4):
                raise AssertionError("two hold the lease")
        assert await sign(3) not in (None, before)
        assert await taken_slots(3) == 1


@pytest.mark.usefixtures("prefect_server", "quick")
@pytest.mark.slow
async def test_of_two_that_wait_for_a_forgotten_slot_one_gets_it() -> None:
    await forget_a_slot(4)
    got, refused, most = [], [], 0
    inside = 0

    async def wait() -> None:
        nonlocal inside, most
        try:
            async with writing_lease(FORGOTTEN, 4, wait_seconds=3):
                inside += 1
                most = max(most, inside)
                got.append(1)
                await anyio.sleep(3)  # Longer than the other waits for a slot that was freed.
                inside -= 1
        except LeaseHeldError:
            refused.append(1)

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        group.start_soon(wait)
    assert (len(got), len(refused), most) == (1, 1, 1)


@pytest.mark.usefixtures("prefect_server", "quick")
async def test_a_sign_that_somebody_took_away_comes_back() -> None:
    async with writing_lease(FORGOTTEN, 5):
        async with get_client() as client:
            await client.delete_variable_by_name(lease_name(FORGOTTEN, 5))
        with anyio.fail_after(5):
            while await sign(5) is None:  # noqa: ASYNC110 - the server tells nobody of it
                await anyio.sleep(0.1)
