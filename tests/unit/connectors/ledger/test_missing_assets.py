"""Since when assets are missing: counted by whole readings, from anew once an asset is back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.ledger.models import MissingAsset
from connectors.ledger.store import Ledger
from tests.support.ledger import Hand, hand, ledger, place

__all__ = ["hand", "ledger", "place"]
pytestmark = pytest.mark.anyio

TENANT = "connectwise:host:bluelight"
DAY = 86_400.0


def at(day: float) -> datetime:
    return datetime.fromtimestamp(day * DAY, UTC)


async def test_the_first_reading_stays_until_the_asset_is_seen_again(ledger: Ledger, hand: Hand) -> None:
    table = ledger.missing_assets
    for day, missing in enumerate(({"a": 1}, {"a": 1, "b": 2}, {"a": 1}, {"a": 1, "b": 2}), start=1):
        hand.now = day * DAY
        await table.note(TENANT, 7, missing)
    assert await table.of_company(TENANT, 7) == {
        "a": MissingAsset(1, at(1), at(4), 4),
        "b": MissingAsset(2, at(4), at(4), 1),
    }
    assert await table.of_company(TENANT, 8) == await table.of_company("another", 7) == {}
    await table.note(TENANT, 7, {})
    assert await table.of_company(TENANT, 7) == {}


async def test_another_configuration_of_the_asset_is_missing_anew(ledger: Ledger, hand: Hand) -> None:
    hand.now = DAY
    await ledger.missing_assets.note(TENANT, 7, {"a": 1})
    hand.now = 2 * DAY
    await ledger.missing_assets.note(TENANT, 7, {"a": 9, "no\nkey": 3})
    assert await ledger.missing_assets.of_company(TENANT, 7) == {"a": MissingAsset(9, at(2), at(2), 1)}
