"""Time entries charged to tickets, opportunities with their notes, types of boards and priorities."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.connectwise.test_service_desk import posted
from tests.support.sandbox.connectwise import World, caller, small_world
from tests.support.sandbox.service_desk import insert_sales_and_time, insert_service_desk, ticket

pytestmark = pytest.mark.anyio

START, END = "2026-03-02T08:00:00Z", "2026-03-02T09:30:00Z"


@pytest.fixture
def world() -> World:
    """Ticket 1 (service) and ticket 2 (project); no time entries, no opportunities."""
    made = small_world()
    insert_service_desk(made.store)
    return made


def entry(**members: Any) -> dict[str, Any]:
    return {"chargeToId": 1, "chargeToType": "ServiceTicket", "timeStart": START, **members}


@pytest.mark.parametrize(
    ("members", "hours"),
    [
        ({"timeEnd": END, "actualHours": 7}, 1.5),
        ({"timeEnd": END, "hoursDeduct": 0.5}, 1.0),
        ({"actualHours": 2.25}, 2.25),
        ({}, None),
    ],
)
async def test_hours_follow_from_start_and_end(
    world: World, members: dict[str, Any], hours: float | None
) -> None:
    with caller(world) as client:
        made = await posted(client, "/time/entries", entry(**members))
        charged = (await client.get("/service/tickets/1")).json()
    assert made.get("actualHours") == hours
    assert charged["actualHours"] == (hours or 0)
    assert (made["ticket"], made["company"]["id"]) == (made["ticket"] | {"id": 1}, 1)
    assert made["ticket"]["summary"] == "It is broken"
    assert (made["enteredBy"], made["status"]) == ("apimember", "Open")


async def test_hours_of_a_ticket_add_up_and_go_with_their_entry(world: World) -> None:
    project = entry(chargeToId=2, chargeToType="ProjectTicket", actualHours=1)
    with caller(world) as client:
        made = [
            await posted(client, "/time/entries", one)
            for one in (project, {**project, "actualHours": 0.5}, entry(actualHours=9))
        ]
        hours = [(await client.get("/project/tickets/2")).json()["actualHours"]]
        change = [{"op": "replace", "path": "actualHours", "value": 3}]
        await client.patch(f"/time/entries/{made[0]['id']}", json=change)
        hours.append((await client.get("/project/tickets/2")).json()["actualHours"])
        await client.delete(f"/time/entries/{made[0]['id']}")
        hours.append((await client.get("/project/tickets/2")).json()["actualHours"])
    assert hours == [1.5, 3.5, 0.5]
    assert made[0]["phase"]["name"] == "Planning"


@pytest.mark.parametrize(
    ("members", "code", "field"),
    [
        ({"timeStart": "2026-03-02T08:00:00.5Z"}, "InvalidField", "timeStart"),
        ({"timeEnd": "2026-03-02T09:00:00.000Z"}, "InvalidField", "timeEnd"),
        ({"timeEnd": "2026-03-02T07:00:00Z"}, "InvalidField", "timeEnd"),
        ({"timeStart": None}, "MissingRequiredField", "timeStart"),
        ({"chargeToId": 2}, "NotFound", "chargeToId"),
        ({"chargeToId": 1, "chargeToType": "ProjectTicket"}, "NotFound", "chargeToId"),
    ],
)
async def test_time_that_is_refused(world: World, members: dict[str, Any], code: str, field: str) -> None:
    with caller(world) as client:
        refusal = await posted(client, "/time/entries", entry(**members), 400)
        assert (await client.get("/time/entries/count")).json() == {"count": 0}
    assert (code, field) in {(one["code"], one["field"]) for one in refusal["errors"]}


async def test_a_fraction_is_refused_in_the_recorded_words(world: World) -> None:
    with caller(world) as client:
        refusal = await posted(client, "/time/entries", entry(timeStart="2026-03-02T08:00:00.123Z"), 400)
    assert refusal["errors"][0]["message"] == "Unsupported format applied to timeStart"


async def test_notes_of_time_are_in_the_merged_list_alone(world: World) -> None:
    with caller(world) as client:
        await posted(client, "/time/entries", entry(notes="Swapped it", addToInternalAnalysisFlag=True))
        await posted(client, "/time/entries", entry())
        own = (await client.get("/service/tickets/1/notes")).json()
        merged = (await client.get("/service/tickets/1/allNotes")).json()
        found = {"conditions": "noteType='TimeEntryNote'"}
        timed = (await client.get("/service/tickets/1/allNotes", params=found)).json()
    assert [one["text"] for one in own] == ["Since Monday"]
    shown = [(one["noteType"], one["text"], one["internalAnalysisFlag"]) for one in merged]
    assert shown == [("TicketNote", "Since Monday", False), ("TimeEntryNote", "Swapped it", True)]
    assert [(one["timeStart"], one["ticket"]["id"]) for one in timed] == [(START, 1)]
    assert merged[0]["id"] == merged[1]["id"], "ids of the two kinds may be the same"


async def test_entries_are_found_by_what_they_are_charged_to(world: World) -> None:
    with caller(world) as client:
        for number, kind in ((1, "ServiceTicket"), (2, "ProjectTicket")):
            await posted(client, "/time/entries", entry(chargeToId=number, chargeToType=kind))
        query = {"conditions": "chargeToType='ProjectTicket' and chargeToId=2"}
        found = (await client.get("/time/entries", params=query)).json()
    assert [one["id"] for one in found] == [2]


async def test_opportunities_have_a_status_a_type_by_name_and_notes(world: World) -> None:
    insert_sales_and_time(world.store)
    people = {"primarySalesRep": {"identifier": "jdoe"}, "company": {"id": 1}, "contact": {"id": 1}}
    with caller(world) as client:
        body = {"name": "Plant", **people, "type": {"name": "Project"}}
        made = await posted(client, "/sales/opportunities", body)
        await posted(client, f"/sales/opportunities/{made['id']}/notes", {"text": "Called"})
        notes = (await client.get(f"/sales/opportunities/{made['id']}/notes")).json()
        refusal = await posted(client, f"/sales/opportunities/{made['id']}/notes", {}, 400)
        assert (await client.get("/sales/opportunities/9/notes")).status_code == 404
    assert (made["status"]["name"], made["type"]["name"]) == ("Open", "Project")
    [note] = notes
    assert (note["text"], note["opportunityId"], note["enteredBy"]) == ("Called", made["id"], "apimember")
    assert refusal["errors"][0]["message"] == "The text field is required."


async def test_a_new_ticket_has_the_default_priority_and_the_address_of_its_site(world: World) -> None:
    world.store.insert("service/priorities", {"name": "Usual", "color": "Blue", "defaultFlag": True})
    state = world.store.insert("company/states", {"identifier": "TX", "name": "Texas", "country": {"id": 1}})[
        "id"
    ]
    place = {"addressLine1": "1 Row", "city": "Austin", "zip": "78735", "stateReference": {"id": state}}
    world.store.edit("company/sites", 1, place)
    with caller(world) as client:
        made = await posted(client, "/service/tickets", ticket(site={"id": 1}))
        site = (await client.get("/company/companies/1/sites/1")).json()
    assert made["priority"]["name"] == "Usual"
    names = ("siteName", "addressLine1", "city", "stateIdentifier", "zip")
    assert [made[name] for name in names] == ["Main", "1 Row", "Austin", "TX", "78735"]
    assert site["stateReference"]["identifier"] == "TX"
