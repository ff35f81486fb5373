"""Reports and bundles: joined by position and by sequence number, against a fake server.

Against the sandbox, every way from tickets and agreements to configurations gives the same answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from connectors.connectwise.bulk_reads import LONGEST_SEARCH_CONDITIONS, BundleAnswer, BundleItem
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import any_of, equals
from connectors.connectwise.models import TICKETS, TicketKind
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.errors import RejectedError
from deployments.local.sandbox import Sandbox
from tests.support.fake_connectwise import SETTINGS, FakeConnectWise, body_of, refusal

pytestmark = pytest.mark.anyio


REPORT = "/system/reports/ConfigurationAgreement"
COLUMNS = ["AgreementRecId", "ConfigurationRecId"]
BUNDLES = "/system/bundles"


def report(*rows: list[Any], names: list[str] | None = None, link: str | None = None) -> httpx.Response:
    definitions = [{name: {"type": "Int32", "isNullable": False}} for name in names or COLUMNS]
    body = {"column_definitions": definitions, "row_values": list(rows)}
    return httpx.Response(200, json=body, headers={} if link is None else {"Link": link})


async def rows_of(fake: FakeConnectWise, columns: list[str], **options: Any) -> list[list[dict[str, Any]]]:
    async with fake.client() as client:
        return [one async for one in client.report_rows("ConfigurationAgreement", columns, **options)]


async def test_rows_are_joined_to_their_columns_by_position_page_by_page() -> None:
    fake = FakeConnectWise()
    names = ["configurationrecid", "AgreementRecId"]
    fake.say("GET", REPORT, report([7, 1], [8, 1], names=names), report([9, 2], names=names))
    pages = await rows_of(fake, COLUMNS, conditions="CompanyRecId = 3", order_by="id asc", page_size=2)
    assert pages == [
        [{"ConfigurationRecId": 7, "AgreementRecId": 1}, {"ConfigurationRecId": 8, "AgreementRecId": 1}],
        [{"ConfigurationRecId": 9, "AgreementRecId": 2}],
    ]
    asked = [dict(one.url.params) for one in fake.asked("GET", REPORT)]
    assert [one.pop("page") for one in asked] == ["1", "2"]
    shaped = {"columns": "AgreementRecId,ConfigurationRecId", "conditions": "CompanyRecId = 3"}
    assert asked == [{**shaped, "orderBy": "id asc", "pageSize": "2"}] * 2


async def test_a_full_last_page_without_a_link_costs_one_request_more() -> None:
    fake = FakeConnectWise()
    fake.say("GET", REPORT, report([1, 7]), report())
    assert await rows_of(fake, COLUMNS, page_size=1) == [
        [{"AgreementRecId": 1, "ConfigurationRecId": 7}],
        [],
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (report(names=["AgreementRecId"]), "does not give the columns ConfigurationRecId"),
        (report([1]), "rows that do not fit"),
        (report([1, 2, 3]), "rows that do not fit"),
        (httpx.Response(200, json={"row_values": [[1, 2]]}), "does not give the columns"),
        (httpx.Response(200, json={"row_values": None}), "rows should be a list but is nothing"),
        (httpx.Response(200, json=[]), "answer should be an object but is a list of 0"),
        (refusal(400, "ApiFindCondition", "x is not a recognized name."), "not a recognized name"),
    ],
)
async def test_a_report_that_is_not_understood_is_refused(answer: httpx.Response, words: str) -> None:
    fake = FakeConnectWise()
    fake.say("GET", REPORT, answer)
    with pytest.raises(RejectedError, match=words):
        await rows_of(fake, COLUMNS)


async def test_a_report_that_gives_one_page_for_ever_is_refused() -> None:
    fake = FakeConnectWise()
    fake.say("GET", REPORT, *[report([1, 7])] * 2)
    with pytest.raises(RejectedError, match="page 2 brought nothing new"):
        await rows_of(fake, COLUMNS, page_size=1)


async def test_a_name_that_is_no_name_is_refused_before_anything_is_sent() -> None:
    fake = FakeConnectWise()
    async with fake.client() as client:
        for name in ("../company/companies", "", "Agreement report"):
            with pytest.raises(RejectedError, match="not the name of a report"):
                await client.count_report(name)
    assert fake.seen == []


async def test_the_rows_of_a_report_are_counted() -> None:
    fake = FakeConnectWise()
    fake.say("GET", f"{REPORT}/count", httpx.Response(200, json={"count": 12}))
    async with fake.client() as client:
        assert await client.count_report("ConfigurationAgreement", "CompanyRecId = 3") == 12
        assert client.session.sent["GET /system/reports/{reportName}/count"] == 1


def result(number: int, **members: Any) -> dict[str, Any]:
    return {"sequenceNumber": number, "success": True, "statusCode": 200, "entities": [], **members}


async def bundled(fake: FakeConnectWise, items: list[BundleItem], results: Any) -> list[BundleAnswer]:
    fake.say("POST", BUNDLES, httpx.Response(200, json={"results": results}))
    async with fake.client(read_only=True) as client:
        return await client.bundle(items)


async def test_a_bundle_asks_for_records_lists_and_children() -> None:
    fake = FakeConnectWise()
    items = [
        BundleItem("ticketconfiguration", parent_id=9),
        BundleItem("ticket", conditions="id > 3", fields="id", page=2, page_size=50),
        BundleItem("member", record_id=4),
    ]
    await bundled(fake, items, [])
    (asked,) = fake.asked("POST", BUNDLES)
    numbered = [{"version": "2026.3", "sequenceNumber": number} for number in (1, 2, 3)]
    children = {"parentId": 9, "page": {"page": 1, "pageSize": 1000}}
    listed = {
        "fields": "id",
        "filters": {"conditions": "id > 3"},
        "page": {"page": 2, "pageSize": 50},
    }
    assert body_of(asked)["requests"] == [
        {**numbered[0], "resourceType": "ticketconfiguration", "apiRequest": children},
        {**numbered[1], "resourceType": "ticket", "apiRequest": listed},
        {**numbered[2], "resourceType": "member", "apiRequest": {"id": 4}},
    ]


async def test_answers_are_joined_by_sequence_number_in_the_order_of_the_items() -> None:
    items = [BundleItem("ticket", record_id=number) for number in (11, 12, 13, 14)]
    error = {"code": "NotFound", "message": "Ticket 12 not found", "errors": None}
    results = [
        result(3, entities=[{"id": 13}], count=1),
        result(2, success=False, statusCode=404, error=error),
        result(1, entities=[{"id": 11}]),
        result(99, entities=[{"id": 99}]),
    ]
    first, second, third, fourth = await bundled(FakeConnectWise(), items, results)
    assert first == BundleAnswer(True, 200, [{"id": 11}])
    assert second == BundleAnswer(False, 404, message="Ticket 12 not found")
    assert third == BundleAnswer(True, 200, [{"id": 13}], 1)
    assert not fourth.ok
    assert "no result" in fourth.message


@pytest.mark.parametrize(
    "results",
    [
        [result(1, success=None)],
        [result(1, success="true")],
        [result(1, statusCode=500)],
        [result(1, entities={"id": 1})],
        [result(1), result(1, entities=[{"id": 1}])],
        [None, "x"],
    ],
)
async def test_a_result_that_is_not_clear_is_not_ok(results: list[Any]) -> None:
    (answer,) = await bundled(FakeConnectWise(), [BundleItem("ticket")], results)
    assert (answer.ok, answer.entities) == (False, [])
    assert answer.message


async def test_a_bundle_that_is_refused_as_a_whole_is_a_rejection() -> None:
    fake = FakeConnectWise()
    fake.say("POST", BUNDLES, refusal(400, "ConnectWiseApi", "Too many requests in one bundle."))
    fake.say("POST", BUNDLES, httpx.Response(200, json=[]))
    async with fake.client() as client:
        for words in ("Too many requests in one bundle", "bundle's answer should be an object"):
            with pytest.raises(RejectedError, match=words):
                await client.bundle([BundleItem("ticket")])
        assert await client.bundle([]) == []
        assert client.session.writes == 0


@pytest.mark.parametrize(
    ("code", "version"), [("v2026.3", "2026.3"), ("2025.16", "2025.16"), ("x", ""), (None, "")]
)
async def test_the_newest_version_is_the_one_of_the_look_up(code: str | None, version: str) -> None:
    fake = FakeConnectWise()
    fake.info = {**fake.info, "VersionCode": code}
    async with fake.client() as client:
        assert await client.newest_version() == await client.newest_version() == version
    assert len(fake.seen) == 1


REPORT_NAME = "ConfigurationAgreement"
STORED: dict[TicketKind, str] = {kind: path.removeprefix("/") for kind, path in TICKETS.items()}


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
    rows = [row async for page in client.report_rows(REPORT_NAME, COLUMNS, page_size=5) for row in page]
    expected = pairs(sandbox, "finance/agreements", "agreementId")
    assert {(row["AgreementRecId"], row["ConfigurationRecId"]) for row in rows} == expected
    assert len(rows) == await client.count_report(REPORT_NAME) == len(expected)
    number = sorted(expected)[0][0]
    narrowed = client.report_rows(REPORT_NAME, COLUMNS, equals("AgreementRecId", number))
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
        await anext(client.report_rows(REPORT_NAME, COLUMNS))
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


async def test_what_is_said_of_a_refused_item_is_short_and_holds_no_key() -> None:
    fake = FakeConnectWise()
    error = {"message": f"no {SETTINGS.private_key}", "errors": [{"message": "x" * 400}] * 90}
    results = [{"sequenceNumber": 1, "success": False, "statusCode": 400, "error": error}]
    fake.say("POST", "/system/bundles", httpx.Response(200, json={"results": results}))
    async with fake.client() as client:
        [answer] = await client.bundle([BundleItem("ticket")])
    assert answer.message.startswith("no ***")
    assert len(answer.message) <= 1000
