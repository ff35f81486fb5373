"""The four flows of reference data: typed levels are checked, and a short list creates nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from flows.reference_data import location_flow, status_flow, type_flow
from tasks.rules.asset_sync.references import ReferencePlan
from tests.support.faults import rule
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

TYPES = "company/configurations/types"


@pytest.mark.parametrize("create", [True, False])
async def test_a_structure_level_that_does_not_exist_is_refused(runner: FlowRunner, create: bool) -> None:
    state: Any = await location_flow(["Tampa"], structure_level_id=77, create=create, return_state=True)
    assert "Structure level id is 77" in str(state.message)
    assert runner.sandbox.requests()["writes"] == 0


async def test_a_name_that_a_short_list_lacks_is_not_created_again(runner: FlowRunner) -> None:
    runner.sandbox.add(TYPES, {"name": "Kiosk"})
    before = runner.sandbox.state(TYPES)
    short = {"kind": "wrong_read", "how": "empty", "keep": 1}
    runner.sandbox.faults([rule("GET", f"/{TYPES}", short)])
    state: Any = await type_flow(["Kiosk"], create=True, return_state=True)
    assert f"Configuration types: ConnectWise counts {len(before)} and gave 1, twice" in str(state.message)
    assert runner.sandbox.state(TYPES) == before
    runner.sandbox.faults([rule("GET", f"/{TYPES}", short, nth=[1])])
    found: ReferencePlan = await type_flow(["Kiosk"], create=True)
    assert found.id_of("kiosk")
    assert runner.sandbox.state(TYPES) == before
    made: ReferencePlan = await status_flow(["On loan"], create=True)
    assert made.id_of("On loan")
