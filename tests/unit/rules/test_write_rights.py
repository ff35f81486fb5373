"""The rights to write of each flow, by what a security role says."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.rules.connection_findings import Finding, FindingResult
from tasks.rules.write_rights import (
    FIELD_NATION_RIGHTS,
    LANSWEEPER_MUTATIONS,
    RIGHTS,
    mutation_findings,
    role_findings,
    untested_field_nation,
    untested_role,
)


def setting(function: str, **levels: str) -> dict[str, Any]:
    none = {"addLevel": "None", "editLevel": "None", "deleteLevel": "None", "inquireLevel": "All"}
    return {"moduleDescription": "Companies", "moduleFunctionDescription": function} | none | levels


def of_flow(flow: str, *settings: dict[str, Any]) -> Finding:
    return {each.check.partition(": ")[2]: each for each in role_findings("ConnectWise x", settings)}[flow]


def test_a_role_that_allows_all_is_in_order() -> None:
    finding = of_flow(
        "asset-synchronization",
        setting("Configurations", addLevel="All", editLevel="All"),
        setting("Table Setup", addLevel="All"),
    )
    assert finding.result == FindingResult.OK
    assert finding.details.startswith("It has Configurations: Add; Configurations: Edit; Table Setup: Add")


@pytest.mark.parametrize("level", ["None", "", None, "none"])
def test_a_right_that_is_missing_is_named(level: str | None) -> None:
    settings = [setting("Configurations", editLevel="All", deleteLevel=level)]  # type: ignore[arg-type]
    finding = of_flow("undo-run", *settings)
    assert finding.result == FindingResult.NOTE
    assert finding.details == "The role lacks Configurations: Delete. It has Configurations: Edit."


def test_a_right_to_own_records_is_not_enough() -> None:
    finding = of_flow("undo-run", setting("Configurations", editLevel="My", deleteLevel="Mine"))
    assert finding.details == "For own records only: Configurations: Edit; Configurations: Delete."


def test_a_function_that_the_version_does_not_name_is_untested_and_names_are_folded() -> None:
    settings = [{"moduleFunctionName": "ServiceTickets", "editLevel": "All"}]
    finding = of_flow("dispatch", *settings)
    assert finding.result == FindingResult.NOTE
    assert "It has Service Tickets: Edit." in finding.details
    assert "Untested, since the role does not name it: Close Service Tickets: Edit" in finding.details


def test_every_flow_s_rights_are_named_where_the_role_can_t_be_read() -> None:
    [finding] = untested_role("ConnectWise x", "the block has no Member ID.")
    assert finding.result == FindingResult.NOTE
    for flow, rights in RIGHTS.items():
        assert f"{flow} needs {', '.join(map(str, rights))}" in finding.details


@pytest.mark.parametrize("known", [None, [], ["editAsset"], [*LANSWEEPER_MUTATIONS, "deleteAssets"]])
def test_lansweeper_s_mutations_are_seen_and_the_role_s_rights_untested(known: list[str] | None) -> None:
    finding = mutation_findings("Lansweeper x", known)
    assert finding.result == FindingResult.NOTE
    assert all(words in finding.details for words in LANSWEEPER_MUTATIONS.values())
    if known == ["editAsset"]:
        assert "does not offer createCustomField" in finding.details
    if known is None or len(known) > 2:
        assert "Untested" in finding.details
    assert FIELD_NATION_RIGHTS in untested_field_nation("Field Nation x").details
