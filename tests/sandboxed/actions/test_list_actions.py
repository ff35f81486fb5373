"""The List actions: the documented paging table, conditions as typed, the vendor's own refusals."""

from __future__ import annotations

from typing import Any

import pytest
from prefect import Task

from connectors.errors import RejectedError, StopError
from deployments.local.sandbox import Sandbox
from tasks.connectwise.list_companies import list_companies
from tasks.connectwise.list_configuration_status import list_configuration_status
from tasks.connectwise.list_configuration_types import list_configuration_types
from tasks.connectwise.list_configurations import list_configurations
from tasks.connectwise.list_locations import list_locations
from tasks.connectwise.list_manufacturers import list_manufacturers

pytestmark = [pytest.mark.anyio, pytest.mark.prefect, pytest.mark.usefixtures("blocks")]

LISTS: dict[str, Task[..., Any]] = {
    "company/companies": list_companies,
    "company/configurations": list_configurations,
    "company/configurations/statuses": list_configuration_status,
    "company/configurations/types": list_configuration_types,
    "procurement/manufacturers": list_manufacturers,
    "system/locations": list_locations,
}


def ids(records: list[dict[str, Any]]) -> list[int]:
    return [each["id"] for each in records]


async def refusal(task: Task[..., Any], **inputs: Any) -> str:
    with pytest.raises(RejectedError) as caught:
        await task("default", **inputs)
    return str(caught.value)


async def test_the_documented_paging_table(sandbox: Sandbox) -> None:
    sandbox.reset(assets=900)
    every = sorted(ids(sandbox.state("company/configurations")))
    assert len(every) > 400
    assert sorted(ids(await list_configurations("default"))) == every
    for page, page_size, first, last in [
        (2, None, 26, 50),
        (2, 100, 101, 200),
        (2, 200, 201, 400),
        (None, 300, 1, 300),
        (1, 1000, 1, len(every)),
    ]:
        found = await list_configurations("default", page=page, page_size=page_size)
        assert ids(found) == every[first - 1 : last]
    # The page's odd row: of 300 records page 2 of 200 holds only 100.
    row = {"conditions": f"id <= {every[299]}", "page": 2, "page_size": 200}
    assert ids(await list_configurations("default", **row)) == every[200:300]
    assert await list_configurations("default", page=99, page_size=1000) == []


@pytest.mark.parametrize("collection", LISTS)
async def test_every_list_reads_all_or_one_page(sandbox: Sandbox, collection: str) -> None:
    every = sorted(ids(sandbox.state(collection)))
    task = LISTS[collection]
    assert sorted(ids(await task("default"))) == every
    assert ids(await task("default", page=2, page_size=1)) == every[1:2]
    wanted = every[-1]
    assert ids(await task("default", conditions=f"id={wanted}")) == [wanted]


async def test_page_sizes_that_are_not_possible_are_refused_before_any_request(sandbox: Sandbox) -> None:
    for task in LISTS.values():
        for page_size in (1001, 0):
            text = await refusal(task, page_size=page_size)
            assert f"A page size of {page_size} is not possible: ConnectWise gives 1 to 1000" in text
            assert "Leave both page and page size empty" in text
    assert "Page 0 does not exist" in await refusal(list_locations, page=0)
    assert sandbox.requests()["connectwise"]["requests"] == 0


async def test_conditions_pass_through_as_typed(sandbox: Sandbox) -> None:
    makers = sandbox.state("procurement/manufacturers")
    with_e = [each["id"] for each in makers if "e" in each["name"].lower()]
    typed = 'name like "%e%"  AND  ( id > 0 OR name = "it\'s \\"so\\" & 100% ürgent" )'
    assert ids(await list_manufacturers("default", conditions=typed)) == sorted(with_e)
    company = f'company/identifier = "{sandbox.company}" and activeFlag = false'
    inactive = [
        each["id"]
        for each in sandbox.state("company/configurations")
        if each["company"]["id"] == sandbox.company_id and not each["activeFlag"]
    ]
    assert sorted(ids(await list_configurations("default", conditions=company))) == sorted(inactive)


async def test_custom_field_conditions_find_what_carries_a_value(sandbox: Sandbox) -> None:
    one = sandbox.state("company/configurations")[0]
    fields = [
        each | ({"value": "K-1"} if each["caption"] == "ls_asset_id" else {}) for each in one["customFields"]
    ]
    sandbox.edit("company/configurations", one["id"], {"customFields": fields})
    search = 'caption="ls_asset_id" AND value = "K-1"'
    assert ids(await list_configurations("default", custom_field_conditions=search)) == [one["id"]]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"conditions": "name = "}, "ApiFindCondition"),
        ({"conditions": "nosuch = 1"}, "nosuch is not a recognized name"),
        ({"child_conditions": 'x/y = "1"'}, "x/y is not a recognized name"),
        ({"custom_field_conditions": "caption="}, "ApiFindCondition"),
    ],
)
async def test_a_condition_the_vendor_refuses_is_told_in_its_words(
    inputs: dict[str, str], words: str
) -> None:
    text = await refusal(list_configurations, **inputs)
    assert words in text
    assert "Check the field names in the conditions." in text


async def test_a_connection_that_is_not_there_is_named() -> None:
    with pytest.raises(StopError, match="no connectwise-psa-connection block named 'nope'"):
        await list_locations("nope")
