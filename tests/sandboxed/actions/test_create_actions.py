"""The Create actions: what is created, the documented limits, and what there is already."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import RejectedError, RetryableError, UnclearOutcomeError
from deployments.local.sandbox import Sandbox
from tasks.connectwise.create_configuration_status import create_configuration_status
from tasks.connectwise.create_configuration_type import create_configuration_type
from tasks.connectwise.create_location import create_location
from tasks.connectwise.create_manufacturer import create_manufacturer
from tasks.rules.limits import LimitError

pytestmark = [pytest.mark.anyio, pytest.mark.prefect, pytest.mark.usefixtures("blocks")]

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


async def test_a_long_wait_that_the_vendor_asks_for_is_a_retry_of_the_task(sandbox: Sandbox) -> None:
    wait = {"kind": "status", "status": 429, "headers": {"Retry-After": "100"}}
    rule = {"system": "connectwise", "method": "POST", "path": "/procurement/manufacturers"}
    sandbox.faults([rule | {"nth": [1], "fault": wait}])
    with pytest.raises(RetryableError):
        await create_manufacturer.with_options(retries=0)("default", "Cray")
