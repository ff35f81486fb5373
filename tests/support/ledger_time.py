"""A ledger whose time stands still until a test moves it on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from connectors.ledger.database import Clock
from connectors.ledger.store import Ledger


class Hand:
    """The hand of the ledger's clock, in seconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.5

    def move(self, seconds: float) -> None:
        self.now += seconds

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
async def ledger(place: str, hand: Hand) -> AsyncIterator[Ledger]:
    async with Ledger.open(place, clock=Clock(now=lambda: hand.now)) as ledger:
        yield ledger
