"""Bulk Configuration Creation and Modification: the limit of 50, and an outcome for each record."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import UnclearOutcomeError
from deployments.local.sandbox import Sandbox
from tasks.connectwise.bulk_create_configurations import bulk_create_configurations
from tasks.connectwise.bulk_modify_configurations import bulk_modify_configurations
from tasks.rules.limits import LimitError

pytestmark = [pytest.mark.anyio, pytest.mark.prefect, pytest.mark.usefixtures("blocks")]

BULK = {"system": "connectwise", "path": "/company/configurations/bulk", "every": 1}


def record(sandbox: Sandbox, name: str, **members: Any) -> dict[str, Any]:
    kind = sandbox.state("company/configurations/types")[0]["id"]
    return {"name": name, "type": {"id": kind}, "company": {"id": sandbox.company_id}, **members}


def stored(sandbox: Sandbox) -> dict[int, dict[str, Any]]:
    return {each["id"]: each for each in sandbox.state("company/configurations")}


@pytest.mark.parametrize("task", [bulk_create_configurations, bulk_modify_configurations])
async def test_none_or_more_than_50_are_refused_before_any_request(sandbox: Sandbox, task: Any) -> None:
    for count in (0, 51):
        with pytest.raises(LimitError, match=f"{count} records in one request. Send 1 to 50."):
            await task("default", [{"id": 1, "name": "x"}] * count)
    assert sandbox.requests()["connectwise"]["requests"] == 0


async def test_fifty_are_created_with_one_request(sandbox: Sandbox) -> None:
    before = stored(sandbox)
    one = record(sandbox, "")
    sent = [one | {"name": f"PC {number}"} for number in range(50)]
    outcomes = await bulk_create_configurations("default", sent)
    made = stored(sandbox)
    assert [made[each.record_id]["name"] for each in outcomes if each.record_id] == [
        each["name"] for each in sent
    ]
    assert all(each.ok and each.index == index for index, each in enumerate(outcomes))
    assert len(made) == len(before) + 50
    assert sandbox.requests()["writes"] == 1


@pytest.mark.parametrize("shape", ["bulk_result", "array"])
async def test_a_record_that_is_refused_leaves_the_others(sandbox: Sandbox, shape: str) -> None:
    sandbox.switch(bulk_answer=shape)
    sent = [
        record(sandbox, "good 1"),
        {"name": "no type", "company": {"id": sandbox.company_id}},
        record(sandbox, "good 2"),
        record(sandbox, "n" * 101),
        record(sandbox, "no company", company={"id": 99_999}),
    ]
    outcomes = await bulk_create_configurations("default", sent)
    assert [each.ok for each in outcomes] == [True, False, True, False, False]
    names = {each["name"] for each in stored(sandbox).values()}
    assert {"good 1", "good 2"} <= names
    assert not {"no type", "no company", "n" * 101} & names
    assert "type" in outcomes[1].message
    assert "99999" in outcomes[4].message
    assert all(each.code for each in outcomes if not each.ok)


async def test_records_are_replaced_each_for_itself(sandbox: Sandbox) -> None:
    first, second, third = list(stored(sandbox).values())[:3]
    sent = [first | {"tagNumber": "T-1"}, second | {"type": {"id": 99_999}}, third | {"tagNumber": "T-3"}]
    outcomes = await bulk_modify_configurations("default", [*sent, record(sandbox, "x", id=99_999)])
    assert [each.ok for each in outcomes] == [True, False, True, False]
    now = stored(sandbox)
    assert (now[first["id"]]["tagNumber"], now[third["id"]]["tagNumber"]) == ("T-1", "T-3")
    assert now[second["id"]] == second
    assert now[first["id"]].get("notes") == first.get("notes")
    assert sandbox.requests()["writes"] == 1


async def test_a_batch_without_an_answer_is_sent_once(sandbox: Sandbox) -> None:
    sandbox.faults([BULK | {"method": "POST", "fault": {"kind": "drop_after"}}])
    sent = [record(sandbox, "only once")]
    with pytest.raises(UnclearOutcomeError):
        await bulk_create_configurations("default", sent)
    assert [each["name"] for each in stored(sandbox).values()].count("only once") == 1
