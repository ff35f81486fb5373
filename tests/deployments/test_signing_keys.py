"""The keys that are kept: what strangers name never displaces one that has fitted a message."""

from __future__ import annotations

import pytest

from deployments.receiver.messages import PutOffError
from deployments.receiver.verify import FETCH_WINDOW, KEPT_SECONDS, MAX_FETCHES, MAX_KEPT_KEYS, SigningKeys

pytestmark = pytest.mark.anyio
HOST = "api-na.myconnectwise.net"
KEY_URL = f"https://{HOST}/v4_6_release/apis/3.0/system/callbackkeys/1"


class Vendor:
    """Gives the same key at every address, and counts who asks; time passes only when told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = 1000.0
        self.keys = SigningKeys(self.fetch, hosts=[HOST], monotonic=lambda: self.now)

    async def fetch(self, url: str) -> str | None:
        self.asked.append(url)
        return "the key"

    async def key(self, url: str, *, newer: bool = False) -> str:
        return await self.keys.key(url, seconds=1, newer=newer)

    async def invented(self, number: int) -> None:
        """A stranger names so many addresses that give a key, as fast as they are fetched."""
        for each in range(number):
            self.now += FETCH_WINDOW / 10
            await self.key(f"{KEY_URL}?x={each}")


async def test_invented_queries_do_not_displace_a_key_that_fitted() -> None:
    vendor = Vendor()
    await vendor.key(KEY_URL)
    vendor.keys.fitted(KEY_URL)
    await vendor.invented(2 * MAX_KEPT_KEYS)
    await vendor.key(KEY_URL)
    assert vendor.asked.count(KEY_URL) == 1


async def test_a_key_that_fitted_nothing_gives_way() -> None:
    vendor = Vendor()
    await vendor.key(KEY_URL)
    await vendor.invented(2 * MAX_KEPT_KEYS)
    await vendor.key(KEY_URL)
    assert vendor.asked.count(KEY_URL) == 2


async def test_strangers_do_not_use_up_the_fetches_of_a_key_that_fitted() -> None:
    """It is renewed while they do their worst: a key that changed would refuse genuine messages."""
    vendor = Vendor()
    await vendor.key(KEY_URL)
    vendor.keys.fitted(KEY_URL)
    vendor.now += KEPT_SECONDS / 2
    for each in range(MAX_FETCHES):
        await vendor.key(f"{KEY_URL}?x={each}")
    with pytest.raises(PutOffError):
        await vendor.key(f"{KEY_URL}?x=more")
    await vendor.key(KEY_URL, newer=True)
    assert vendor.asked.count(KEY_URL) == 2
