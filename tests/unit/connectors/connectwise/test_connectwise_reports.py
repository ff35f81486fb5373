"""Reports and bundles: what is joined by position and by sequence number, against a fake server."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.connectwise.bulk_reads import BundleAnswer, BundleItem
from connectors.errors import RejectedError
from tests.support.fake_connectwise import FakeConnectWise, body_of, refusal

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
        (httpx.Response(200, json={"row_values": None}), "something else than rows"),
        (httpx.Response(200, json=[]), "something else than rows"),
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
    with pytest.raises(RejectedError, match="same page again"):
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
        for words in ("Too many requests in one bundle", "something else than a bundle's results"):
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
