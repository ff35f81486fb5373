"""What a record carries where nobody says: marked defaults, the contact's and the site's details, flags."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox.connectwise import World, caller, small_world
from tests.support.sandbox.service_desk import insert_service_desk

pytestmark = pytest.mark.anyio

WORDS = "Please choose where to display the notes in order to save this record."


@pytest.fixture
def world() -> World:
    """A desk with a marked priority, source, type and team, and a contact who can be reached."""
    made = small_world()
    store = made.store
    insert_service_desk(store)
    store.insert("company/communicationTypes", {"description": "Email", "emailFlag": True})
    items = [
        {"type": {"id": 2}, "value": "ada@x.test"},
        {"type": {"id": 1}, "value": "555-0100", "extension": "7"},
    ]
    store.edit("company/contacts", 1, {"communicationItems": items, "site": {"id": 1}})
    for collection, number in (
        ("service/priorities", 2),
        ("service/sources", 1),
        ("service/boards/types", 1),
        ("service/boards/teams", 1),
    ):
        store.edit(collection, number, {"defaultFlag": True})
    return made


async def posted(world: World, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    with caller(world) as client:
        answer = await client.post(path, json=body)
    return answer.status_code, answer.json()


async def test_a_new_ticket_has_the_marked_defaults_and_the_contacts_details(world: World) -> None:
    given = {"summary": "x", "company": {"id": 1}, "contact": {"id": 1}}
    _, made = await posted(world, "/service/tickets", given)
    names = {name: made[name]["name"] for name in ("priority", "source", "type", "team", "site", "location")}
    assert names == {
        "priority": "Priority 3", "source": "Phone", "type": "On site", "team": "First line",
        "site": "Main", "location": "HQ",
    }  # fmt: skip
    details = [made[f"contact{name}"] for name in ("Name", "PhoneNumber", "PhoneExtension", "EmailAddress")]
    assert details == ["Ada Blue Light, Co.", "555-0100", "7", "ada@x.test"]
    assert (made["estimatedTimeCost"], made["billingMethod"]) == (0.0, "ActualRates")


async def test_the_details_change_with_the_contact_and_stay_where_they_were_sent(world: World) -> None:
    path = "/service/tickets"
    _, made = await posted(world, path, {"summary": "x", "company": {"id": 1}, "contact": {"id": 1}})
    world.store.insert("company/contacts", {"firstName": "Bo", "company": {"id": 1}})
    change = [{"op": "replace", "path": "contact", "value": {"id": 3}}]
    named = [*change, {"op": "replace", "path": "contactPhoneNumber", "value": "1"}]
    with caller(world) as client:
        moved = (await client.patch(f"{path}/{made['id']}", json=change)).json()
        assert (moved["contactName"], moved.get("contactEmailAddress")) == ("Bo", None)
        back = [{"op": "replace", "path": "contact", "value": {"id": 1}}]
        assert (await client.patch(f"{path}/{made['id']}", json=back)).json()["contactPhoneNumber"]
        assert (await client.patch(f"{path}/{made['id']}", json=named)).json()["contactPhoneNumber"] == "1"


async def test_a_removed_flag_is_shown_with_its_default(world: World) -> None:
    operations = [{"op": "remove", "path": "approved"}, {"op": "remove", "path": "budgetHours"}]
    with caller(world) as client:
        shown = (await client.patch("/service/tickets/1", json=operations)).json()
    assert (shown["approved"], shown["budgetHours"]) == (False, 0.0)


@pytest.mark.parametrize("path", ["/service/tickets/1/notes", "/project/tickets/2/notes"])
@pytest.mark.parametrize("flags", [{}, {"internalAnalysisFlag": False, "resolutionFlag": None}])
async def test_a_note_says_where_it_is_shown(world: World, path: str, flags: dict[str, Any]) -> None:
    status, refusal = await posted(world, path, {"text": "x", **flags})
    assert (status, refusal["code"], refusal["errors"][0]["message"]) == (400, "InvalidObject", WORDS)
    status, note = await posted(world, path, {"text": "x", "resolutionFlag": True})
    assert status == 201
    with caller(world) as client:
        hidden = [{"op": "replace", "path": "resolutionFlag", "value": False}]
        assert (await client.patch(f"{path}/{note['id']}", json=hidden)).status_code == 400


async def test_communication_items_are_numbered_and_say_their_kind(world: World) -> None:
    given = {"firstName": "Eve", "communicationItems": [{"type": {"name": "Email"}, "value": "e@x.test"}]}
    status, made = await posted(world, "/company/contacts", given)
    item = made["communicationItems"][0]
    assert (status, item["id"], item["communicationType"], item["domain"]) == (201, 1, "Email", "@x.test")
    assert item["type"]["name"] == "Email"
    given["communicationItems"] = [{"type": {"id": 99}, "value": "x"}]
    assert (await posted(world, "/company/contacts", given))[0] == 400
