"""The ConnectWise actions: documented paging and limits, the vendor's refusals, outcomes by record."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from prefect import Task

from connectors.errors import RejectedError, RetryableError, StopError, UnclearOutcomeError
from deployments.local.sandbox import Sandbox
from tasks.connectwise.bulk_create_configurations import bulk_create_configurations
from tasks.connectwise.bulk_modify_configurations import bulk_modify_configurations
from tasks.connectwise.create_configuration_status import create_configuration_status
from tasks.connectwise.create_configuration_type import create_configuration_type
from tasks.connectwise.create_location import create_location
from tasks.connectwise.create_manufacturer import create_manufacturer
from tasks.connectwise.list_agreements_for_configurations import list_agreements_for_configurations
from tasks.connectwise.list_companies import list_companies
from tasks.connectwise.list_configuration_status import list_configuration_status
from tasks.connectwise.list_configuration_types import list_configuration_types
from tasks.connectwise.list_configurations import list_configurations
from tasks.connectwise.list_locations import list_locations
from tasks.connectwise.list_manufacturers import list_manufacturers
from tasks.connectwise.list_tickets_for_configurations import list_tickets_for_configurations
from tasks.rules.limits import LimitError

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


async def test_child_conditions_find_what_has_such_an_item(sandbox: Sandbox) -> None:
    first, second, *_ = sandbox.state("company/configurations")
    for record, answer in ((first, "Rack 7"), (second, "Rack 8")):
        questions = [{"questionId": 1, "question": "Where?", "answer": answer}]
        sandbox.edit("company/configurations", record["id"], {"questions": questions})
    search = 'questions/answer = "Rack 7"'
    assert ids(await list_configurations("default", child_conditions=search)) == [first["id"]]
    both = {"conditions": f"id = {second['id']}", "child_conditions": search}
    assert await list_configurations("default", **both) == []


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


LONGEST = "Größte " + "n" * 43


def stored(sandbox: Sandbox, collection: str, record: dict[str, Any]) -> dict[str, Any]:
    return next(each for each in sandbox.state(collection) if each["id"] == record["id"])


async def test_types_and_manufacturers_are_created_with_names_of_50_characters(sandbox: Sandbox) -> None:
    assert len(LONGEST) == 50
    kind = await create_configuration_type("default", f" {LONGEST} ")
    maker = await create_manufacturer("default", LONGEST)
    assert stored(sandbox, "company/configurations/types", kind)["name"] == kind["name"] == LONGEST
    assert stored(sandbox, "procurement/manufacturers", maker)["name"] == maker["name"] == LONGEST
    assert sandbox.requests()["writes"] == 2


@pytest.mark.parametrize("level", [2, "2", " 2 "])
async def test_a_location_is_created_on_its_structure_level(sandbox: Sandbox, level: Any) -> None:
    made = await create_location("default", "test-location", level)
    record = stored(sandbox, "system/locations", made)
    assert (record["name"], record["structureLevel"]["id"]) == ("test-location", 2)


async def test_a_status_is_created_with_its_flags(sandbox: Sandbox) -> None:
    plain = await create_configuration_status("default", "test-active")
    flagged = await create_configuration_status(
        "default", "test-retired", closed_flag=True, default_flag=True
    )
    for made, description, flags in [(plain, "test-active", False), (flagged, "test-retired", True)]:
        record = stored(sandbox, "company/configurations/statuses", made)
        assert (record["description"], record["closedFlag"], record["defaultFlag"]) == (
            description,
            flags,
            flags,
        )


async def test_inputs_beyond_the_documented_limits_are_refused_before_any_request(sandbox: Sandbox) -> None:
    long = LONGEST + "n"
    refused = [
        (lambda: create_configuration_type("default", long), "Name of the configuration type has 51"),
        (lambda: create_manufacturer("default", long), "Name of the manufacturer has 51"),
        (lambda: create_location("default", long, 1), "Name of the location has 51"),
        (lambda: create_configuration_status("default", long), "Description of the status has 51"),
        (lambda: create_manufacturer("default", " "), "Name of the manufacturer is empty"),
        (lambda: create_location("default", "here", "Level 1"), "Structure Level Id is 'Level 1'"),
        (lambda: create_location("default", "here", 0), "Structure Level Id is '0'"),
    ]
    for call, words in refused:
        with pytest.raises(LimitError, match=words):
            await call()
    assert sandbox.requests()["connectwise"]["requests"] == 0


async def test_what_exists_already_is_refused_in_the_vendors_words(sandbox: Sandbox) -> None:
    kind = sandbox.state("company/configurations/types")[0]["name"]
    status = sandbox.state("company/configurations/statuses")[0]["description"]
    maker = sandbox.state("procurement/manufacturers")[0]["name"]
    calls = [
        lambda: create_configuration_type("default", kind),
        lambda: create_configuration_status("default", status),
        lambda: create_manufacturer("default", maker),
    ]
    for call in calls:
        with pytest.raises(RejectedError) as caught:
            await call()
        assert "ObjectExists" in {caught.value.code, *(each.code for each in caught.value.details)}
        assert "already exists" in str(caught.value)


async def test_a_structure_level_that_does_not_exist_is_named() -> None:
    with pytest.raises(RejectedError, match="CorporateStructureLevel 9999 not found"):
        await create_location("default", "somewhere", 9999)


async def test_a_creation_without_an_answer_is_sent_once_and_said_to_be_unclear(sandbox: Sandbox) -> None:
    rule = {"system": "connectwise", "method": "POST", "path": "/procurement/manufacturers"}
    sandbox.faults([rule | {"every": 1, "fault": {"kind": "drop_after"}}])
    with pytest.raises(UnclearOutcomeError):
        await create_manufacturer("default", "Cray")
    assert [each["name"] for each in sandbox.state("procurement/manufacturers")].count("Cray") == 1


BULK = {"system": "connectwise", "path": "/company/configurations/bulk", "every": 1}


def record(sandbox: Sandbox, name: str, **members: Any) -> dict[str, Any]:
    kind = sandbox.state("company/configurations/types")[0]["id"]
    return {"name": name, "type": {"id": kind}, "company": {"id": sandbox.company_id}, **members}


def configurations(sandbox: Sandbox) -> dict[int, dict[str, Any]]:
    return {each["id"]: each for each in sandbox.state("company/configurations")}


@pytest.mark.parametrize("task", [bulk_create_configurations, bulk_modify_configurations])
async def test_none_or_more_than_50_are_refused_before_any_request(sandbox: Sandbox, task: Any) -> None:
    for count in (0, 51):
        with pytest.raises(LimitError, match=f"{count} records in one request. Send 1 to 50."):
            await task("default", [{"id": 1, "name": "x"}] * count)
    assert sandbox.requests()["connectwise"]["requests"] == 0


async def test_fifty_are_created_with_one_request(sandbox: Sandbox) -> None:
    before = configurations(sandbox)
    one = record(sandbox, "")
    sent = [one | {"name": f"PC {number}"} for number in range(50)]
    outcomes = await bulk_create_configurations("default", sent)
    made = configurations(sandbox)
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
    names = {each["name"] for each in configurations(sandbox).values()}
    assert {"good 1", "good 2"} <= names
    assert not {"no type", "no company", "n" * 101} & names
    assert "type" in outcomes[1].message
    assert "99999" in outcomes[4].message
    assert all(each.code for each in outcomes if not each.ok)


async def test_records_are_replaced_each_for_itself(sandbox: Sandbox) -> None:
    first, second, third = list(configurations(sandbox).values())[:3]
    sent = [first | {"tagNumber": "T-1"}, second | {"type": {"id": 99_999}}, third | {"tagNumber": "T-3"}]
    outcomes = await bulk_modify_configurations("default", [*sent, record(sandbox, "x", id=99_999)])
    assert [each.ok for each in outcomes] == [True, False, True, False]
    now = configurations(sandbox)
    assert (now[first["id"]]["tagNumber"], now[third["id"]]["tagNumber"]) == ("T-1", "T-3")
    assert now[second["id"]] == second
    assert now[first["id"]].get("notes") == first.get("notes")
    assert sandbox.requests()["writes"] == 1


async def test_a_batch_without_an_answer_is_sent_once(sandbox: Sandbox) -> None:
    sandbox.faults([BULK | {"method": "POST", "fault": {"kind": "drop_after"}}])
    sent = [record(sandbox, "only once")]
    with pytest.raises(UnclearOutcomeError):
        await bulk_create_configurations("default", sent)
    assert [each["name"] for each in configurations(sandbox).values()].count("only once") == 1


PAGE_INPUT = json.loads("""
[
  {
    "id": 10585,
    "name": "1756-EafgN/C 2178921900",
    "type": {"id": 139, "name": "ls_OT"},
    "status": {"id": 34, "name": "ls_Don't show"},
    "company": {"id": 6, "identifier": "BlueLightCo", "name": "Blue Light, Co."},
    "serialNumber": "00d0c39f",
    "modelNumber": "1756-EN678/D",
    "purchaseDate": "2025-10-11T07:35:18Z",
    "warrantyExpirationDate": "2025-10-09T07:34:42Z",
    "macAddress": "00:1D:9C:D1:F6:DF",
    "billFlag": false,
    "ipAddress": "166.139.180.82",
    "customFields": [
      {"id": 5, "caption": "ls_asset_id", "type": "Text"},
      {"id": 6, "caption": "ls_asset_url", "type": "Text"},
      {"id": 7, "caption": "ls_software", "type": "TextArea"}
    ]
  }
]
""")
HEAD = {"id": 10585, "name": "1756-EafgN/C 2178921900", "customFields": {"ls_asset_id": None}}
"""The page's sample configuration, whose custom fields have no values."""


async def company_configurations(sandbox: Sandbox) -> list[dict[str, Any]]:
    sandbox.reset(assets=30, scenario="enrichment", agreements=6, tickets=40)
    return await list_configurations("default", f"company/id={sandbox.company_id}")


async def test_the_pages_own_input_works() -> None:
    agreements = await list_agreements_for_configurations("default", PAGE_INPUT)
    assert agreements == [HEAD | {"sla": None, "agreements": []}]
    tickets = await list_tickets_for_configurations("default", PAGE_INPUT)
    totals = {"totalTickets": 0, "openTickets": 0, "closedTickets": 0}
    assert tickets == [HEAD | {"tickets": [], "ticketsInfo": totals}]


async def test_agreements_are_those_that_the_server_holds(sandbox: Sandbox) -> None:
    payload = await company_configurations(sandbox)
    answer = await list_agreements_for_configurations("default", payload)
    assert [each["id"] for each in answer] == [each["id"] for each in payload]
    stored = {each["id"]: each for each in sandbox.state("finance/agreements")}
    links = sandbox.state("finance/agreements/configurations")
    for each in answer:
        held = {link["agreementId"] for link in links if link["configurationId"] == each["id"]}
        assert {agreement["id"] for agreement in each["agreements"]} == held
    (first, *_) = [agreement for each in answer for agreement in each["agreements"]]
    assert list(first) == ["id", "name", "startDate", "endDate", "agreementStatus", "type"]
    day = datetime.fromisoformat(stored[first["id"]]["startDate"])
    assert first["startDate"] == f"{day:%d/%m/%Y}"
    assert first["type"]["_info"]["type_href"].endswith(f"/finance/agreements/types/{first['type']['id']}")
    assert {each["customFields"]["ls_asset_id"] for each in answer} > {None}
    slas = [each["sla"]["name"] for each in answer if each["sla"]]
    assert slas


async def test_tickets_of_both_kinds_with_their_totals(sandbox: Sandbox) -> None:
    payload = await company_configurations(sandbox)
    answer = await list_tickets_for_configurations("default", payload)
    assert [each["id"] for each in answer] == [each["id"] for each in payload]
    kinds = {ticket["recordType"] for each in answer for ticket in each["tickets"]}
    assert kinds >= {"ServiceTicket", "ProjectTicket"}
    for each in answer:
        closed = [ticket for ticket in each["tickets"] if ticket["closedFlag"]]
        total = len(each["tickets"])
        assert each["ticketsInfo"] == {
            "totalTickets": total,
            "openTickets": total - len(closed),
            "closedTickets": len(closed),
        }
    (first, *_) = [ticket for each in answer for ticket in each["tickets"]]
    assert list(first) == ["id", "summary", "recordType", "status", "closedFlag"]
    assert list(first["status"]) == ["id", "name", "Sort", "_info"]
    assert f"/statuses/{first['status']['id']}" in first["status"]["_info"]["status_href"]
    assert sandbox.requests()["writes"] == 0


async def test_a_configuration_without_company_is_refused_before_anything_is_asked(sandbox: Sandbox) -> None:
    with pytest.raises(RejectedError, match=r"Configuration 2 of the payload has no id or no company\.id"):
        await list_tickets_for_configurations("default", [PAGE_INPUT[0], {"id": 5}])
    assert sandbox.requests()["total"] == 0


async def test_a_long_wait_that_the_vendor_asks_for_is_a_retry_of_the_task(sandbox: Sandbox) -> None:
    """Last, since the ledger of this module keeps the pause: whatever followed would wait for it."""
    wait = {"kind": "status", "status": 429, "headers": {"Retry-After": "100"}}
    rule = {"system": "connectwise", "method": "POST", "path": "/procurement/manufacturers"}
    sandbox.faults([rule | {"nth": [1], "fault": wait}])
    with pytest.raises(RetryableError):
        await create_manufacturer.with_options(retries=0)("default", "Cray")
