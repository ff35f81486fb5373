"""check-connections: one table about every saved connection, a failed run if something needed is missing."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from prefect import State
from pydantic import SecretStr

from connectors.connectwise.block import ConnectWiseConnection
from connectors.errors import ConnectorError, StopError
from connectors.field_nation.block import FieldNationConnection
from connectors.ledger.models import HeldRecord
from connectors.ledger.store import Ledger
from deployments.local.prefect import LocalPrefect
from flows.check_connections import check_connections
from sandbox.data.small_tables import INTEGRATION
from tasks.dispatch.settings import DispatchRules, DispatchSettings
from tasks.rules.connection_findings import (
    LINK_FIELD_TYPES,
    Finding,
    FindingResult,
    new_field,
    pod_problem,
    version_details,
)
from tasks.rules.dispatch.triggers import Trigger, TriggerCondition
from tasks.shared import held_records
from tasks.shared.checks import rights_to_write
from tests.support.faults import LEAN, rule
from tests.support.run_flow import FlowRunner, ended_with

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


@pytest.fixture(autouse=True)
def own_blocks(prefect_server: LocalPrefect) -> None:
    """Every saved block is looked at: those that other modules' tests left on the server are taken away."""
    with httpx.Client(base_url=prefect_server.api_url, timeout=60) as client:
        for each in client.post("/block_documents/filter", json={}).raise_for_status().json():
            if each["block_type"]["slug"] in ("dispatch-rules", "field-nation-connection"):
                client.delete(f"/block_documents/{each['id']}").raise_for_status()


async def checked(**options: Any) -> tuple[State[Any], dict[tuple[str, str], Finding]]:
    """The final state, and the findings by connection and check."""
    state: State[Any] = await check_connections(return_state=True, **options)
    findings = await ended_with(state)
    assert isinstance(findings, list), findings
    return state, {(each.connection, each.check): each for each in findings}


def lose(runner: FlowRunner, *captions: str) -> None:
    for field in runner.sandbox.state("system/userDefinedFields"):
        if field["caption"] in captions:
            runner.sandbox.edit("system/userDefinedFields", field["id"], {"caption": f"was {field['id']}"})


async def test_every_held_record_is_listed_with_since_when_and_why(
    runner: FlowRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = runner.sandbox.company_id
    async with Ledger.open(runner.ledger) as ledger:
        for feature, key, at in (
            ("asset-synchronization", "k1", company),
            ("dispatch", "service ticket 5 handling", 0),
            ("spoilt", "k3", 0),
            ("reference-data", "manufacturer bad | name", 0),
        ):
            reason = f"Refused <b>{key}</b> for a | reason"
            held = HeldRecord(key, "create", f"PC {key}", 7, "p", "v", "r", reason)
            await ledger.quarantine.hold(runner.tenant, feature, [held], at)
            await ledger.quarantine.hold(runner.tenant, feature, [held], at)
    row = held_records.held_row

    def fails(feature: str, *rest: Any) -> dict[str, str]:
        if feature == "spoilt":
            raise OverflowError("date value out of range")
        return row(feature, *rest)

    monkeypatch.setattr(held_records, "held_row", fails)
    _, found = await checked()
    finding = found["Ledger", "Held records"]
    assert finding.result is FindingResult.NOTE
    assert finding.details.startswith("4 records held back")
    rows = json.loads(await runner.artifact(held_records.HELD_KEY))
    # What a person needs first, without scrolling to the right.
    assert list(rows[0])[:3] == ["Record", "Why", "Try again"]
    rows = [{name: text.replace("<br>", " ") for name, text in each.items()} for each in rows]
    by = {each["Held by"].split(",")[0]: each for each in rows}
    assert len(rows) == 4
    ours = by["asset-synchronization"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC", ours["Since"])
    assert (ours["Refused"], ours["Company"], ours["Key"]) == ("2 times", str(company), "k1")
    assert "recid=7" in ours["Record"]
    assert ours["Why"] == "Refused &lt;b&gt;k1&lt;/b&gt; for a \\| reason"
    assert "Try refused records again" in ours["Try again"]
    assert "the next sweep tries it" in by["dispatch"]["Try again"]
    assert by["reference-data"]["Try again"].startswith("create it by hand")
    assert by["spoilt"]["Why"].startswith("This row can't be shown: a number or date in it is out of range")


async def test_everything_is_there(runner: FlowRunner) -> None:
    state, found = await checked()
    assert state.is_completed()
    assert {each.result for each in found.values()} <= {FindingResult.OK, FindingResult.NOTE}
    ours = [check for connection, check in found if connection == "ConnectWise default"]
    assert ours == [
        "Log in",
        "Version",
        "Rights",
        "Rights to write",
        *(f"Custom field {caption}" for caption in LINK_FIELD_TYPES),
        "Companies",
        "Request budget",
        "Requests of a day",
    ]
    assert ("Lansweeper default", "Sites") in found
    assert (
        "edit assets, for tickets-agreements-sla-sync"
        in found["Lansweeper default", "Rights to write"].details
    )
    untested = found["ConnectWise default", "Rights to write"].details
    assert untested.startswith("Untested: the block has no Member ID")
    assert "undo-run needs Configurations: Edit, Delete" in untested
    text = await runner.artifact("check-connections")
    assert "ConnectWise default" in text
    assert runner.sandbox.info["connectwise"]["private_key"] not in text
    assert runner.sandbox.requests()["writes"] == 0


async def test_missing_link_field_fails_the_run_and_can_be_created(runner: FlowRunner) -> None:
    lose(runner, "ls_asset_id", "ls_software")
    state, found = await checked()
    assert state.is_failed()
    assert found["ConnectWise default", "Custom field ls_asset_id"].result == FindingResult.MISSING
    assert found["ConnectWise default", "Custom field ls_software"].result == FindingResult.NOTE
    state, found = await checked(create_missing_fields=True)
    assert state.is_completed()
    assert "Created with id" in found["ConnectWise default", "Custom field ls_software"].details
    captions = [each["caption"] for each in runner.sandbox.state("system/userDefinedFields")]
    assert captions.count("ls_asset_id") == captions.count("ls_software") == 1
    assert (await runner.report(mappings=LEAN, dry_run=True)).counts.failed == 0


async def test_missing_right_is_named(runner: FlowRunner) -> None:
    runner.sandbox.switch(denied=["procurement/manufacturers"])
    state, found = await checked()
    assert state.is_failed()
    assert "manufacturers" in found["ConnectWise default", "Rights"].details


class Role:
    """A client whose member has the security role 3, or which may not read it."""

    settings = SimpleNamespace(member_id="api")

    def __init__(self, role: list[dict[str, Any]] | ConnectorError) -> None:
        self.role = role
        self.members = self

    def security_role_settings(self, role_id: int) -> Role:
        assert role_id == 3
        return self

    async def list(self, conditions: str = "", **_: Any) -> list[dict[str, Any]]:
        if conditions:
            assert conditions == 'identifier = "api"'
            return [{"id": 1, "securityRole": {"id": 3}}]
        if isinstance(self.role, ConnectorError):
            raise self.role
        return self.role


async def test_rights_to_write_are_read_from_the_member_s_role() -> None:
    role = [{"moduleFunctionDescription": "Configurations", "editLevel": "All", "deleteLevel": "None"}]
    client: Any = Role(role)
    found = {each.check: each.details for each in await rights_to_write("ConnectWise x", client)}
    assert found["Rights to write: undo-run"].startswith("The role lacks Configurations: Delete.")
    client = Role(StopError("no right", status=403))
    [untested] = await rights_to_write("ConnectWise x", client)
    assert untested.details.startswith("Untested: the security role can't be read (no right")


async def test_rights_to_write_are_read_from_the_tenant_s_own_roles(runner: FlowRunner) -> None:
    block = await ConnectWiseConnection.aload("default")
    block.member_id = "integr"
    await block.save("default", overwrite=True)
    settings = runner.sandbox.state("system/securityRoles/settings")
    [own] = [
        one
        for one in settings
        if (one["securityRoleId"], one["moduleFunctionName"]) == (INTEGRATION, "TimeEntry")
    ]
    runner.sandbox.edit("system/securityRoles/settings", own["id"], {"addLevel": "My"})
    _, found = await checked()
    told = {check: one for (_, check), one in found.items() if check.startswith("Rights to write:")}
    assert told["Rights to write: asset-synchronization"].result == FindingResult.OK
    assert told["Rights to write: register-callbacks"].result == FindingResult.OK
    assert "For own records only: Time Entry: Add" in told["Rights to write: dispatch"].details


async def test_wrong_key_is_told_and_the_other_connection_is_still_checked(runner: FlowRunner) -> None:
    block = await ConnectWiseConnection.aload("default")
    block.private_key = SecretStr("wrongwrongwrong1")
    await block.save("default", overwrite=True)
    state, found = await checked()
    assert state.is_failed()
    finding = found["ConnectWise default", "Log in"]
    assert finding.result == FindingResult.FAILED
    assert "key" in finding.details
    assert "wrongwrongwrong1" not in str(state.message) + finding.details
    assert found["Lansweeper default", "Log in"].result == FindingResult.OK


async def test_connections_of_one_tenant_with_different_limits_are_named(runner: FlowRunner) -> None:
    await runner.report(mappings=LEAN, dry_run=True)
    block = await ConnectWiseConnection.aload("default")
    other = block.model_copy(update={"request_limit": 60, "request_window_seconds": 60})
    await ConnectWiseConnection(**dict(other)).save("other", overwrite=True)
    try:
        _, found = await checked()
    finally:
        await ConnectWiseConnection.adelete("other")
    note = found["ConnectWise default", "Request window"]
    assert note.result == FindingResult.NOTE
    assert "default: 1,000 in 300 s, other: 60 in 60 s" in note.details
    day = found["ConnectWise default", "Requests of a day"].details
    assert "in the last 24 hours" in day
    assert day == found["ConnectWise other", "Requests of a day"].details or "0 calls waited" in day


async def test_version_is_compared_with_the_last_seen(runner: FlowRunner) -> None:
    await checked()
    _, found = await checked()
    assert "as at the last check" in found["ConnectWise default", "Version"].details


def test_versions_compare_by_number() -> None:
    assert "newer" in version_details("v2026.10", "v2026.9")
    assert "another" in version_details("v2026.9", "v2026.10")
    assert "first time" in version_details("v2026.9", None)


def test_place_of_a_new_field_is_taken_from_another_one_or_given() -> None:
    defined = [
        {"id": 1, "podId": 12, "screenId": "cf100", "podDescription": "Configuration", "sequenceNumber": 4}
    ]
    record = new_field("ls_software", defined)
    assert record is not None
    assert (record["podId"], record["screenId"], record["sequenceNumber"]) == (12, "cf100", 5)
    assert new_field("ls_software", []) is None
    given = new_field("ls_software", [], pod_id=7)
    assert given is not None
    assert given["podId"] == 7


def test_a_typed_pod_id_must_be_one_of_configurations() -> None:
    defined = [
        {"id": 1, "podId": 12, "podDescription": "Configuration"},
        {"id": 2, "podId": 7, "podDescription": "Service Ticket"},
    ]
    text = str(pod_problem(7, defined))
    assert text.startswith("Configuration pod id is 7, which is the pod 'Service Ticket'")
    assert text.endswith("Those of configurations: 12 (Configuration).")
    assert [pod_problem(each, defined) for each in (12, 99, None)] == [None, None, None]


async def test_a_field_that_a_short_list_lacks_is_not_created_again(runner: FlowRunner) -> None:
    before = runner.sandbox.state("system/userDefinedFields")
    short = {"kind": "wrong_read", "how": "empty", "keep": 2}
    runner.sandbox.faults([rule("GET", "/system/userDefinedFields", short)])
    state, found = await checked(create_missing_fields=True)
    assert state.is_failed()
    assert "counts 5 and gave 2, twice" in found["ConnectWise default", "Custom fields"].details
    assert runner.sandbox.state("system/userDefinedFields") == before


async def test_field_nation_is_tried_out_where_a_connection_is_saved(runner: FlowRunner) -> None:
    names = ("client_id", "client_secret", "username", "password", "base_address")
    known = runner.sandbox.info["field_nation"]
    await FieldNationConnection.register_type_and_schema()
    await FieldNationConnection(**{name: known[name] for name in names}).save("checked", overwrite=True)
    await FieldNationConnection(**{**{name: known[name] for name in names}, "password": "wrong-one"}).save(
        "wrong", overwrite=True
    )
    try:
        state, found = await checked()
    finally:
        await FieldNationConnection.adelete("checked")
        await FieldNationConnection.adelete("wrong")
    assert state.is_failed()
    assert found["Field Nation checked", "Log in"].result == FindingResult.OK
    assert found["Field Nation checked", "Request budget"].details.endswith("in the last 60 seconds.")
    assert found["Field Nation wrong", "Log in"].result == FindingResult.FAILED
    assert "wrong-one" not in found["Field Nation wrong", "Log in"].details + str(state.message)
    assert ("Field Nation wrong", "Webhooks") not in found


async def test_rules_that_name_what_does_not_exist_are_missing_with_near_matches(runner: FlowRunner) -> None:
    boards = [each["name"] for each in runner.sandbox.state("service/boards") if not each.get("projectFlag")]
    wrong = TriggerCondition(field="board", values=(f"{boards[0]}s",))
    rules = DispatchSettings(triggers=[Trigger(conditions=(wrong,))], outbound_rules=[])
    await DispatchRules.register_type_and_schema()
    await DispatchRules(rules=rules).save("wrong", overwrite=True)
    try:
        state, found = await checked()
    finally:
        await DispatchRules.adelete("wrong")
    assert state.is_failed()
    row = found["Dispatch Rules wrong", "Names"]
    assert row.result == FindingResult.MISSING
    assert f"which does not exist. Did you mean {boards[0]!r}" in row.details
