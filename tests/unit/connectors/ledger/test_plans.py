"""Stored plans: whole and in their order, found by the beginning of their id, dropped when they are old."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from connectors.errors import StopError
from connectors.ledger import plans as stored
from connectors.ledger.database import reading, writing
from connectors.ledger.models import PlanHead, StoredPlan
from connectors.ledger.schema import plan_parts
from connectors.ledger.store import Ledger
from tests.support.ledger import Hand, hand, ledger, place

__all__ = ["hand", "ledger", "place"]
pytestmark = pytest.mark.anyio


def head(**changes: Any) -> PlanHead:
    values = {
        "feature": "asset-synchronization",
        "tenant": "connectwise:host:bluelight",
        "company_id": 7,
        "company": "BlueLightCo",
        "run_id": "run-1",
        "checksum": "c0ffee",
        "settings": {"prefix": "ls_"},
        "counts": {"read": 2},
        "details": {"references": {"type.name": ["ls_Linux"]}},
    }
    return PlanHead(**(values | changes))


def entries(number: int, width: int = 1) -> Iterator[dict[str, Any]]:
    return ({"asset_key": f"k{n}", "name": f"PC {n} é\x00" * width, "wanted": None} for n in range(number))


async def read(ledger: Ledger, plan: StoredPlan) -> list[dict[str, Any]]:
    return [each async for each in ledger.plans.entries(plan)]


async def parts(ledger: Ledger) -> int:
    async with reading(ledger._engine, "count") as connection:
        return int((await connection.execute(select(func.count()).select_from(plan_parts))).scalar_one())


@pytest.mark.parametrize("number", [0, 1, 3_000])
async def test_a_plan_comes_back_whole(ledger: Ledger, hand: Hand, number: int) -> None:
    kept = await ledger.plans.keep(head(), entries(number, 20), days=30)
    [found] = await ledger.plans.find(kept.id)
    assert found == kept
    assert (found.head, found.entries, found.made_at) == (head(), number, hand.moment)
    assert (found.expires_at - found.made_at).days == 30
    assert await read(ledger, found) == list(entries(number, 20))


async def test_a_plan_is_found_by_the_beginning_of_its_id(ledger: Ledger) -> None:
    first, second = [await ledger.plans.keep(head(), entries(1), days=1) for _ in range(2)]
    digits = first.id.removeprefix(stored.PLAN_PREFIX)
    for typed in (first.id[:-1], digits, f" {first.id.upper()} "):
        assert [each.id for each in await ledger.plans.find(typed)] == [first.id]
    assert {each.id for each in await ledger.plans.newest(9)} == {first.id, second.id}
    assert await ledger.plans.newest(9, company="Another") == []
    for typed in ("", "plan-", "%", "BlueLightCo", first.id + "0"):
        assert await ledger.plans.find(typed) == []


async def test_who_began_and_who_applied_it_is_noted(ledger: Ledger, hand: Hand) -> None:
    kept = await ledger.plans.keep(head(), entries(1), days=1)
    await ledger.plans.note_begun(kept.id, "run-2")
    [begun] = await ledger.plans.find(kept.id)
    assert (begun.begun_by, begun.applied_at, begun.applied_by) == ("run-2", None, "")
    await ledger.plans.note_applied(kept.id, "run-3")
    [applied] = await ledger.plans.find(kept.id)
    assert (applied.applied_at, applied.applied_by) == (hand.moment, "run-3")


async def test_old_plans_and_what_a_killed_run_left_are_dropped_by_the_next(
    ledger: Ledger, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await ledger.plans.keep(head(), entries(2), days=2)
    long = await ledger.plans.keep(head(company_id=8), entries(2), days=30)

    def broken() -> Iterator[dict[str, Any]]:
        yield from entries(3_000, 20)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await ledger.plans.keep(head(), broken(), days=30)
    left = await parts(ledger)
    assert left > 2
    hand.move(3 * stored.DAY_SECONDS)
    new = await ledger.plans.keep(head(), entries(2), days=30)
    assert {each.id for each in await ledger.plans.newest(9)} == {long.id, new.id}
    assert await parts(ledger) == 2
    with pytest.raises(StopError, match="Make a new plan"):
        await read(ledger, old)
    monkeypatch.setattr(stored, "MOST_PLANS", 1)
    hand.move(1)
    newest = await ledger.plans.keep(head(), entries(1), days=30)
    assert {each.id for each in await ledger.plans.newest(9)} == {long.id, newest.id}


@pytest.mark.parametrize("damage", ["gone", "torn", "another"])
async def test_a_damaged_plan_is_not_taken_for_whole(ledger: Ledger, damage: str) -> None:
    kept = await ledger.plans.keep(head(), entries(3), days=30)
    other = await ledger.plans.keep(head(), entries(2), days=30)
    of_plan = plan_parts.c.plan_id == kept.id
    body = select(plan_parts.c.body).where(plan_parts.c.plan_id == other.id).scalar_subquery()
    changes = {
        "gone": delete(plan_parts).where(of_plan),
        "torn": update(plan_parts).where(of_plan).values(body=b"x"),
        "another": update(plan_parts).where(of_plan).values(body=body),
    }
    async with writing(ledger._engine, "damage") as connection:
        await connection.execute(changes[damage])
    with pytest.raises(StopError, match="not those that were kept"):
        await read(ledger, kept)


async def test_memory_does_not_grow_with_the_plan(ledger: Ledger) -> None:
    async def most(number: int) -> int:
        tracemalloc.start()
        kept = await ledger.plans.keep(head(), entries(number, 10), days=30)
        async for _ in ledger.plans.entries(kept):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    await most(10)
    assert await most(30_000) < 1.5 * await most(10_000)
