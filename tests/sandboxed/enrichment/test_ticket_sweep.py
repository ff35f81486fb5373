"""The sweep of tickets is dated by ConnectWise's clock, since ``lastUpdated`` is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from connectors.ledger.store import Ledger
from tasks.connectwise.link_search.search import LinkSearch
from tasks.connectwise.link_search.tickets import sweep_tickets
from tasks.enrichment.settings import EnrichmentWaiting
from tasks.rules.enrichment.ticket_changes import stable_stamp
from tasks.rules.enrichment.ways import Ways
from tests.support.fake_connectwise import FakeConnectWise

pytestmark = pytest.mark.anyio

THERE = datetime(2026, 5, 4, 11, 0, 1, tzinfo=UTC)
"""ConnectWise's time, which this machine's clock is far ahead of."""


async def test_a_ticket_that_changes_now_is_not_settled_by_a_clock_that_is_ahead(tmp_path: Path) -> None:
    vendor = FakeConnectWise()
    date = {"Link": "", "Date": THERE.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    vendor.say("GET", "/company/companies", httpx.Response(200, json=[], headers=date))
    changed = [{"id": 7, "recordType": "ServiceTicket", "_info": {"lastUpdated": "2026-05-04T11:00:31Z"}}]
    vendor.collections = {"/service/tickets": changed, "/project/tickets": []}
    async with vendor.client() as client, Ledger.open(tmp_path / "ledger.db") as ledger:
        await client.companies.list()
        sweep = await sweep_tickets(LinkSearch(client, ledger, 6, Ways(), EnrichmentWaiting()))
    assert abs(sweep.at - THERE) < timedelta(minutes=1)
    assert sweep.stamps[("service", 7)] == "2026-05-04T11:00:31Z"
    assert stable_stamp(sweep.stamps[("service", 7)], sweep.at) == ""
