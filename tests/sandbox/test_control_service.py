"""The control addresses for agreements and tickets: sizes, a look inside, and a person's changes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from deployments.local.sandbox import Sandbox
from tests.support.sandbox.calls import API, connectwise

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
