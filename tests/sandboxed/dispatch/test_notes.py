"""Notes of either side appear once on the other, over many rounds, and never come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.dispatch.notes import copy_notes
from tasks.dispatch.work_order_events import sync_events
from tasks.rules.dispatch.events import NoteSettings
from tasks.rules.dispatch.result import DispatchStatus
from tests.support.work_orders import OPPORTUNITY, PROJECT, SERVICE, FieldDesk, event_rules
from tests.unit.rules.dispatch.test_odd_shapes import deep

pytestmark = pytest.mark.anyio


def write(desk: FieldDesk, ticket: int, text: str, flag: str = "detailDescriptionFlag") -> int:
    """A technician writes in ConnectWise."""
    record = {"ticketId": ticket, "text": text, flag: True, "member": {"id": 1}}
    return desk.sandbox.add("service/tickets/notes", record)


async def test_a_note_written_on_each_side_appears_once_on_the_other(desk: FieldDesk) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        desk.provider(number, "accept")
        note = write(desk, ticket, "Ask for Mia at the gate")
        secret = write(desk, ticket, "They pay late", "internalAnalysisFlag")
        desk.provider(number, "message", message="Which gate?")
        first = await copy_notes(run, number)
        assert len(first.did) == 2
        for _ in range(3):
            assert (await copy_notes(run, number)).status is DispatchStatus.UNCHANGED
        said = [(one["role"], one["message"]) for one in await run.field_nation.list_messages(number)]
    assert said[0] == ("TECHTOMANAGER", "Which gate?")
    assert said[1][0] == "ASSIGNEDTECH"
    assert "Ask for Mia at the gate" in said[1][1]
    assert said[1][1].endswith(f"[CW-S-{ticket}-note-{note}]")
    assert len(said) == 2
    assert not any("pay late" in text for _, text in said)
    copies = [one for one in desk.notes(ticket) if one["id"] not in (note, secret)]
    assert [one["internalAnalysisFlag"] for one in copies] == [True]
    assert "Which gate?" in copies[0]["text"]


async def test_rounds_of_talk_in_both_directions_make_no_echo(desk: FieldDesk) -> None:
    settings = event_rules(notes=NoteSettings(internal_too=True, provider_messages_internal=False))
    async with desk.run(settings) as run:
        ticket, number = await desk.dispatched(run)
        desk.provider(number, "accept")
        for turn in range(4):
            write(desk, ticket, f"question {turn}")
            write(desk, ticket, f"aside {turn}", "internalAnalysisFlag")
            desk.provider(number, "message", message=f"answer {turn}")
            desk.provider(number, "message", message=f"staff {turn}", user=9001)
            await copy_notes(run, number)
            await sync_events(run, number)
            await copy_notes(run, number)
        said = await run.field_nation.list_messages(number)
    texts = [one["message"] for one in said]
    assert len(texts) == 4 * 4
    notes = [one["text"] for one in desk.notes(ticket)]
    assert len(notes) == 4 * 4
    for turn in range(4):
        for words in (f"question {turn}", f"aside {turn}", f"answer {turn}", f"staff {turn}"):
            assert sum(words in text for text in texts) == 1
            assert sum(words in text for text in notes) == 1
    hidden = {one["message"].partition(": ")[2][:5]: one["role"] for one in said if "[CW-" in one["message"]}
    assert hidden == {"quest": "ASSIGNEDTECH", "aside": "INTERNAL"}
    shown = {"answer": False, "staff": True}
    for one in desk.notes(ticket):
        for word, internal in shown.items():
            if word in one["text"]:
                assert one["internalAnalysisFlag"] is internal


async def test_what_the_notes_cost(desk: FieldDesk) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        await copy_notes(run, number)
        assert desk.sent() == {
            "connectwise": {"GET /service/tickets/{id}/notes": 1},
            "field_nation": {"GET /workorders/{id}/messages": 1},
        }
        write(desk, ticket, "One")
        desk.sandbox.clear_requests()
        await copy_notes(run, number)
        assert desk.sent()["field_nation"] == {
            "GET /workorders/{id}/messages": 1,
            "POST /workorders/{id}/messages": 1,
        }


async def test_the_description_is_not_said_again_but_what_repeats_it_later_is(desk: FieldDesk) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        again = write(desk, ticket, desk.description(ticket))
        assert (await copy_notes(run, number)).did == (f"note {again} to Field Nation",)


async def test_project_tickets_and_opportunities_talk_too(desk: FieldDesk) -> None:
    async with desk.run() as run:
        for kind in (PROJECT, OPPORTUNITY):
            record, number = await desk.dispatched(run, kind)
            desk.provider(number, "accept")
            desk.provider(number, "message", message=f"For the {kind.words}")
            assert (await copy_notes(run, number)).did[-1].startswith("message")
            assert (await copy_notes(run, number)).status is DispatchStatus.UNCHANGED
            assert sum("For the" in one["text"] for one in desk.notes(record, kind)) == 1


async def test_a_forgotten_ledger_finds_its_copies_again(desk: FieldDesk, tmp_path: Path) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        desk.provider(number, "accept")
        write(desk, ticket, "Ask for Mia")
        desk.provider(number, "message", message="Here")
        await copy_notes(run, number)
        before = len(await run.field_nation.list_messages(number)), len(desk.notes(ticket))
    desk.ledger = tmp_path / "other.db"
    async with desk.run() as run:
        await desk.link(run, SERVICE, ticket, number)
        await copy_notes(run, number)
        await copy_notes(run, number)
        assert (len(await run.field_nation.list_messages(number)), len(desk.notes(ticket))) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings", [NoteSettings(to_field_nation=False), NoteSettings(to_connectwise=False)]
)
async def test_each_direction_can_be_switched_off(desk: FieldDesk, settings: NoteSettings) -> None:
    async with desk.run(event_rules(notes=settings)) as run:
        ticket, number = await desk.dispatched(run)
        write(desk, ticket, "Down")
        desk.provider(number, "accept")
        desk.provider(number, "message", message="Up")
        [done] = (await copy_notes(run, number)).did[-1:]
    assert done.startswith("note" if settings.to_field_nation else "message")


async def test_a_deleted_ticket_is_reported(desk: FieldDesk) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        desk.sandbox.delete("service/tickets", ticket)
        assert (await copy_notes(run, number)).status is DispatchStatus.REPORTED


async def test_a_note_that_can_not_be_copied_leaves_the_others(
    desk: FieldDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has no id, one no text, and one fails while it is copied: each is told, all others are there."""
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        desk.provider(number, "accept")
        for word in ("one", "two", "three"):
            write(desk, ticket, f"Note {word}")
        desk.provider(number, "message", message="Which gate?")
        listed, post = run.field_nation.list_messages, run.field_nation.post_message

        async def with_odd(work_order_id: int) -> list[dict[str, Any]]:
            odd = [{"message": "no id"}, {"msg_id": None, "message": "null"}, {"msg_id": 9, "from": deep()}]
            return [*odd, *await listed(work_order_id)]

        async def fails(work_order_id: int, text: str, **options: Any) -> Any:
            if "Note one" in text:
                raise RuntimeError("no foreseen error")
            return await post(work_order_id, text, **options)

        monkeypatch.setattr(run.field_nation, "list_messages", with_odd)
        monkeypatch.setattr(run.field_nation, "post_message", fails)
        result = await copy_notes(run, number)
        assert len(result.did) == 3
        assert result.status is DispatchStatus.REPORTED
        told = " ".join(result.warnings)
        assert "A message without an id can't be copied (2 of " in told
        assert "it could not be done: no foreseen error" in told
        monkeypatch.undo()
        said = " ".join(one["message"] for one in await run.field_nation.list_messages(number))
        assert ("Note two" in said, "Note three" in said, "Note one" in said) == (True, True, False)
