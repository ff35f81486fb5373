"""The inbox: each message once, in batches, to one holder at a time."""

from __future__ import annotations

import anyio
import pytest

from connectors.ledger.inbox import NewMessage
from connectors.ledger.models import InboxMessage
from connectors.ledger.store import Ledger
from tests.support.ledger import Hand, hand, ledger, place, work_at_once

__all__ = ["hand", "ledger", "place"]
pytestmark = pytest.mark.anyio

BODY = {"Action": "updated", "ID": 5, "Entity": '{"id": 5, "summary": "é"}'}


async def fill(ledger: Ledger, *ids: str, source: str = "connectwise") -> None:
    for message_id in ids:
        assert await ledger.inbox.put(source, message_id, BODY)


async def claim(ledger: Ledger, holder: str = "a", limit: int = 10) -> list[InboxMessage]:
    return await ledger.inbox.claim(holder, limit=limit, seconds=60)


def ids(messages: list[InboxMessage]) -> list[int]:
    return [message.id for message in messages]


def names(messages: list[InboxMessage]) -> list[str]:
    return [message.message_id for message in messages]


async def test_a_message_is_kept_once_a_source_also_after_it_was_settled(ledger: Ledger) -> None:
    await fill(ledger, "m-1")
    assert not await ledger.inbox.put("connectwise", "m-1", {"other": 1})
    await fill(ledger, "m-1", source="field_nation")
    taken = await claim(ledger)
    await ledger.inbox.acknowledge(ids(taken), "a")
    assert not await ledger.inbox.put("connectwise", "m-1", BODY)
    assert await ledger.inbox.count() == {"done": 2}


async def test_several_are_kept_at_once_each_of_them_once(ledger: Ledger) -> None:
    await fill(ledger, "m-2")
    several = [("connectwise", name, {"n": n}) for n, name in enumerate(["m-3", "m-2", "m-1", "m-3"])]
    assert await ledger.inbox.put_all(several) == [True, False, True, False]
    assert await ledger.inbox.put_all(several) == [False] * 4
    kept = {each.message_id: each.body for each in await claim(ledger)}
    assert kept == {"m-1": {"n": 2}, "m-2": BODY, "m-3": {"n": 0}}


async def test_a_message_counts_once_by_its_digest_too(ledger: Ledger) -> None:
    """The digests are no messages: they are neither handed out nor counted, and forgotten in their time."""
    given = [("field_nation", name, {"n": n}) for n, name in enumerate(["m-1", "m-2", "m-3", "m-4"])]
    assert await ledger.inbox.put_all(given, ["one", "one", "", "two"]) == [True, False, True, True]
    again: list[NewMessage] = [
        ("field_nation", "m-5", {}),
        ("field_nation", "m-4", {}),
        ("connectwise", "m-6", {}),
    ]
    assert await ledger.inbox.put_all(again, ["two", "three", "two"]) == [False, False, True]
    assert names(await claim(ledger)) == ["m-1", "m-3", "m-4", "m-6"]
    assert await ledger.inbox.count() == {"waiting": 4}
    await ledger.inbox.forget(older_than=-1)
    assert await ledger.inbox.put_all(again[:1], ["two"]) == [True]


async def test_messages_come_whole_oldest_first_and_of_one_source_if_asked(
    ledger: Ledger, hand: Hand
) -> None:
    await fill(ledger, "m-2", "m-1")
    await fill(ledger, "w-1", source="field_nation")
    (webhook,) = await ledger.inbox.claim("w", limit=10, seconds=60, source="field_nation")
    assert (webhook.source, webhook.message_id) == ("field_nation", "w-1")
    first, second = await claim(ledger)
    assert first == InboxMessage(first.id, "connectwise", "m-2", BODY, 1, hand.moment)
    assert second.message_id == "m-1"


async def test_what_one_holds_another_does_not_get(ledger: Ledger) -> None:
    await fill(ledger, *"abcde")
    assert names(await claim(ledger, "one", limit=2)) == ["a", "b"]
    assert names(await claim(ledger, "two", limit=2)) == ["c", "d"]
    assert names(await claim(ledger, "one", limit=2)) == ["e"]
    assert await claim(ledger, "two") == []


async def test_a_killed_holders_messages_come_back(ledger: Ledger, hand: Hand) -> None:
    await fill(ledger, *"abc")
    taken = await claim(ledger, "killed")
    hand.move(59)
    assert await claim(ledger, "next") == []
    hand.move(2)
    again = await claim(ledger, "next", limit=2)
    assert [(message.message_id, message.attempts) for message in again] == [("a", 2), ("b", 2)]
    assert await ledger.inbox.acknowledge(ids(taken), "killed") == 1
    assert await ledger.inbox.count() == {"done": 1, "waiting": 2}
    assert await ledger.inbox.acknowledge(ids(again), "next") == 2


async def test_who_needs_longer_holds_on(ledger: Ledger, hand: Hand) -> None:
    await fill(ledger, "a", "b")
    first, second = await claim(ledger, "slow")
    hand.move(50)
    assert await ledger.inbox.extend([first.id], "slow", seconds=60) == {first.id}
    hand.move(50)
    assert names(await claim(ledger, "next")) == ["b"]
    assert await ledger.inbox.extend([first.id, second.id], "slow", seconds=60) == {first.id}


async def test_a_message_that_can_not_be_settled_waits_before_it_comes_again(
    ledger: Ledger, hand: Hand
) -> None:
    await fill(ledger, "a", "b")
    first, second = await claim(ledger)
    await ledger.inbox.requeue([first.id], "a", after=30, message="Field Nation is away")
    await ledger.inbox.requeue([second.id], "other", after=0)
    hand.move(29)
    assert await claim(ledger, "next") == []
    hand.move(1)
    assert [(one.message_id, one.attempts) for one in await claim(ledger, "next")] == [("a", 2)]


async def test_a_message_that_was_given_up_does_not_come_again(ledger: Ledger, hand: Hand) -> None:
    await fill(ledger, "a")
    taken = await claim(ledger)
    await ledger.inbox.reject(ids(taken), "other", "not mine")
    await ledger.inbox.reject(ids(taken), "a", "x" * 5000)
    hand.move(10_000)
    assert await claim(ledger, "next") == []
    assert await ledger.inbox.count() == {"failed": 1}
    assert not await ledger.inbox.put("connectwise", "a", BODY)


async def test_settled_messages_are_forgotten_in_time_and_waiting_ones_never(
    ledger: Ledger, hand: Hand
) -> None:
    await fill(ledger, "old", "new", "waits")
    old, new, _ = await claim(ledger)
    await ledger.inbox.acknowledge([old.id], "a")
    hand.move(1000)
    await ledger.inbox.acknowledge([new.id], "a")
    assert await ledger.inbox.forget(older_than=500) == 1
    assert await ledger.inbox.count() == {"done": 1, "waiting": 1}
    await fill(ledger, "old")


async def test_nothing_to_claim_or_settle_is_nothing_to_do(ledger: Ledger) -> None:
    assert await claim(ledger) == []
    assert await ledger.inbox.acknowledge([], "a") == 0
    assert await ledger.inbox.count() == {}


async def test_of_twenty_deliveries_at_once_one_is_kept(ledger: Ledger) -> None:
    kept: list[bool] = []

    async def deliver() -> None:
        kept.append(await ledger.inbox.put("connectwise", "m-1", BODY))

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(deliver)
    assert (kept.count(True), len(kept)) == (1, 20)


async def test_processes_that_drain_at_once_settle_each_message_once(place: str) -> None:
    async with Ledger.open(place) as ledger:
        await fill(ledger, *(f"m-{number:02}" for number in range(60)))
        seen = work_at_once(place, "drain", 4)
        assert sorted(seen[0] + seen[1]) == [f"m-{number:02}" for number in range(60)]
        assert seen == [sorted(each) for each in seen]
        assert await ledger.inbox.count() == {"done": 60}
