"""The cross flow that makes the missing custom fields: dry, once, beside somebody else, through faults."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from connectors.errors import StopError, UnclearOutcomeError
from connectors.ledger.store import Ledger
from flows.lansweeper_custom_fields import ARTIFACT_KEY, lansweeper_custom_fields
from tasks.enrichment.custom_fields import custom_field_keys
from tasks.rules.enrichment.texts import FIELD_TYPES, CustomFieldKeys
from tasks.shared.connections import lansweeper_client, shared_connections
from tasks.shared.create_once import ATTEMPTS
from tasks.shared.retry import Waiting
from tests.support.faults import last_writes
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

QUICK = Waiting(settle_seconds=1, pause_seconds=0.1)
FEW = ("cw_total_tickets", "cw_sla")
"""Left to be made by most tests: each costs several tasks."""


def fields_of(runner: FlowRunner) -> list[tuple[str, str]]:
    """Name and type of the site's documented fields, as the server keeps them."""
    found = runner.sandbox.state("lansweeper/customFields")
    return sorted((each["name"], each["type"]) for each in found if each["name"].lower().startswith("cw_"))


async def make() -> CustomFieldKeys:
    async with shared_connections():
        return await custom_field_keys("default", "", create=True, waiting=QUICK)


async def preset(*fields: tuple[str, str]) -> list[str]:
    """Make these fields (name, type) past Prefect; their keys."""
    async with lansweeper_client("default") as client:
        site = (await client.site())["id"]
        return [(await client.create_custom_field(site, *each))["key"] for each in fields]


@pytest.fixture
async def few_missing(runner: FlowRunner) -> FlowRunner:
    """A site on which only ``FEW`` fields are missing."""
    await preset(*(each for each in FIELD_TYPES.items() if each[0] not in FEW))
    return runner


def creation(fault: dict[str, Any], **when: Any) -> dict[str, Any]:
    return {"system": "lansweeper", "path": "createCustomField", "fault": fault, **when}


async def test_a_dry_run_shows_what_is_missing_and_the_next_makes_it_once(runner: FlowRunner) -> None:
    sandbox = runner.sandbox
    dry = await lansweeper_custom_fields()
    assert (dry.missing, dry.created) == (list(FIELD_TYPES), [])
    assert "would be made" in await runner.artifact(ARTIFACT_KEY)
    assert sandbox.requests()["writes"] == 0
    made = await lansweeper_custom_fields(dry_run=False)
    assert (made.missing, made.warnings) == ([], [])
    assert made.created == list(FIELD_TYPES)
    assert fields_of(runner) == sorted(FIELD_TYPES.items())
    keys = {each["name"]: each["key"] for each in sandbox.state("lansweeper/customFields")}
    assert made.keys.items() <= keys.items()
    sandbox.clear_requests()
    again = await lansweeper_custom_fields(dry_run=False)
    assert (again.keys, again.created) == (made.keys, [])
    assert sandbox.requests()["writes"] == 0
    async with Ledger.open(runner.ledger) as ledger:
        writes = await last_writes(ledger)
    assert [write.outcome for write in writes] == ["done"] * 11
    assert [write.id for write in writes] == list(range(1, 12))


async def test_two_of_one_name_are_told_and_no_third_is_made(runner: FlowRunner) -> None:
    others = [each for each in FIELD_TYPES.items() if each[0] not in ("cw_sla", "cw_open_tickets")]
    first, *_ = await preset(("CW_SLA", "INPUT"), ("cw_open_tickets", "INPUT"), *others)
    (second,) = await preset(("cw_sla", "TEXTAREA"))
    fields = await make()
    assert (fields.keys["cw_sla"], fields.created) == (second, [])
    assert first not in fields.keys.values()
    assert len(fields_of(runner)) == 12
    told = "; ".join(fields.warnings)
    assert "2 custom fields named cw_sla" in told
    assert "cw_open_tickets has the type INPUT in Lansweeper, not NUMERIC" in told


@pytest.mark.slow
async def test_two_runs_at_once_end_with_the_same_keys(few_missing: FlowRunner) -> None:
    results: list[CustomFieldKeys] = []

    async def run() -> None:
        results.append(await make())

    async with anyio.create_task_group() as runs:
        runs.start_soon(run)
        runs.start_soon(run)
    first, second = results
    third = await make()
    assert (third.created, third.missing) == ([], [])
    assert len(fields_of(few_missing)) == len(FIELD_TYPES)
    assert first.keys == second.keys == third.keys


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_after"},
        pytest.param({"kind": "drop_before"}, marks=pytest.mark.slow),
        pytest.param({"kind": "late", "delay": 0.4}, marks=pytest.mark.slow),
        pytest.param({"kind": "status", "status": 502}, marks=pytest.mark.slow),
    ],
    ids=["drop_after", "drop_before", "late", "status"],
)
async def test_a_creation_without_an_answer_makes_no_second_field(
    few_missing: FlowRunner, fault: dict[str, Any]
) -> None:
    few_missing.sandbox.faults([creation(fault, nth=[1])])
    fields = await make()
    assert not fields.missing
    assert fields_of(few_missing) == sorted(FIELD_TYPES.items())


@pytest.mark.slow
async def test_a_creation_that_is_never_answered_is_given_up(few_missing: FlowRunner) -> None:
    few_missing.sandbox.faults([creation({"kind": "drop_before"})])
    with pytest.raises(UnclearOutcomeError):
        await make()
    assert few_missing.sandbox.requests()["lansweeper"]["by"]["createCustomField"] == 9 + ATTEMPTS


async def test_a_refused_field_is_missing_and_told(few_missing: FlowRunner) -> None:
    body = {"errors": [{"message": "no more fields, please"}]}
    few_missing.sandbox.faults([creation({"kind": "status", "status": 400, "body": body}, nth=[1])])
    fields = await make()
    assert (fields.missing, fields.created) == (["cw_total_tickets"], ["cw_sla"])
    assert any("cw_total_tickets was not made: no more fields, please" in each for each in fields.warnings)


@pytest.mark.slow
async def test_a_role_that_may_not_make_fields_stops_the_run(few_missing: FlowRunner) -> None:
    few_missing.sandbox.switch(denied=["lansweeper/createCustomField"])
    with pytest.raises(StopError, match="role"):
        await make()
    assert len(fields_of(few_missing)) == 9
