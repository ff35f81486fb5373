"""The connection check: each thing that can be wrong is told apart, in words."""

from __future__ import annotations

import ssl

import httpx
import pytest

from connectors.checks import ConnectionCheck
from connectors.connectwise.block import check_connection
from tests.support.fake_connectwise import SETTINGS, Answer, FakeConnectWise, refusal

pytestmark = pytest.mark.anyio

COLLECTIONS = (
    "/company/configurations",
    "/company/configurations/types",
    "/company/configurations/statuses",
    "/company/companies",
    "/procurement/manufacturers",
    "/system/locations",
    "/system/userDefinedFields",
)


def fake_with_all() -> FakeConnectWise:
    return FakeConnectWise({path: [{"id": 1}] for path in COLLECTIONS})


async def check(fake: FakeConnectWise) -> ConnectionCheck:
    async with fake.client(read_only=True) as client:
        return await check_connection(client)


def untrusted() -> httpx.ConnectError:
    error = httpx.ConnectError("verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed")
    return error


async def test_a_good_connection_names_the_company_and_reads_little() -> None:
    fake = fake_with_all()
    result = await check(fake)
    assert result == ConnectionCheck(True, "Connected to Blue Light, Co., ConnectWise version v4.6.100.")
    assert len(fake.seen) == 1 + len(COLLECTIONS)
    assert {request.url.params.get("pageSize") for request in fake.seen[1:]} == {"1"}


async def test_a_wrong_company() -> None:
    fake = fake_with_all()
    fake.info = None
    result = await check(fake)
    assert not result.ok
    assert "does not know the company 'bluelight'" in result.message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(401, "Unauthorized", "UserNotAuthenticated"), "public and private key"),
        (refusal(404, "", ""), "wrong keys may also give 404"),
        (refusal(403, "Forbidden", "ClientID header is missing"), "client ID"),
        (untrusted(), "certificate can't be verified"),
        (httpx.ConnectError("no route"), "No connection could be made"),
    ],
)
async def test_what_stops_everything(answer: Answer, words: str) -> None:
    fake = fake_with_all()
    fake.say("GET", COLLECTIONS[0], *[answer] * 4)
    result = await check(fake)
    assert not result.ok
    assert words in result.message


async def test_every_missing_right_is_named() -> None:
    fake = fake_with_all()
    for path in COLLECTIONS[3:5]:
        fake.say("GET", path, refusal(403, "Security", "You do not have security permission."))
    result = await check(fake)
    assert not result.ok
    assert "may not read: companies, manufacturers" in result.message
    assert "security role" in result.message


async def test_no_check_shows_a_key() -> None:
    fake = fake_with_all()
    fake.say("GET", COLLECTIONS[0], refusal(401, "Unauthorized", f"no such key {SETTINGS.private_key}"))
    assert SETTINGS.private_key not in str(await check(fake))
