"""Notes of tickets, the merged list, and statuses by name within the ticket's board."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.sandbox.connectwise.test_connectwise_service_desk import OLD, posted, small_world_store
from tests.support.sandbox.connectwise import World, caller, small_world
from tests.support.sandbox.service_desk import insert_service_desk, ticket

pytestmark = pytest.mark.anyio

NOTES = "/service/tickets/1/notes"


@pytest.fixture
def world() -> World:
    """Ticket 1 (service) and ticket 2 (project) on boards whose statuses have the same names."""
    made = small_world()
    insert_service_desk(made.store)
    return made


async def test_what_a_ticket_begins_with_becomes_notes_and_never_comes_back(world: World) -> None:
    initial = {"initialDescription": "dead", "initialInternalAnalysis": "fuse?", "initialResolution": "swap"}
    with caller(world) as client:
        made = await posted(client, "/service/tickets", ticket(**initial))
        address = f"/service/tickets/{made['id']}"
        again = (await client.get(address)).json()
        notes = (await client.get(f"{address}/notes")).json()
    assert not set(initial) & {*made, *again}
    flags = ("detailDescriptionFlag", "internalAnalysisFlag", "resolutionFlag")
    assert [(one["text"], [name for name in flags if one[name]]) for one in notes] == [
        ("dead", ["detailDescriptionFlag"]),
        ("fuse?", ["internalAnalysisFlag"]),
        ("swap", ["resolutionFlag"]),
    ]
    assert [one["internalFlag"] for one in notes] == [False, True, False]
    assert {one["ticketId"] for one in notes} == {made["id"]}
    assert {one["createdBy"] for one in notes} == {"apimember"}


@pytest.mark.parametrize("change", [{"initialDescription": "new"}, {"initialResolution": "new"}])
async def test_an_update_makes_no_notes_of_the_initial_members(world: World, change: dict[str, str]) -> None:
    [(name, value)] = change.items()
    with caller(world) as client:
        patch = [{"op": "replace", "path": name, "value": value}]
        assert (await client.patch("/service/tickets/1", json=patch)).status_code == 200
        notes = (await client.get(NOTES)).json()
    assert [one["text"] for one in notes] == ["Since Monday"]


async def test_notes_are_their_tickets_alone(world: World) -> None:
    with caller(world) as client:
        note = await posted(client, "/project/tickets/2/notes", {"text": "x", "ticketId": 1})
        assert note["ticketId"] == 2
        assert "createdBy" not in note
        for path in (f"{NOTES}/{note['id'] + 5}", "/service/tickets/2/notes", "/service/tickets/2/allNotes"):
            assert (await client.get(path)).status_code == 404, path
        mine = (await client.get(NOTES, params={"conditions": "ticketId=1"})).json()
        refusal = await client.get(NOTES, params={"conditions": "noteType='TicketNote'"})
    assert [one["text"] for one in mine] == ["Since Monday"]
    assert refusal.json()["message"] == "noteType is not a recognized name."


@pytest.mark.parametrize("moves", [True, False])
async def test_a_note_is_a_change_of_its_ticket_as_the_switch_says(moves: bool) -> None:
    now = "2026-01-01T00:00:00Z"
    world = World(small_world_store(lambda: datetime.fromisoformat(now)))
    world.switches.note_moves_last_updated = moves
    insert_service_desk(world.store)
    record = world.store.collection("service/tickets")[1]
    record["_info"] = {**record["_info"], **OLD}
    with caller(world) as client:
        made = await posted(client, NOTES, {"text": "x"})
    assert made["dateCreated"] == now
    assert record["_info"]["lastUpdated"] == (now if moves else OLD["lastUpdated"])


async def test_a_note_is_signed_by_the_member_or_the_contact(world: World) -> None:
    member = {"identifier": "apimember", "firstName": "Api", "lastName": "Member"}
    number = world.store.insert("system/members", member)["id"]
    with caller(world) as client:
        own = await posted(client, NOTES, {"text": "x"})
        theirs = await posted(client, NOTES, {"text": "x", "contact": {"id": 1}})
        merged = (await client.get("/service/tickets/1/allNotes")).json()
    assert (own["member"]["id"], own["member"]["identifier"]) == (number, "apimember")
    assert "member" not in theirs
    assert [one["_info"]["enteredBy"] for one in merged] == ["admin", "apimember", "apimember"]


async def test_a_deleted_ticket_takes_its_notes_along(world: World) -> None:
    with caller(world) as client:
        assert (await client.delete(f"{NOTES}/1")).status_code == 204
        await posted(client, NOTES, {"text": "x"})
        assert (await client.delete("/service/tickets/1")).status_code == 204
    assert not world.store.collection("service/tickets/notes")


@pytest.mark.parametrize(("board", "status"), [({"id": 1}, 2), ({"name": "Projects"}, 5)])
async def test_a_status_by_name_is_that_of_the_tickets_board(
    world: World, board: dict[str, Any], status: int
) -> None:
    with caller(world) as client:
        made = await posted(client, "/service/tickets", ticket(board=board, status={"name": "closed"}))
        patch = [{"op": "replace", "path": "status", "value": {"name": "New"}}]
        changed = (await client.patch(f"/service/tickets/{made['id']}", json=patch)).json()
    assert (made["status"]["id"], changed["status"]["id"]) == (status, status - 1)


async def test_a_status_by_name_without_a_board_is_that_of_the_default_board(world: World) -> None:
    with caller(world) as client:
        service = await posted(client, "/service/tickets", ticket(status={"name": "Closed"}))
        body = {"summary": "x", "phase": {"id": 1}, "status": {"name": "Closed"}, "type": {"name": "On site"}}
        project = await posted(client, "/project/tickets", body)
    assert (service["status"]["id"], project["status"]["id"], project["type"]["id"]) == (2, 5, 2)


async def test_a_status_that_the_board_does_not_have_is_refused(world: World) -> None:
    with caller(world) as client:
        patch = [{"op": "replace", "path": "status", "value": {"name": "Nowhere"}}]
        refusal = (await client.patch("/service/tickets/1", json=patch)).json()
    assert refusal["errors"][0]["message"] == "Service Status Nowhere not found for Service Board 1"
