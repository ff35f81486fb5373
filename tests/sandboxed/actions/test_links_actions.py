"""List Agreements and List Tickets for Configurations, with the page's own input and real records."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from connectors.errors import RejectedError
from deployments.local.sandbox import Sandbox
from tasks.connectwise.list_agreements_for_configurations import list_agreements_for_configurations
from tasks.connectwise.list_configurations import list_configurations
from tasks.connectwise.list_tickets_for_configurations import list_tickets_for_configurations

pytestmark = [pytest.mark.anyio, pytest.mark.prefect, pytest.mark.usefixtures("blocks")]

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
