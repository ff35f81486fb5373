"""Lists of reference records that come back empty or in part: refused before any write, with the numbers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.faults import LEAN, lose_ledger, rule
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

TYPES = "/company/configurations/types"
MAKERS = "/procurement/manufacturers"
MAPPING = LEAN | {"assetCustom.manufacturer": "manufacturer.name"}


def wrong(path: str, how: str, **when: Any) -> dict[str, Any]:
    return rule("GET", path, {"kind": "wrong_read", "how": how}, **when)


async def refused(runner: FlowRunner) -> str:
    runner.sandbox.clear_requests()
    state = await runner.state(mappings=MAPPING)
    assert runner.sandbox.requests()["writes"] == 0
    assert state.is_failed()
    return str(state.message)


def lists_asked(runner: FlowRunner) -> int:
    asked = runner.sandbox.requests()["connectwise"]["by"]
    return sum(number for name, number in asked.items() if TYPES in name or MAKERS in name)


async def test_a_list_is_held_against_configurations_earlier_runs_and_the_count(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=25)
    types = len(runner.sandbox.state(TYPES.strip("/")))
    # Nothing is known yet, but configurations refer to types that the list lacks.
    runner.sandbox.faults([wrong(TYPES, "half")])
    text = await refused(runner)
    assert f"Configuration types: {(types + 1) // 2} different ones were read" in text
    assert f"but the vendor counts {types}" in text
    assert "Configurations refer to such as the list lacks" in text
    runner.sandbox.faults([wrong(TYPES, "empty")])
    assert f"0 different ones were read, twice, but the vendor counts {types}" in await refused(runner)

    # Read wrong once is read again; and as nothing of it is in doubt later, it costs two requests.
    runner.sandbox.faults([wrong(TYPES, "half", nth=[1])])
    report = await runner.report(mappings=MAPPING)
    assert report.counts.created > 5
    runner.sandbox.faults([])
    runner.sandbox.clear_requests()
    report = await runner.report(mappings=MAPPING)
    assert (report.counts.created, report.counts.modified) == (0, 0)
    assert lists_asked(runner) == 2

    # The ledger knows how long both lists were, also where the count is wrong too.
    runner.sandbox.faults([wrong(MAKERS, "half")])
    assert "Manufacturers: " in await refused(runner)
    runner.sandbox.faults([wrong(MAKERS, "empty"), wrong(f"{MAKERS}/count", "empty")])
    text = await refused(runner)
    assert "known from the last reading" in text
    assert "set Accept once to references = " in text


async def test_a_type_in_use_that_neither_list_nor_count_shows_is_not_created_again(
    runner: FlowRunner,
) -> None:
    runner.sandbox.reset(assets=25)
    await runner.report(mappings=MAPPING)
    made = next(each for each in runner.configurations() if each["type"]["name"] == "ls_Windows")
    runner.sandbox.delete("company/configurations", made["id"])
    await lose_ledger()
    before = runner.sandbox.state(TYPES.strip("/"))
    runner.sandbox.faults([wrong(TYPES, "empty"), wrong(f"{TYPES}/count", "empty")])
    report = await runner.report(mappings=MAPPING)
    assert (report.counts.created, report.counts.skipped) == (0, 1)
    assert "configurations refer to it" in await runner.artifact("asset-synchronization-report")
    assert runner.sandbox.state(TYPES.strip("/")) == before
