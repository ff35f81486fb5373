"""The keys that are kept: what strangers name never displaces one that has fitted a message."""

from __future__ import annotations

import pytest

from deployments.receiver.messages import PutOffError, RefusedError, sender_network
from deployments.receiver.verify import (
    FETCH_WINDOW,
    KEPT_SECONDS,
    MAX_FETCHES,
    MAX_KEPT_KEYS,
    MISSING_SECONDS,
    SigningKeys,
)

pytestmark = pytest.mark.anyio
HOST = "api-na.myconnectwise.net"
KEY_URL = f"https://{HOST}/v4_6_release/apis/3.0/system/callbackkeys/1"


class Vendor:
    """Gives the same key at every address, and counts who asks; time passes only when told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = 1000.0
        self.found: str | None = "the key"
        self.remembered: list[list[str]] = []
        self.keys = SigningKeys(
            self.fetch, hosts=[HOST], remember=self.remembered.append, monotonic=lambda: self.now
        )

    async def fetch(self, url: str) -> str | None:
        self.asked.append(url)
        return self.found

    async def key(self, url: str, *, newer: bool = False, sender: str = "") -> str:
        return await self.keys.key(url, seconds=1, newer=newer, sender=sender)

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


async def test_an_address_of_an_earlier_process_has_fetches_that_no_stranger_uses_up() -> None:
    vendor = Vendor()
    vendor.keys.expect([KEY_URL, "https://elsewhere.example/key", 7, None])
    for each in range(MAX_FETCHES):
        await vendor.key(f"{KEY_URL}?x={each}")
    assert await vendor.key(KEY_URL) == "the key"
    with pytest.raises(RefusedError):
        await vendor.key("https://elsewhere.example/key")


async def test_what_fitted_is_told_once_to_be_remembered() -> None:
    vendor = Vendor()
    await vendor.key(KEY_URL)
    assert vendor.remembered == []
    for _ in range(3):
        vendor.keys.fitted(KEY_URL)
    await vendor.key(f"{KEY_URL}2")
    vendor.keys.fitted(f"{KEY_URL}2")
    assert vendor.remembered == [[KEY_URL], [KEY_URL, f"{KEY_URL}2"]]


async def test_one_network_does_not_use_up_the_first_fetches_of_another() -> None:
    vendor = Vendor()
    for each in range(MAX_FETCHES):
        await vendor.key(f"{KEY_URL}?x={each}", sender="203.0.113.0/24")
    with pytest.raises(PutOffError, match="too many"):
        await vendor.key(f"{KEY_URL}?x=more", sender="203.0.113.0/24")
    assert await vendor.key(KEY_URL, sender="198.51.100.0/24") == "the key"


async def test_many_networks_together_are_bounded_too() -> None:
    vendor = Vendor()
    for each in range(2 * MAX_FETCHES):
        await vendor.key(f"{KEY_URL}?x={each}", sender=str(each))
    with pytest.raises(PutOffError, match="too many"):
        await vendor.key(KEY_URL, sender="a new one")
    assert len(vendor.asked) == 2 * MAX_FETCHES


async def test_a_key_that_fitted_and_is_gone_loses_no_message() -> None:
    """A gateway in trouble says 404 too, and what is refused is not sent again. No old key is believed."""
    vendor = Vendor()
    await vendor.key(KEY_URL)
    vendor.keys.fitted(KEY_URL)
    vendor.now, vendor.found = vendor.now + KEPT_SECONDS, None
    for _ in range(2):
        with pytest.raises(PutOffError, match="gone"):
            await vendor.key(KEY_URL)
    with pytest.raises(RefusedError, match="no such key"):
        await vendor.key(f"{KEY_URL}2")
    vendor.now, vendor.found = vendor.now + MISSING_SECONDS, "the next key"
    assert await vendor.key(KEY_URL) == "the next key"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("proxy", ""),
        (None, ""),
    ],
)
def test_senders_count_by_their_network(address: str | None, network: str) -> None:
    assert sender_network(address) == network
