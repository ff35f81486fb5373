"""The control addresses: counts, reset, switches, state, sizes, a person's edits, churn."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from deployments.local.sandbox import Sandbox
from tests.support.sandbox.calls import API, CONFIGURATIONS, connectwise, machines
from tests.support.sandbox.lansweeper import NO_TLS, Caller


def test_requests_are_counted_by_template_and_root_field(sandbox: Sandbox) -> None:
    caller = Caller(sandbox)
    with connectwise(sandbox.info) as http:
        http.get(f"/login/companyinfo/{sandbox.info['connectwise']['company_id']}")
        for number in (1, 2):
            http.get(f"{CONFIGURATIONS}/{number}")
        http.get(f"{API}/company/companies/6/sites")
        http.post(CONFIGURATIONS, json=machines(6, 1)[0])
        caller.items(["key"])
        caller.site("customFields { key }")
    asked = sandbox.requests()
    spent, answering = asked.pop("cpu_seconds"), asked.pop("answering_seconds")
    assert 0 < answering["connectwise"] + answering["lansweeper"] < spent
    assert asked == {
        "total": 7,
        "writes": 1,
        "connectwise": {
            "requests": 5,
            "writes": 1,
            "by": {
                "GET /company/companies/{id}/sites": 1,
                "GET /company/configurations/{id}": 2,
                "GET /login/companyinfo/{id}": 1,
                "POST /company/configurations": 1,
            },
        },
        "lansweeper": {"requests": 2, "writes": 0, "by": {"assetResources": 1, "customFields": 1}},
        "field_nation": {"requests": 0, "writes": 0, "by": {}},
    }
    sandbox.clear_requests()
    assert sandbox.requests()["total"] == 0


def test_records_are_counted_without_being_shown(sandbox: Sandbox) -> None:
    records = sandbox.state("company/configurations")
    own = [record for record in records if record["company"]["id"] == sandbox.company_id]
    assert 0 < len(own) < len(records)
    assert sandbox.count("company/configurations") == len(records)
    assert sandbox.count("company/configurations", sandbox.company_id) == len(own)
    assert sandbox.count("lansweeper/assets") == 60


def test_a_reset_gives_the_same_world_again(sandbox: Sandbox) -> None:
    before = [record["name"] for record in sandbox.state("company/configurations")]
    keys = [asset["key"] for asset in sandbox.state("lansweeper/assets")]
    sandbox.churn(0.5)
    sandbox.reset()
    assert [record["name"] for record in sandbox.state("company/configurations")] == before
    assert [asset["key"] for asset in sandbox.state("lansweeper/assets")] == keys
    sandbox.reset(seed=8)
    assert [asset["key"] for asset in sandbox.state("lansweeper/assets")] != keys


def test_credentials_and_companies_stay_true_over_resets(sandbox: Sandbox) -> None:
    sandbox.reset(seed=99, assets=5, scenario="fresh")
    with connectwise(sandbox.info) as http:
        company = http.get(f"{API}/company/companies/{sandbox.company_id}").json()
    assert company["identifier"] == sandbox.company == "BlueLightCo"
    assert Caller(sandbox).site("name").status_code == 200


def test_the_fresh_scenario_has_none_of_the_run_companys_records(sandbox: Sandbox) -> None:
    sandbox.reset(scenario="fresh")
    companies = {record["company"]["id"] for record in sandbox.state("company/configurations")}
    assert companies
    assert sandbox.company_id not in companies


def test_switches_go_back_with_a_reset(sandbox: Sandbox) -> None:
    sandbox.reset(switches={"unset_custom_field": "null"})
    assert all("value" in f for f in sandbox.state("company/configurations")[0]["customFields"])
    sandbox.reset()
    assert any("value" not in f for f in sandbox.state("company/configurations")[0]["customFields"])


def test_state_shows_whole_wire_records(sandbox: Sandbox) -> None:
    with connectwise(sandbox.info) as http:
        served = http.get(f"{CONFIGURATIONS}/1").json()
    shown = next(record for record in sandbox.state("company/configurations") if record["id"] == 1)
    assert set(shown) == set(served)
    assert shown["type"]["name"] == served["type"]["name"]
    assert [field["name"] for field in sandbox.state("lansweeper/customFields")]
    assert sandbox.state("system/userDefinedFields")[1]["caption"] == "ls_asset_id"


def test_a_persons_edit_moves_last_updated(sandbox: Sandbox) -> None:
    before = sandbox.state("company/configurations")[0]
    changes = {"notes": "seen", "customFields": [{"caption": "ls_asset_id", "value": "k"}]}
    sandbox.edit("company/configurations", before["id"], changes)
    after = sandbox.state("company/configurations")[0]
    assert after["notes"] == "seen"
    assert after["_info"]["lastUpdated"] > before["_info"]["lastUpdated"]
    assert [f.get("value") for f in after["customFields"] if f["caption"] == "ls_asset_id"] == ["k"]


def test_an_edit_of_an_asset_by_dotted_path(sandbox: Sandbox) -> None:
    before = sandbox.state("lansweeper/assets")[0]
    sandbox.edit(
        "lansweeper/assets", before["key"], {"assetBasicInfo.name": "X", "assetCustom": {"model": None}}
    )
    item = Caller(sandbox).items(["assetBasicInfo.name", "assetBasicInfo.type", "assetCustom.model"])[0]
    assert item == {
        "key": before["key"],
        "assetBasicInfo": {"name": "X", "type": before["assetBasicInfo"]["type"]},
    }


def test_churn_renames_moves_adds_and_retires_its_share(sandbox: Sandbox) -> None:
    before = {asset["key"]: asset for asset in sandbox.state("lansweeper/assets")}
    changed = sandbox.churn(0.2)
    after = {asset["key"]: asset for asset in sandbox.state("lansweeper/assets")}
    assert {kind: len(keys) for kind, keys in changed.items()} == {
        "rename": 3,
        "move": 3,
        "add": 3,
        "retire": 3,
    }
    assert set(before) - set(after) == set(changed["retire"])
    assert set(after) - set(before) == set(changed["add"])
    for key in changed["rename"]:
        assert after[key]["assetBasicInfo"]["name"] != before[key]["assetBasicInfo"]["name"]
    for key in changed["move"]:
        assert after[key]["assetBasicInfo"]["ipAddress"].startswith("10.200.")
    sandbox.reset()
    assert sandbox.churn(0.2) == changed


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/switches", {"no_such_switch": 1}),
        ("PUT", "/faults", [{"fault": {"kind": "explode"}}]),
        ("POST", "/reset", {"scenario": "synced"}),
        ("POST", "/edit", {"collection": "company/configurations", "id": 999999, "set": {}}),
        ("POST", "/churn", {"share": 7}),
        ("GET", "/state/lansweeper/nothing", None),
    ],
)
def test_what_control_can_not_do(sandbox: Sandbox, method: str, path: str, body: object) -> None:
    answer = httpx.request(method, sandbox.info["control"] + path, json=body, verify=NO_TLS)
    assert answer.status_code == 400
    assert answer.json()["error"]


LINKS = "service/tickets/configurations"


def links(sandbox: Sandbox, ticket: int) -> list[int]:
    return [one["configurationId"] for one in sandbox.state(LINKS) if one["ticketId"] == ticket]


def ticket(sandbox: Sandbox, number: int) -> dict[str, Any]:
    return next(one for one in sandbox.state("service/tickets") if one["id"] == number)


def test_a_reset_takes_sizes_and_the_next_one_forgets_them(sandbox: Sandbox) -> None:
    def own() -> list[int]:
        found = [*sandbox.state("service/tickets"), *sandbox.state("project/tickets")]
        return [one["id"] for one in found if one["company"]["id"] == sandbox.company_id]

    sandbox.reset(scenario="enrichment", agreements=9, tickets=30)
    assert len(own()) == 30
    agreements = sandbox.state("finance/agreements")
    assert sum(one["company"]["id"] == sandbox.company_id for one in agreements) == 9
    sandbox.reset()
    assert len(own()) == 15


def test_links_are_shown_as_pairs_and_set_by_a_person(sandbox: Sandbox) -> None:
    sandbox.reset(scenario="enrichment")
    number = sandbox.state(LINKS)[0]["ticketId"]
    before = ticket(sandbox, number)["_info"]["lastUpdated"]
    sandbox.edit(LINKS, number, {"configurationIds": [12, 11]})
    assert links(sandbox, number) == [11, 12]
    assert ticket(sandbox, number)["_info"]["lastUpdated"] > before
    assert set(sandbox.state("finance/agreements/configurations")[0]) == {"agreementId", "configurationId"}


@pytest.mark.parametrize(("number", "ids"), [(99_999, [1]), (1, [99_999])])
def test_links_of_nobody_are_refused(sandbox: Sandbox, number: int, ids: list[int]) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        sandbox.edit(LINKS, number, {"configurationIds": ids})


def test_a_person_adds_closes_and_deletes_a_ticket(sandbox: Sandbox) -> None:
    made = sandbox.add("service/tickets", {"summary": "x", "company": {"id": sandbox.company_id}})
    assert not ticket(sandbox, made)["closedFlag"]
    done = next(one for one in sandbox.state("service/boards/statuses") if one["closedStatus"])
    sandbox.edit("service/tickets", made, {"board": done["board"], "status": {"id": done["id"]}})
    assert ticket(sandbox, made)["closedFlag"]
    sandbox.edit("service/tickets", made, {"closedFlag": False})
    assert not ticket(sandbox, made)["closedFlag"], "a flag that is given stays"
    sandbox.edit(LINKS, made, {"configurationIds": [1]})
    sandbox.delete("service/tickets", made)
    assert links(sandbox, made) == []
    assert made not in {one["id"] for one in sandbox.state("service/tickets")}


def test_ticket_churn_by_control(sandbox: Sandbox) -> None:
    sandbox.reset(scenario="enrichment")
    changed = sandbox.ticket_churn(0.5, ["close", "delete"])
    assert {kind: len(ids) for kind, ids in changed.items()} == {"close": 5, "delete": 5}
    assert len(sandbox.ticket_churn(0.1)) == 6


def test_a_person_detaches_while_a_request_is_answered(sandbox: Sandbox) -> None:
    sandbox.reset(scenario="enrichment")
    number = sandbox.state(LINKS)[0]["ticketId"]
    edit = {"kind": "edit", "collection": LINKS, "ids": [number, 99_999], "set": {"configurationIds": []}}
    sandbox.faults([{"system": "connectwise", "nth": 1, "fault": edit}])
    with connectwise(sandbox.info) as http:
        assert http.get(f"{API}/service/tickets/{number}/configurations").json() == []
    assert links(sandbox, number) == []


def test_requests_of_child_collections_and_bundles_are_counted_by_template(sandbox: Sandbox) -> None:
    with connectwise(sandbox.info) as http:
        for number in (1, 2):
            http.get(f"{API}/service/tickets/{number}/configurations")
        http.post(f"{API}/service/tickets/search", json={"conditions": "id=1"})
        http.post(f"{API}/system/bundles", json={"requests": []})
    assert sandbox.requests()["connectwise"] == {
        "requests": 4,
        "writes": 0,
        "by": {
            "GET /service/tickets/{id}/configurations": 2,
            "POST /service/tickets/search": 1,
            "POST /system/bundles": 1,
        },
    }


def test_a_person_merges_tickets(sandbox: Sandbox) -> None:
    parent, child = (
        sandbox.add("service/tickets", {"summary": words, "company": {"id": sandbox.company_id}})
        for words in ("stays", "goes")
    )
    sandbox.add("service/tickets/notes", {"ticketId": child, "text": "x", "internalAnalysisFlag": True})
    sandbox.edit(LINKS, child, {"configurationIds": [1]})
    sandbox.merge("service/tickets", parent, [child])
    merged = ticket(sandbox, child)
    assert (merged["closedFlag"], merged["mergedParentTicket"]["id"]) == (True, parent)
    assert ticket(sandbox, parent)["hasMergedChildTicketFlag"]
    assert (links(sandbox, parent), links(sandbox, child)) == ([1], [])
    notes = [one for one in sandbox.state("service/tickets/notes") if one["text"] == "x"]
    assert [one["ticketId"] for one in notes] == [parent]
    sandbox.delete("service/tickets", parent)
    assert "x" not in {one["text"] for one in sandbox.state("service/tickets/notes")}


def test_a_person_moves_configurations_and_merges_companies(sandbox: Sandbox) -> None:
    run, other = sandbox.company_id, 8
    before = sandbox.count("company/configurations", run)
    half = sandbox.move(other, owner=run, share=0.5)
    assert len(half) == round(before / 2)
    assert sandbox.count("company/configurations", run) == before - len(half)
    assert sandbox.move(run, ids=half[:2]) == half[:2]
    merge = {"kind": "edit", "collection": "company/companies", "merge": {"id": other, "ids": [run]}}
    total = sandbox.count("company/configurations", run) + sandbox.count("company/configurations", other)
    sandbox.faults([{"system": "connectwise", "nth": 2, "fault": merge}])
    with connectwise(sandbox.info) as http:
        assert http.get(f"{API}/company/companies/{run}").status_code == 200
        assert http.get(f"{API}/company/companies/{run}").status_code == 404
    assert sandbox.count("company/configurations", other) == total
    assert {one["company"]["id"] for one in sandbox.state("service/tickets")} == {other, 11, 14}


@pytest.mark.parametrize(
    "body",
    [
        {"collection": "service/boards", "id": 1, "ids": [2]},
        {"collection": "service/tickets", "id": 99_999, "ids": [1]},
        {"collection": "service/tickets", "id": 1, "ids": [1]},
        {"collection": "company/companies", "id": 6, "ids": [6]},
        {"collection": "company/companies", "id": 6, "ids": [99_999]},
    ],
)
def test_what_can_not_be_merged(sandbox: Sandbox, body: dict[str, Any]) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        sandbox.merge(body["collection"], body["id"], body["ids"])
