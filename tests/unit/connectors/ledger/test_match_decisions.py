"""Decisions on matches: one stands for an asset, many pairs never match; withdrawn by hand or by undo."""

from __future__ import annotations

import pytest

from connectors.ledger.models import MatchDecision
from connectors.ledger.store import Ledger
from tests.support.ledger import Hand, hand, ledger, place

__all__ = ["hand", "ledger", "place"]
pytestmark = pytest.mark.anyio

TENANT = "connectwise:host:bluelight"


async def kept(ledger: Ledger, company: int = 7) -> list[tuple[str, str, int]]:
    found = await ledger.match_decisions.of_company(TENANT, company)
    return [(each.kind, each.asset_key, each.configuration_id) for each in found]


async def test_a_decision_takes_the_place_of_those_that_it_contradicts(ledger: Ledger) -> None:
    decide = ledger.match_decisions.decide
    await decide(TENANT, 7, MatchDecision("never", "a", 1))
    await decide(TENANT, 7, MatchDecision("never", "a", 2))
    await decide(TENANT, 7, MatchDecision("ignore", "a", 0))
    await decide(TENANT, 7, MatchDecision("link", "b", 1))
    assert await kept(ledger) == [("ignore", "a", 0), ("never", "a", 1), ("never", "a", 2), ("link", "b", 1)]
    await decide(TENANT, 7, MatchDecision("link", "a", 1))
    assert await kept(ledger) == [("link", "a", 1), ("never", "a", 2)]
    await decide(TENANT, 7, MatchDecision("never", "a", 1))
    assert await kept(ledger) == [("never", "a", 1), ("never", "a", 2)]
    assert await kept(ledger, 8) == []


async def test_a_decision_is_withdrawn_alone_by_asset_or_with_its_run(ledger: Ledger) -> None:
    decisions = ledger.match_decisions
    for each in ((1, "r1"), (2, "r1"), (3, "r2")):
        await decisions.decide(TENANT, 7, MatchDecision("never", "a", each[0], run_id=each[1]))
    await decisions.withdraw(TENANT, 7, "a", 1)
    assert await kept(ledger) == [("never", "a", 2), ("never", "a", 3)]
    await decisions.withdraw_of_run("another", "r1")
    await decisions.withdraw_of_run(TENANT, "r1")
    assert await kept(ledger) == [("never", "a", 3)]
    await decisions.withdraw(TENANT, 7, "a")
    assert await kept(ledger) == []


async def test_the_newest_are_shown_first_with_their_names(ledger: Ledger, hand: Hand) -> None:
    for number in (1, 2, 3):
        hand.now = 1000.0 * number
        await ledger.match_decisions.decide(
            TENANT, number, MatchDecision("link", "a", number, "PC\u0000-7", "Old PC", "run")
        )
    every = await ledger.match_decisions.every(2)
    assert [(tenant, company) for tenant, company, _ in every] == [(TENANT, 3), (TENANT, 2)]
    assert every[0][2].configuration_name == "Old PC"
