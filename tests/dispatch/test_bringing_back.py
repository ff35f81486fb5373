"""What the provider does comes back to the ticket: status, internal note, custom field, time entry, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployments.local_sandbox import Sandbox
from tasks.dispatch.bringing_back import bring_back
from tasks.dispatch.run import Result
from tests.dispatch.back_world import OPPORTUNITY, PROJECT, SERVICE, BackWorld, back_rules

pytestmark = pytest.mark.anyio


@pytest.fixture
def desk(sandbox: Sandbox, tmp_path: Path) -> BackWorld:
    return BackWorld(sandbox, tmp_path / "ledger.db")


def field_value(desk: BackWorld, ticket: int) -> Any:
    fields = desk.sandbox.state("system/userDefinedFields")
    [number] = {each["id"] for each in fields if each["caption"] == "FN check-in"}
    return desk.record(ticket).get("customFields", {}).get(str(number))


async def test_every_step_of_the_provider_comes_back_once(desk: BackWorld) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        before = len(desk.notes(ticket))
        desk.provider(number, "accept")
        assert (await bring_back(run, number)).did == ("status.name = Assigned",)
        assert desk.status(ticket) == "Assigned"
        desk.provider(number, "check-in", at="2026-12-01T14:00:00+00:00")
        assert (await bring_back(run, number)).result is Result.UPDATED
        desk.provider(number, "check-out", hours=2.5)
        desk.provider(number, "work-done", closing_notes="Swapped the radio")
        assert len((await bring_back(run, number)).did) == 2
        await run.field_nation.approve_work_order(number)
        assert (await bring_back(run, number)).did == ("status.name = Completed",)
        assert [(await bring_back(run, number)).result for _ in range(2)] == [Result.UNCHANGED] * 2
    assert desk.status(ticket) == "Completed"
    [note] = desk.notes(ticket)[before:]
    assert note.startswith(f"Work order {number} is complete. Swapped the radio")
    assert note.endswith(f"[FN-{number}-completed]")
    [entry] = desk.times(ticket)
    assert (entry["timeStart"], entry["timeEnd"]) == ("2026-12-01T14:00:00Z", "2026-12-01T16:30:00Z")
