"""Links between records, tickets and their configurations, state entries, copies of notes, side effects."""

from __future__ import annotations

import time

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Connection

from connectors.errors import StopError
from connectors.ledger.claims import ClaimLostError
from connectors.ledger.database import FOLDER, create_engine, database_url, writing
from connectors.ledger.models import Claimed, LinkEnd, SyncedNote, TicketLink
from connectors.ledger.store import Ledger
from tests.support.ledger import Hand, hand, ledger, new_place, place, start_python

__all__ = ["hand", "ledger", "new_place", "place"]
pytestmark = pytest.mark.anyio


TENANT = "connectwise:host:owner"
SAVE = """
import sys, anyio
from connectors.ledger.models import TicketLink
from connectors.ledger.store import Ledger
async def main():
    async with Ledger.open(sys.argv[1]) as ledger:
        for turn in range(10):
            numbers = range(200) if int(sys.argv[2]) else reversed(range(200))
            links = [TicketLink("service", n, sys.argv[2], (n, turn)) for n in numbers]
            await ledger.ticket_links.save("t", 1, links)
            await ledger.state.set("t", "sweep", {"by": sys.argv[2], "turn": turn})
anyio.run(main)
"""


def link(
    ticket: int, *configurations: int, kind: str = "service", at: str = "2026-11-21T09:00:00Z"
) -> TicketLink:
    return TicketLink(kind, ticket, at, configurations)


async def test_links_come_back_as_they_were_saved(ledger: Ledger) -> None:
    saved = [link(5, 70, 71), link(9), link(5, 3, kind="project", at="")]
    await ledger.ticket_links.save(TENANT, 7, saved)
    assert await ledger.ticket_links.of_company(TENANT, 7) == [saved[2], saved[0], saved[1]]


async def test_a_ticket_saved_again_is_replaced(ledger: Ledger) -> None:
    await ledger.ticket_links.save(TENANT, 7, [link(5, 70), link(6, 71)])
    newer = link(5, 72, at="2026-11-22T09:00:00Z")
    await ledger.ticket_links.save(TENANT, 7, [link(5, 1), newer])
    assert await ledger.ticket_links.of_company(TENANT, 7) == [newer, link(6, 71)]


async def test_links_belong_to_a_tenant_and_a_company(ledger: Ledger) -> None:
    await ledger.ticket_links.save(TENANT, 7, [link(5, 70)])
    await ledger.ticket_links.save(TENANT, 8, [link(5, 80)])
    await ledger.ticket_links.save("other", 7, [link(5, 90)])
    await ledger.ticket_links.forget(TENANT, 7, [("service", 5)])
    assert await ledger.ticket_links.of_company(TENANT, 7) == []
    assert await ledger.ticket_links.of_company(TENANT, 8) == [link(5, 80)]
    assert await ledger.ticket_links.of_company("other", 7) == [link(5, 90)]


async def test_only_the_named_tickets_are_forgotten(ledger: Ledger) -> None:
    await ledger.ticket_links.save(TENANT, 7, [link(5), link(5, kind="project"), link(6)])
    await ledger.ticket_links.forget(TENANT, 7, [("service", 5), ("service", 99), ("service", 5)])
    assert await ledger.ticket_links.of_company(TENANT, 7) == [link(5, kind="project"), link(6)]


async def test_nothing_to_save_or_forget_is_nothing_to_do(ledger: Ledger) -> None:
    await ledger.ticket_links.save(TENANT, 7, [])
    await ledger.ticket_links.forget(TENANT, 7, [])
    assert await ledger.ticket_links.of_company(TENANT, 7) == []


async def test_a_watermark_is_the_last_that_was_set(ledger: Ledger) -> None:
    assert await ledger.state.get(TENANT, "ways") is None
    await ledger.state.set(TENANT, "ways", {"report": True})
    await ledger.state.set(TENANT, "ways", {"bundle": 20, "é": [None]})
    await ledger.state.set(TENANT, "other", {})
    assert await ledger.state.get(TENANT, "ways") == {"bundle": 20, "é": [None]}
    assert await ledger.state.get(TENANT, "other") == {}
    assert await ledger.state.get("other", "ways") is None


async def test_5000_tickets_are_saved_and_read_in_little_time(place: str) -> None:
    links = [link(number, number, number + 1) for number in range(5000)]
    async with Ledger.open(place) as ledger:
        started = time.process_time()
        await ledger.ticket_links.save(TENANT, 7, links)
        await ledger.ticket_links.save(TENANT, 7, links)
        assert await ledger.ticket_links.of_company(TENANT, 7) == links
        await ledger.ticket_links.forget(TENANT, 7, [("service", number) for number in range(5000)])
        assert time.process_time() - started < 3
        assert await ledger.ticket_links.of_company(TENANT, 7) == []


@pytest.mark.slow
async def test_two_processes_may_save_the_same_tickets_at_once(place: str) -> None:
    savers = [start_python("-c", SAVE, place, str(number)) for number in range(2)]
    assert [saver.communicate(timeout=60)[1] for saver in savers] == [b"", b""]
    async with Ledger.open(place) as ledger:
        saved = await ledger.ticket_links.of_company("t", 1)
        last = await ledger.state.get("t", "sweep")
    assert [one.ticket_id for one in saved] == list(range(200))
    # Each save is one transaction: all tickets are of one and the same.
    assert len({(one.last_updated, one.configuration_ids[1]) for one in saved}) == 1
    assert last is not None
    assert last["turn"] == 9


async def test_a_ledger_of_the_first_version_is_brought_up_to_date_with_what_it_holds(new_place: str) -> None:
    def first_version(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    engine = create_engine(database_url(new_place))
    async with writing(engine, "make the first tables") as connection:
        await connection.run_sync(first_version)
        row = "INSERT INTO batches_in_flight VALUES (1, 'run', 'cw', 7, '[\"a\"]', 10, 1.5)"
        await connection.execute(text(row))
    await engine.dispose()
    async with Ledger.open(new_place) as ledger:
        (batch,) = await ledger.batches.in_flight("tenant", 7, "cw")
        await ledger.state.set(TENANT, "ways", {"new": 1})
    assert batch.asset_keys == ["a"]


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


async def test_an_entry_and_its_ticket_links_move_to_the_tenant_once(ledger: Ledger) -> None:
    link = TicketLink("service", 5, "then", (1, 2))
    await ledger.state.set("credential", "tickets of company 6", {"runs_since": 1})
    await ledger.state.set("credential", "ways", {"version": "1"})
    await ledger.ticket_links.save("credential", 6, [link])
    await ledger.ticket_links.save("credential", 7, [link])
    await ledger.ticket_links.save("tenant", 6, [TicketLink("service", 9, "stray", ())])
    await ledger.state.adopt("tenant", "credential", "tickets of company 6", with_links_of=6)
    assert await ledger.state.get("tenant", "tickets of company 6") == {"runs_since": 1}
    assert await ledger.state.get("credential", "tickets of company 6") is None
    assert await ledger.ticket_links.of_company("tenant", 6) == [link]
    assert await ledger.ticket_links.of_company("credential", 6) == []
    assert await ledger.ticket_links.of_company("credential", 7) == [link]
    assert await ledger.state.get("credential", "ways") == {"version": "1"}


async def test_what_the_tenant_knows_already_is_not_replaced_by_an_older_entry(ledger: Ledger) -> None:
    new, old = TicketLink("service", 5, "now", (1,)), TicketLink("service", 6, "then", (2,))
    await ledger.state.set("tenant", "tickets of company 6", {"runs_since": 0})
    await ledger.ticket_links.save("tenant", 6, [new])
    await ledger.state.set("credential", "tickets of company 6", {"runs_since": 4})
    await ledger.ticket_links.save("credential", 6, [old])
    for _ in range(2):
        await ledger.state.adopt("tenant", "credential", "tickets of company 6", with_links_of=6)
    assert await ledger.state.get("tenant", "tickets of company 6") == {"runs_since": 0}
    assert await ledger.ticket_links.of_company("tenant", 6) == [new]
    assert await ledger.ticket_links.of_company("credential", 6) == []


async def test_what_dispatch_keeps_moves_from_an_earlier_spelling_of_the_tenant(ledger: Ledger) -> None:
    old, new = "acme@cw.example.com:443|fn", "acme@cw.example.com|fn"
    intent = (await ledger.intents.claim(old, "service", 5, "CW-S-5", holder="h", seconds=60)).row
    await ledger.state.set(old, "dispatch-begun", {"at": "then"})
    await ledger.adopt_tenant(new, new)
    await ledger.adopt_tenant(new, old)
    moved = await ledger.intents.newest(new, "service", 5)
    assert moved is not None
    assert moved.id == intent.id
    assert await ledger.intents.newest(old, "service", 5) is None
    assert await ledger.state.get(new, "dispatch-begun") == {"at": "then"}


async def test_rows_of_both_spellings_are_not_mixed(ledger: Ledger) -> None:
    for tenant in ("new", "old"):
        await ledger.intents.claim(tenant, "service", 5, "CW-S-5", holder="h", seconds=60)
    await ledger.adopt_tenant("new", "old")
    assert await ledger.intents.newest("old", "service", 5) is not None
