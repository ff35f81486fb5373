"""Links between records of two systems, the copies of notes, and what happens once."""

from __future__ import annotations

import pytest

from connectors.errors import StopError
from connectors.ledger.claims import ClaimLostError
from connectors.ledger.models import Claimed, LinkEnd, SyncedNote
from connectors.ledger.store import Ledger
from tests.support.ledger_places import place
from tests.support.ledger_time import Hand, hand, ledger

__all__ = ["hand", "ledger", "place"]
pytestmark = pytest.mark.anyio

TENANT = "connectwise:host:owner"


def ticket(number: int) -> LinkEnd:
    return LinkEnd("connectwise/service", str(number))


def order(number: int) -> LinkEnd:
    return LinkEnd("field_nation/work_order", str(number))


async def test_a_link_is_found_from_both_sides(ledger: Ledger, hand: Hand) -> None:
    made = await ledger.links.put(TENANT, ticket(5), order(900), {"sent": {"title": "é"}})
    assert (made.left, made.right, made.details) == (ticket(5), order(900), {"sent": {"title": "é"}})
    assert made.created_at == hand.moment
    assert await ledger.links.from_left(TENANT, ticket(5), order(0).kind) == made
    assert await ledger.links.from_right(TENANT, order(900)) == made
    assert await ledger.links.from_right(TENANT, order(900), ticket(0).kind) == made
    assert await ledger.links.from_left("other", ticket(5), order(0).kind) is None
    assert await ledger.links.from_left(TENANT, ticket(5), "field_nation/project") is None
    assert await ledger.links.from_right(TENANT, order(900), "connectwise/project") is None


async def test_the_same_link_again_keeps_its_details_unless_new_ones_are_given(ledger: Ledger) -> None:
    first = await ledger.links.put(TENANT, ticket(5), order(900), {"a": 1})
    assert await ledger.links.put(TENANT, ticket(5), order(900)) == first
    changed = await ledger.links.put(TENANT, ticket(5), order(900), {"a": 2})
    assert (changed.id, changed.details) == (first.id, {"a": 2})
    await ledger.links.set_details(first.id, {"a": 3})
    assert [one.details for one in await ledger.links.of_kind(TENANT, order(0).kind)] == [{"a": 3}]


@pytest.mark.parametrize(("left", "right"), [(5, 901), (6, 900)])
async def test_a_record_is_linked_with_one_record_only(ledger: Ledger, left: int, right: int) -> None:
    await ledger.links.put(TENANT, ticket(5), order(900))
    with pytest.raises(
        StopError, match="there is already connectwise/service 5 - field_nation/work_order 900"
    ):
        await ledger.links.put(TENANT, ticket(left), order(right))
    assert len(await ledger.links.of_kind(TENANT, order(0).kind)) == 1


async def test_two_links_can_not_be_crossed(ledger: Ledger) -> None:
    await ledger.links.put(TENANT, ticket(5), order(900))
    await ledger.links.put(TENANT, ticket(6), order(901))
    with pytest.raises(StopError, match=r"5 - .*900, .*6 - .*901"):
        await ledger.links.put(TENANT, ticket(5), order(901))


async def test_a_removed_link_makes_room(ledger: Ledger) -> None:
    made = await ledger.links.put(TENANT, ticket(5), order(900))
    await ledger.links.remove(made.id)
    await ledger.links.remove(made.id)
    await ledger.links.put(TENANT, ticket(6), order(900))
    await ledger.links.put("other", ticket(5), order(900))
    assert [one.left for one in await ledger.links.of_kind(TENANT, order(0).kind)] == [ticket(6)]


async def claim_note(ledger: Ledger, note: str = "7", holder: str = "a") -> Claimed[SyncedNote]:
    return await ledger.notes.claim(TENANT, 900, "connectwise", note, holder=holder, seconds=60)


async def test_a_note_is_copied_once(ledger: Ledger) -> None:
    claimed = await claim_note(ledger)
    assert (claimed.ours, claimed.row.state, claimed.row.copy_id) == (True, "intent", None)
    assert not (await claim_note(ledger, holder="b")).ours
    await ledger.notes.mark_sent(claimed.row.id, "a", seconds=60)
    copied = await ledger.notes.copied(claimed.row.id, "fn-1")
    assert (copied.state, copied.copy_id, copied.attempts) == ("done", "fn-1", 1)
    again = await claim_note(ledger, holder="b")
    assert (again.ours, again.row) == (False, copied)


async def test_a_note_whose_copying_was_killed_is_seen_as_sent(ledger: Ledger, hand: Hand) -> None:
    first = await claim_note(ledger)
    await ledger.notes.mark_sent(first.row.id, "a", seconds=60)
    hand.move(61)
    second = await claim_note(ledger, holder="b")
    assert (second.ours, second.row.state, second.row.sent_at is not None) == (True, "sent", True)
    await ledger.notes.unresolved(second.row.id, "b", "not found")
    third = await claim_note(ledger, holder="c")
    await ledger.notes.mark_sent(third.row.id, "c", seconds=60)
    assert (await ledger.notes.copied(third.row.id, "fn-2")).attempts == 2


async def test_a_second_copy_is_an_error(ledger: Ledger) -> None:
    first, second = await claim_note(ledger, "7"), await claim_note(ledger, "8")
    await ledger.notes.copied(first.row.id, "fn-1")
    with pytest.raises(StopError, match="is done with fn-1, and now fn-2 was made"):
        await ledger.notes.copied(first.row.id, "fn-2")
    with pytest.raises(StopError):
        await ledger.notes.copied(second.row.id, "fn-1")


async def test_copies_are_told_from_new_notes(ledger: Ledger) -> None:
    await ledger.notes.copied((await claim_note(ledger, "7")).row.id, "fn-1")
    back = await ledger.notes.claim(TENANT, 900, "field_nation", "fn-9", holder="a", seconds=60)
    await ledger.notes.copied(back.row.id, "12")
    known = await ledger.notes.of_work_order(TENANT, 900)
    assert [(one.origin, one.origin_id, one.copy_id) for one in known] == [
        ("connectwise", "7", "fn-1"),
        ("field_nation", "fn-9", "12"),
    ]
    assert await ledger.notes.of_work_order(TENANT, 901) == []


async def test_an_effect_happens_once_a_work_order(ledger: Ledger) -> None:
    claimed = await ledger.effects.claim(TENANT, 900, "completed/note", holder="a", seconds=60)
    await ledger.effects.mark_sent(claimed.row.id, "a", seconds=60)
    done = await ledger.effects.done(claimed.row.id, "15")
    assert (done.state, done.result_id, done.attempts) == ("done", "15", 1)
    assert not (await ledger.effects.claim(TENANT, 900, "completed/note", holder="b", seconds=60)).ours
    assert (await ledger.effects.claim(TENANT, 901, "completed/note", holder="b", seconds=60)).ours
    assert await ledger.effects.done(done.id, "15") == done
    assert await ledger.effects.of_work_order(TENANT, 900) == [done]


async def test_an_effect_without_a_result_is_done_as_well(ledger: Ledger) -> None:
    claimed = await ledger.effects.claim(TENANT, 900, "assigned/status", holder="a", seconds=60)
    assert (await ledger.effects.done(claimed.row.id)).state == "done"
    with pytest.raises(ClaimLostError):
        await ledger.effects.refused(claimed.row.id, "a", "too late")
