"""Intents: one work order a record, whoever is killed and however many try at once."""

from __future__ import annotations

import anyio
import pytest

from connectors.errors import RetryableError, StopError
from connectors.ledger.claims import ClaimLostError
from connectors.ledger.models import Claimed, Intent, LinkEnd
from connectors.ledger.outbox import WORK_ORDER_KIND
from connectors.ledger.store import Ledger
from tests.support.ledger import Hand, hand, ledger, place, work_at_once

__all__ = ["hand", "ledger", "place"]
pytestmark = pytest.mark.anyio

TENANT = "connectwise:host:owner"
TICKET = LinkEnd("connectwise/service", "5")


async def claim(
    ledger: Ledger, holder: str = "a", *, record: int = 5, seconds: float = 60, new_generation: bool = False
) -> Claimed[Intent]:
    reference = f"CW-S-{record}"
    return await ledger.intents.claim(
        TENANT,
        "service",
        record,
        reference,
        holder=holder,
        seconds=seconds,
        new_generation=new_generation,
    )


async def test_a_new_record_gets_an_intent_that_says_everything(ledger: Ledger, hand: Hand) -> None:
    claimed = await claim(ledger)
    intent = claimed.row
    assert claimed.ours
    assert intent == Intent(
        intent.id,
        TENANT,
        "service",
        5,
        1,
        "CW-S-5",
        "intent",
        None,
        0,
        hand.moment,
        None,
        hand.moment,
        None,
    )
    assert await ledger.intents.newest(TENANT, "service", 5) == intent
    assert await ledger.intents.newest(TENANT, "project", 5) is None


async def test_one_holder_at_a_time_and_the_same_again(ledger: Ledger) -> None:
    first = await claim(ledger, "a")
    assert not (await claim(ledger, "b")).ours
    assert (await claim(ledger, "a")).ours
    await ledger.intents.release(first.row.id, "b")
    assert not (await claim(ledger, "b")).ours
    await ledger.intents.release(first.row.id, "a")
    assert (await claim(ledger, "b")).ours


async def test_a_killed_holder_is_followed_by_one_who_sees_what_was_sent(ledger: Ledger, hand: Hand) -> None:
    first = await claim(ledger, "a", seconds=60)
    await ledger.intents.mark_sent(first.row.id, "a", seconds=200)
    hand.move(199)
    assert not (await claim(ledger, "b")).ours
    hand.move(2)
    second = await claim(ledger, "b")
    assert (second.ours, second.row.state, second.row.attempts) == (True, "sent", 1)
    with pytest.raises(ClaimLostError):
        await ledger.intents.mark_sent(second.row.id, "b", seconds=60)


async def test_who_lost_the_claim_may_not_send(ledger: Ledger, hand: Hand) -> None:
    intent = (await claim(ledger, "slow")).row
    hand.move(61)
    assert (await claim(ledger, "quick")).ours
    for step in (
        ledger.intents.mark_sent(intent.id, "slow", seconds=60),
        ledger.intents.refused(intent.id, "slow", "no"),
        ledger.intents.unresolved(intent.id, "slow", "nothing"),
    ):
        with pytest.raises(ClaimLostError, match="took over"):
            await step
    assert issubclass(ClaimLostError, RetryableError)
    await ledger.intents.mark_sent(intent.id, "quick", seconds=60)


async def test_who_is_late_but_was_not_followed_may_still_send(ledger: Ledger, hand: Hand) -> None:
    intent = (await claim(ledger, "slow")).row
    hand.move(1000)
    await ledger.intents.mark_sent(intent.id, "slow", seconds=60)
    assert not (await claim(ledger, "quick")).ours


async def test_a_creation_is_linked_in_the_same_step(ledger: Ledger, hand: Hand) -> None:
    intent = (await claim(ledger)).row
    await ledger.intents.mark_sent(intent.id, "a", seconds=60)
    hand.move(3)
    created = await ledger.intents.created(intent.id, 900, {"title": "[CW-S-5] x"})
    assert (created.state, created.work_order_id, created.attempts) == ("created", 900, 1)
    assert created.sent_at is not None
    assert (created.changed_at - created.sent_at).total_seconds() == 3
    link = await ledger.links.from_left(TENANT, TICKET, WORK_ORDER_KIND)
    assert link is not None
    assert (link.right, link.details) == (LinkEnd(WORK_ORDER_KIND, "900"), {"title": "[CW-S-5] x"})
    assert await ledger.intents.of_work_order(TENANT, 900) == created
    assert (await claim(ledger, "b")).ours


async def test_a_work_order_is_known_from_whoever_reports_it(ledger: Ledger, hand: Hand) -> None:
    intent = (await claim(ledger, "a")).row
    await ledger.intents.mark_sent(intent.id, "a", seconds=60)
    hand.move(61)
    await claim(ledger, "b")
    await ledger.intents.unresolved(intent.id, "b", "nothing was found")
    assert (await ledger.intents.created(intent.id, 900)).state == "created"
    assert (await ledger.intents.created(intent.id, 900)).work_order_id == 900


async def test_a_second_work_order_is_an_error_and_changes_nothing(ledger: Ledger) -> None:
    intent = (await claim(ledger)).row
    await ledger.intents.created(intent.id, 900)
    with pytest.raises(StopError, match="is created with 900, and now 901 was made"):
        await ledger.intents.created(intent.id, 901)
    with pytest.raises(StopError, match="not in the ledger"):
        await ledger.intents.created(intent.id + 1, 902)
    assert await ledger.intents.of_work_order(TENANT, 901) is None
    assert await ledger.links.from_right(TENANT, LinkEnd(WORK_ORDER_KIND, "901")) is None


async def test_a_work_order_belongs_to_one_record(ledger: Ledger) -> None:
    await ledger.intents.created((await claim(ledger)).row.id, 900)
    other = (await claim(ledger, record=6)).row
    with pytest.raises(StopError, match="900 belongs to service 5"):
        await ledger.intents.created(other.id, 900)
    assert (await claim(ledger, record=6)).row.state == "intent"


async def test_a_refusal_keeps_its_reason_and_can_be_tried_again(ledger: Ledger) -> None:
    intent = (await claim(ledger)).row
    await ledger.intents.mark_sent(intent.id, "a", seconds=60)
    await ledger.intents.refused(intent.id, "a", "Zip is required. " + "x" * 5000)
    again = await claim(ledger, "b")
    assert (again.ours, again.row.state) == (True, "refused")
    assert again.row.message is not None
    assert again.row.message.startswith("Zip is required.")
    assert len(again.row.message) == 2000
    await ledger.intents.mark_sent(intent.id, "b", seconds=60)
    assert (await ledger.intents.created(intent.id, 900)).attempts == 2


async def test_what_was_sent_or_is_unresolved_is_not_cancelled(ledger: Ledger) -> None:
    intent = (await claim(ledger)).row
    await ledger.intents.mark_sent(intent.id, "a", seconds=60)
    with pytest.raises(ClaimLostError, match="not known what its creation made"):
        await ledger.intents.cancel(intent.id, "the ticket was closed", even_unresolved=True)
    await ledger.intents.unresolved(intent.id, "a", "nothing was found")
    with pytest.raises(ClaimLostError):
        await ledger.intents.cancel(intent.id, "the ticket was closed")
    await ledger.intents.cancel(intent.id, "seen by hand", even_unresolved=True)
    assert [one.id for one in await ledger.intents.in_state(TENANT, "cancelled")] == [intent.id]


async def test_nothing_is_sent_for_a_cancelled_intent(ledger: Ledger) -> None:
    intent = (await claim(ledger)).row
    await ledger.intents.cancel(intent.id, "the ticket left the trigger")
    assert (await claim(ledger)).row.state == "cancelled"
    with pytest.raises(ClaimLostError):
        await ledger.intents.mark_sent(intent.id, "a", seconds=60)
    with pytest.raises(StopError, match="is cancelled"):
        await ledger.intents.created(intent.id, 900)


async def test_the_next_generation_begins_only_after_the_last_one_ended(ledger: Ledger) -> None:
    first = (await claim(ledger)).row
    assert (await claim(ledger, new_generation=True)).row == first
    await ledger.intents.created(first.id, 900)
    assert (await claim(ledger, new_generation=True)).row.generation == 1
    await ledger.intents.cancel(first.id, "paid")
    assert (await claim(ledger)).row.generation == 1
    second = (await claim(ledger, new_generation=True)).row
    assert (second.generation, second.state, second.work_order_id) == (2, "intent", None)
    await ledger.intents.created(second.id, 950)
    link = await ledger.links.from_left(TENANT, TICKET, WORK_ORDER_KIND)
    assert link is not None
    assert link.right.id == "950"
    assert await ledger.links.from_right(TENANT, LinkEnd(WORK_ORDER_KIND, "900")) is None
    old = await ledger.intents.of_work_order(TENANT, 900)
    assert old is not None
    assert old.generation == 1


async def test_intents_are_counted_and_listed_by_state(ledger: Ledger) -> None:
    ids = [(await claim(ledger, record=record)).row.id for record in (5, 6, 7)]
    await ledger.intents.created(ids[0], 900)
    await ledger.intents.mark_sent(ids[2], "a", seconds=60)
    assert await ledger.intents.count(TENANT) == {"created": 1, "intent": 1, "sent": 1}
    unfinished = await ledger.intents.in_state(TENANT, "intent", "sent", "unresolved")
    assert [one.record_id for one in unfinished] == [6, 7]
    assert await ledger.intents.in_state("other", "created") == []


async def test_of_twenty_tasks_at_once_one_gets_the_claim(ledger: Ledger) -> None:
    ours: list[bool] = []

    async def one(number: int) -> None:
        ours.append((await claim(ledger, f"task {number}")).ours)

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(one, number)
    assert (ours.count(True), len(ours)) == (1, 20)
    assert await ledger.intents.count(TENANT) == {"intent": 1}


async def test_processes_that_try_at_once_make_one_work_order_a_record(place: str) -> None:
    async with Ledger.open(place) as ledger:
        for record in range(6):
            claimed = await ledger.intents.claim("t", "service", record, "r", holder="x", seconds=0)
            await ledger.intents.cancel(claimed.row.id, "paid")
    made = work_at_once(place, "create", 12)
    assert sorted(made[0] + made[1]) == list(range(12))
    async with Ledger.open(place) as ledger:
        created = await ledger.intents.in_state("t", "created")
        generations = {one.record_id: one.generation for one in created}
        assert generations == {record: 2 if record < 6 else 1 for record in range(12)}
        assert len(await ledger.links.of_kind("t", WORK_ORDER_KIND)) == 12
