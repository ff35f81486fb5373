"""The ways from tickets and agreements to configurations, against the sandbox: each gives the same answer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.connectwise.bulk_reads import LONGEST_SEARCH_CONDITIONS, BundleItem
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import any_of, equals
from connectors.connectwise.models import TICKETS, TicketKind
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.errors import RejectedError
from deployments.local.sandbox import Sandbox

pytestmark = pytest.mark.anyio

REPORT = "ConfigurationAgreement"
STORED: dict[TicketKind, str] = {kind: path.removeprefix("/") for kind, path in TICKETS.items()}
COLUMNS = ["AgreementRecId", "ConfigurationRecId"]


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[ConnectWiseClient]:
    sandbox.reset(scenario="enrichment", assets=60)
    info = sandbox.info["connectwise"]
    names = ("site", "company_id", "public_key", "private_key", "client_id")
    settings = ConnectWiseSettings(**{name: info[name] for name in names})
    async with ConnectWiseClient(settings) as client:
        yield client


def pairs(sandbox: Sandbox, collection: str, owner: str) -> set[tuple[int, int]]:
    found = {(one[owner], one["configurationId"]) for one in sandbox.state(f"{collection}/configurations")}
    assert found, "nothing is attached, so nothing would be compared"
    return found


async def test_tickets_and_agreements_are_listed_paged_and_counted(
    sandbox: Sandbox, client: ConnectWiseClient
) -> None:
    for kind, path in STORED.items():
        expected = [one["id"] for one in sandbox.state(path)]
        paged = [one["id"] async for page in client.tickets(kind).pages(page_size=7) for one in page]
        assert sorted(expected) == paged
        assert await client.tickets(kind).count() == len(expected) > 0
        assert len(await client.tickets(kind).list()) == len(expected)
    assert len(await client.agreements.list()) == await client.agreements.count() > 0


async def test_child_collections_hold_what_is_attached(sandbox: Sandbox, client: ConnectWiseClient) -> None:
    for kind, path in STORED.items():
        ids = [one["id"] for one in sandbox.state(path)]
        found = {(n, one["id"]) for n in ids for one in await client.ticket_configurations(kind, n).list()}
        assert found == pairs(sandbox, path, "ticketId")
        with pytest.raises(RejectedError):
            await client.ticket_configurations(kind, 99_999).list()
    ids = [one["id"] for one in sandbox.state("finance/agreements")]
    found = {(n, one["id"]) for n in ids for one in await client.agreement_configurations(n).list()}
    assert found == pairs(sandbox, "finance/agreements", "agreementId")


async def test_the_report_gives_the_same_agreements(sandbox: Sandbox, client: ConnectWiseClient) -> None:
    rows = [row async for page in client.report_rows(REPORT, COLUMNS, page_size=5) for row in page]
    expected = pairs(sandbox, "finance/agreements", "agreementId")
    assert {(row["AgreementRecId"], row["ConfigurationRecId"]) for row in rows} == expected
    assert len(rows) == await client.count_report(REPORT) == len(expected)
    number = sorted(expected)[0][0]
    narrowed = client.report_rows(REPORT, COLUMNS, equals("AgreementRecId", number))
    mine = [row["ConfigurationRecId"] async for page in narrowed for row in page]
    assert sorted(mine) == sorted(one for owner, one in expected if owner == number)


async def test_bundles_give_the_same_and_fail_item_by_item(
    sandbox: Sandbox, client: ConnectWiseClient
) -> None:
    sandbox.switch(bundle_limit=20)
    ids = [one["id"] for one in sandbox.state("service/tickets")][:18]
    items = [BundleItem("ticketconfiguration", parent_id=number) for number in (*ids, 99_999)]
    *answers, missing = await client.bundle(items)
    expected = pairs(sandbox, "service/tickets", "ticketId")
    found = {
        (number, one["id"])
        for number, answer in zip(ids, answers, strict=True)
        for one in answer.entities
        if answer.ok
    }
    assert found == {pair for pair in expected if pair[0] in ids}
    assert (missing.ok, missing.status) == (False, 404)
    assert missing.message
    unknown, ticket = await client.bundle(
        [BundleItem("nothing"), BundleItem("ticket", record_id=ids[0], fields="id")]
    )
    assert (unknown.ok, ticket.ok, ticket.entities) == (False, True, [{"id": ids[0]}])


async def test_conditions_and_search_give_the_same(sandbox: Sandbox, client: ConnectWiseClient) -> None:
    sandbox.switch(configuration_condition="in")
    for kind, path in STORED.items():
        by_ticket = pairs(sandbox, path, "ticketId")
        one = sorted(by_ticket)[0][1]
        single = await client.tickets(kind).list(equals("configuration/id", one), fields="id")
        assert {ticket["id"] for ticket in single} == {owner for owner, held in by_ticket if held == one}
        many = any_of("configuration/id", sorted({held for _, held in by_ticket}))
        pages = [page async for page in client.search_tickets(kind, many, fields="id", page_size=3)]
        assert [ticket["id"] for page in pages for ticket in page] == sorted(
            {owner for owner, _ in by_ticket}
        )


async def test_the_longest_search_is_taken_and_a_longer_one_is_not_sent(
    sandbox: Sandbox, client: ConnectWiseClient
) -> None:
    longest = any_of("id", range(100_000, 102_000))
    longest = longest[: LONGEST_SEARCH_CONDITIONS - 3].rpartition(",")[0] + ")"
    assert LONGEST_SEARCH_CONDITIONS - len(longest) < 12
    pages = [page async for page in client.search_tickets("service", longest)]
    assert pages == [[]]
    sent = sandbox.requests()["connectwise"]["requests"]
    with pytest.raises(RejectedError, match="too long"):
        await anext(client.search_tickets("service", longest + " and id > 0"))
    assert sandbox.requests()["connectwise"]["requests"] == sent


async def test_each_way_that_is_closed_is_a_rejection(sandbox: Sandbox, client: ConnectWiseClient) -> None:
    sandbox.switch(agreement_report=False, bundle_limit=0, configuration_condition="off", ticket_search=False)
    with pytest.raises(RejectedError):
        await anext(client.report_rows(REPORT, COLUMNS))
    with pytest.raises(RejectedError):
        await client.bundle([BundleItem("ticket")])
    with pytest.raises(RejectedError, match="not a recognized name"):
        await client.tickets("service").list("configuration/id = 5")
    with pytest.raises(RejectedError):
        await anext(client.search_tickets("service", "id > 0"))


async def test_a_bundle_that_is_too_large_and_an_in_that_is_not_known_are_rejections(
    sandbox: Sandbox, client: ConnectWiseClient
) -> None:
    sandbox.switch(bundle_limit=2, configuration_condition="single")
    with pytest.raises(RejectedError):
        await client.bundle([BundleItem("ticket")] * 3)
    assert all(answer.ok for answer in await client.bundle([BundleItem("ticket")] * 2))
    with pytest.raises(RejectedError):
        await client.tickets("service").list("configuration/id in (5,6)")
