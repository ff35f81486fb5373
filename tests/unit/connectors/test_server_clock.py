"""The vendor's clock is read from its answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.http import ServerClock
from tests.support.fake_connectwise import FakeConnectWise

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_without_an_answer_it_is_our_own() -> None:
    clock = ServerClock(lambda: NOON)
    for header in (None, "", "soon", "Mon, 99 May 2026 11:00:00 GMT"):
        clock.hear(header)
    assert clock.now() == NOON


def test_it_goes_on_from_the_newest_answer() -> None:
    own = [NOON]
    clock = ServerClock(lambda: own[-1])
    clock.hear("Mon, 04 May 2026 13:00:00 GMT")
    clock.hear("Mon, 04 May 2026 11:00:00 GMT")
    own.append(NOON + timedelta(minutes=5))
    assert clock.now() == datetime(2026, 5, 4, 11, 5, tzinfo=UTC)


@pytest.mark.anyio
async def test_every_answer_of_a_client_tells_it() -> None:
    vendor = FakeConnectWise()
    answer = httpx.Response(200, json=[], headers={"Link": "", "Date": "Mon, 04 May 2026 11:00:00 GMT"})
    vendor.say("GET", "/company/companies", answer)
    async with vendor.client() as client:
        await client.companies.list()
        assert abs(client.session.clock.now() - datetime(2026, 5, 4, 11, tzinfo=UTC)) < timedelta(minutes=1)
