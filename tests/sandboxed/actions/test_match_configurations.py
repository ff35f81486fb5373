"""Match Configurations with the connector page's own examples, against records of the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import RejectedError
from deployments.local.sandbox import Sandbox
from tasks.connectwise.match_configurations import match_configurations
from tasks.rules.action_io import ExternalDataError
from tasks.rules.mapping.compile import FieldMappingError

pytestmark = [pytest.mark.anyio, pytest.mark.prefect, pytest.mark.usefixtures("blocks")]

KEY = "0f5ac0be-93e3-3a9d-8fcb-02904d4f42d8"
PAGE_EXAMPLE = f"""
[
  {{
    "asset": {{
      "id": "567",
      "general": {{
        "type_key": "LTEwLUFzc2V0VHlwZS02ZGQyY2MyZC0zOWM2LTQ2YzAtYTAxOS1hYTQ2YWUzNmM1MjI=",
        "key": "{KEY}",
        "manufacturer": "Rockwell Automation",
        "name": "166.246.143.187/1/7",
        "state": "Active",
        "type": "OT"
      }}
    }}
  }}
]
"""
PAGE_PATHS = {
    "configuration_name_path": "asset.general.name",
    "serial_number_path": "asset.general.serialNumber",
    "mac_address_path": "asset.network.macAddress",
    "model_number_path": "asset.model",
    "ip_address_path": "asset.network.ipAddress",
}
PAGE_CUSTOM_FIELDS = [
    {"asset.general.key": "ls_asset_id"},
    {"asset.general.url": "ls_asset_url"},
    {"software.general": "ls_software"},
]


def company(sandbox: Sandbox) -> list[dict[str, Any]]:
    records = sandbox.state("company/configurations")
    return [each for each in records if each["company"]["id"] == sandbox.company_id]


def of_company(sandbox: Sandbox) -> str:
    return f"company/id={sandbox.company_id}"


def with_serial(sandbox: Sandbox) -> dict[str, Any]:
    """A configuration of the company whose serial number no other one has, and has letters in it."""
    serials = [str(each.get("serialNumber")).upper() for each in company(sandbox)]
    return next(
        each
        for each in company(sandbox)
        if each.get("serialNumber")
        and serials.count(each["serialNumber"].upper()) == 1
        and each["serialNumber"].upper() != each["serialNumber"].lower()
    )


def asset(name: str, serial: str | None = None, **more: Any) -> dict[str, Any]:
    return {"asset": {"general": {"name": name, "serialNumber": serial}, **more}}


async def test_the_pages_own_example_is_matched_by_its_name(sandbox: Sandbox) -> None:
    (same,) = [each for each in company(sandbox) if each["name"] == "166.246.143.187/1/7"]
    answer = await match_configurations(
        "default",
        PAGE_EXAMPLE,
        of_company(sandbox),
        **PAGE_PATHS,
        custom_field_mappings=PAGE_CUSTOM_FIELDS,
    )
    (matched,) = answer["matched"]
    assert (matched["matchedOn"], matched["configuration"]["id"]) == ("name", same["id"])
    assert matched["unmatchedFields"] == [
        {"field": "customFields.ls_asset_id", "current": None, "wanted": KEY}
    ]
    assert sandbox.requests()["writes"] == 0


async def test_the_pages_own_example_is_unmatched_where_nothing_is_like_it() -> None:
    answer = await match_configurations(
        "default", PAGE_EXAMPLE, 'name != "166.246.143.187/1/7"', **PAGE_PATHS
    )
    assert answer == {
        "matched": [],
        "unmatched": [{"asset": json.loads(PAGE_EXAMPLE)[0]}],
        "ambiguous": [],
    }


async def test_the_pages_own_example_is_matched_by_its_link(sandbox: Sandbox) -> None:
    one = company(sandbox)[0]
    values = {"ls_asset_id": KEY, "ls_asset_url": "https://example.com/old"}
    fields = [
        each | ({"value": values[each["caption"]]} if each["caption"] in values else {})
        for each in one["customFields"]
    ]
    sandbox.edit("company/configurations", one["id"], {"customFields": fields, "macAddress": None})
    answer = await match_configurations(
        "default",
        PAGE_EXAMPLE,
        **PAGE_PATHS,
        custom_field_mappings=PAGE_CUSTOM_FIELDS,
    )
    (matched,) = answer["matched"]
    assert matched["asset"] == json.loads(PAGE_EXAMPLE)[0]
    assert matched["matchedOn"] == "link"
    assert matched["configuration"]["id"] == one["id"]
    assert matched["configuration"]["customFields"] == {"ls_asset_id": KEY}
    # The asset has no serial number, model or URL: what ConnectWise holds is no difference.
    assert matched["unmatchedFields"] == [
        {"field": "name", "current": one["name"], "wanted": "166.246.143.187/1/7"}
    ]
    assert json.loads(json.dumps(answer)) == answer


async def test_a_target_that_does_not_exist_warns_and_is_left_out(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    one = with_serial(sandbox)
    data = [asset("renamed", one["serialNumber"], warranty="2030-01-01")]
    data[0]["asset"]["general"]["warranty"] = "2030-01-01"
    answer = await match_configurations(
        "default",
        data,
        of_company(sandbox),
        **PAGE_PATHS,
        additional_field_mappings={"asset.general.warranty": "warrantyDetails", "asset.note": "notes"},
    )
    (matched,) = answer["matched"]
    assert (matched["matchedOn"], matched["configuration"]["id"]) == ("serial", one["id"])
    assert [each["field"] for each in matched["unmatchedFields"]] == ["name"]
    (warning,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert "'warrantyDetails', which is no ConnectWise field" in warning
    assert "warrantyExpirationDate" in warning
    assert warning.endswith("The mapping is left out.")


async def test_case_counts_unless_it_is_said_not_to(sandbox: Sandbox) -> None:
    one = with_serial(sandbox)
    data = [asset("no such name", one["serialNumber"].swapcase())]
    exact = await match_configurations("default", data, of_company(sandbox), **PAGE_PATHS)
    loose = await match_configurations(
        "default", data, of_company(sandbox), case_sensitive_match=False, **PAGE_PATHS
    )
    assert [len(exact[each]) for each in ("matched", "unmatched", "ambiguous")] == [0, 1, 0]
    assert [each["configuration"]["id"] for each in loose["matched"]] == [one["id"]]


async def test_only_configurations_under_the_conditions_are_candidates(sandbox: Sandbox) -> None:
    one = with_serial(sandbox)
    data = [asset("no such name", one["serialNumber"])]
    answer = await match_configurations("default", data, f"id != {one['id']}", **PAGE_PATHS)
    assert all(each["configuration"]["id"] != one["id"] for each in answer["matched"])
    by_id = await match_configurations("default", data, f"id = {one['id']}", **PAGE_PATHS)
    assert len(by_id["matched"]) == 1


async def test_what_is_shared_is_ambiguous_with_candidates_and_reason(sandbox: Sandbox) -> None:
    first, second = company(sandbox)[:2]
    for each in (first, second):
        sandbox.edit("company/configurations", each["id"], {"serialNumber": "SHARED-1"})
    answer = await match_configurations(
        "default", [asset("x", "SHARED-1")], of_company(sandbox), **PAGE_PATHS
    )
    (ambiguous,) = answer["ambiguous"]
    assert [each["id"] for each in ambiguous["candidates"]] == [first["id"], second["id"]]
    assert "serial" in ambiguous["reason"]


async def test_every_asset_is_answered_once_even_without_keys_or_fields(sandbox: Sandbox) -> None:
    data = [asset("twin"), asset("twin"), {}, {}, asset("", "")]
    answer = await match_configurations("default", data, of_company(sandbox), **PAGE_PATHS)
    assert sum(map(len, answer.values())) == len(data)
    assert answer["matched"] == []


async def test_no_asset_at_all_is_an_empty_answer() -> None:
    assert await match_configurations("default", []) == {"matched": [], "unmatched": [], "ambiguous": []}


async def test_a_file_may_be_larger_than_what_is_typed(sandbox: Sandbox, tmp_path: Path) -> None:
    one = with_serial(sandbox)
    data = [asset("renamed", one["serialNumber"], note="x" * 450_000)]
    with pytest.raises(ExternalDataError, match="larger than 400 KB"):
        await match_configurations("default", json.dumps(data), **PAGE_PATHS)
    assert sandbox.requests()["connectwise"]["requests"] == 0
    file = tmp_path / "assets.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    answer = await match_configurations("default", str(file), of_company(sandbox), **PAGE_PATHS)
    assert [each["configuration"]["id"] for each in answer["matched"]] == [one["id"]]


async def test_what_can_not_be_read_is_refused_before_any_request(sandbox: Sandbox) -> None:
    with pytest.raises(FieldMappingError, match=r"asset\.\.name"):
        await match_configurations("default", [], configuration_name_path="asset..name")
    with pytest.raises(FieldMappingError, match="mapped 2 times"):
        await match_configurations(
            "default", [], serial_number_path="a", additional_field_mappings={"b": "serialNumber"}
        )
    with pytest.raises(ValueError, match="Field mappings are a list of objects or key-value pairs"):
        await match_configurations("default", [], custom_field_mappings="ls_asset_id")
    assert sandbox.requests()["connectwise"]["requests"] == 0


async def test_a_bad_condition_is_told_in_the_vendors_words() -> None:
    with pytest.raises(RejectedError, match="nosuch is not a recognized name"):
        await match_configurations("default", PAGE_EXAMPLE, "nosuch = 1", **PAGE_PATHS)
