"""Agreements, boards, tickets and notes: what follows from what, configurations, the merged list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from sandbox.connectwise.store import Store
from tests.support.sandbox.connectwise import World, caller, insert_configurations, small_world
from tests.support.sandbox.service_desk import agreement, insert_service_desk, ticket

pytestmark = pytest.mark.anyio


LINKS = "/service/tickets/1/configurations"
OLD = {"lastUpdated": "2020-01-01T00:00:00Z"}


@pytest.fixture
def world() -> World:
    """Ticket 1 (service) has the configurations 1 and 2, ticket 2 (project) has 2; 3 belongs to none."""
    made = small_world()
    insert_configurations(made, {"name": "a"}, {"name": "b"}, {"name": "c", "deviceIdentifier": "dev-3"})
    insert_service_desk(made.store)
    for one in (1, 2):
        made.store.links("service/tickets/configurations").add(1, one)
    made.store.links("project/tickets/configurations").add(2, 2)
    return made


@pytest.mark.parametrize("member", ["team", "type", "status", "subType", "item"])
async def test_what_is_another_board_s_is_refused_by_its_board(member: str) -> None:
    world = small_world()
    insert_service_desk(world.store)
    for name in ("service/boards/subtypes", "service/boards/items"):
        for board in (1, 2):
            world.store.insert(name, {"name": f"Of {board}", "board": {"id": board}})
    other = {"team": 2, "type": 2, "status": 4, "subType": 2, "item": 2}[member]
    with caller(world) as client:
        for reference, words in (({"id": other}, str(other)), ({"name": "Nobody's"}, "Nobody's")):
            body = ticket(board={"id": 1}, **{member: reference})
            refused = await client.post("/service/tickets", json=body)
            [fault] = refused.json()["errors"]
            assert refused.status_code == 400
            assert fault["message"].endswith(f"{words} not found for Service Board 1")


async def found(client: httpx.AsyncClient, path: str, conditions: str) -> list[int]:
    response = await client.get(path, params={"conditions": conditions, "fields": "id"})
    assert response.status_code == 200, response.text
    return [one["id"] for one in response.json()]


async def refused(client: httpx.AsyncClient, path: str, conditions: str) -> str:
    response = await client.get(path, params={"conditions": conditions})
    assert (response.status_code, response.json()["code"]) == (400, "ApiFindCondition"), response.text
    return str(response.json()["message"])


async def posted(client: httpx.AsyncClient, path: str, body: Any, status: int = 201) -> Any:
    response = await client.post(path, json=body)
    assert response.status_code == status, response.text
    return response.json()


async def test_a_ticket_gets_board_and_status_and_is_closed_by_the_status_flag(world: World) -> None:
    with caller(world) as client:
        made = await posted(client, "/service/tickets", ticket())
        assert (made["board"]["name"], made["status"]["name"]) == ("Help Desk", "New")
        assert (made["recordType"], made["closedFlag"]) == ("ServiceTicket", False)
        address = f"/service/tickets/{made['id']}"
        for status, closed in ((2, False), (3, True), (1, False)):
            change = [{"op": "replace", "path": "status", "value": {"id": status}}]
            changed = (await client.patch(address, json=change)).json()
            assert (changed["closedFlag"], "closedDate" in changed) == (closed, closed), changed["status"]


async def test_the_initial_description_never_comes_back(world: World) -> None:
    with caller(world) as client:
        made = await posted(client, "/service/tickets", ticket(initialDescription="since Monday"))
    assert "initialDescription" not in made


async def test_a_status_of_another_board_is_refused_in_the_vendors_words(world: World) -> None:
    with caller(world) as client:
        body = await posted(client, "/service/tickets", ticket(board={"id": 1}, status={"id": 5}), 400)
    assert body["message"] == "ticket object is invalid"
    assert body["errors"][0]["message"] == "Service Status 5 not found for Service Board 1"
    assert body["errors"][0]["field"] == "status/id"


async def test_project_tickets_share_the_ids_and_take_project_and_company_from_the_phase(
    world: World,
) -> None:
    with caller(world) as client:
        first = await posted(client, "/project/tickets", {"summary": "x", "phase": {"id": 1}})
        second = await posted(client, "/service/tickets", ticket())
        assert (await client.get(f"/service/tickets/{first['id']}")).status_code == 404
    assert second["id"] == first["id"] + 1
    assert (first["company"]["id"], first["project"]["name"]) == (1, "Office move")
    assert first["board"]["name"] == "Projects"
    assert "recordType" not in first


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({}, "Active"),
        ({"endDate": "2020-01-01T00:00:00Z"}, "Expired"),
        ({"endDate": "2020-01-01T00:00:00Z", "noEndingDateFlag": True}, "Active"),
        ({"endDate": "2999-01-01T00:00:00Z"}, "Active"),
        ({"startDate": "2999-01-01T00:00:00Z"}, "Inactive"),
        ({"cancelledFlag": True, "endDate": "2020-01-01T00:00:00Z"}, "Cancelled"),
    ],
)
async def test_the_status_of_an_agreement_is_computed(
    world: World, members: dict[str, Any], status: str
) -> None:
    with caller(world) as client:
        made = await posted(client, "/finance/agreements", agreement(agreementStatus="Active", **members))
    assert made["agreementStatus"] == status


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/service/tickets/1", "severity"),
        ("/service/tickets/1", "impact"),
        ("/finance/agreements/1", "billTime"),
    ],
)
async def test_what_a_creation_may_leave_out_an_update_needs(world: World, path: str, member: str) -> None:
    with caller(world) as client:
        whole = (await client.get(path)).json()
        assert (await client.put(path, json=whole)).status_code == 200
        refusal = await client.put(path, json={**whole, member: None})
    fault = refusal.json()["errors"][0]
    assert (fault["code"], fault["message"]) == ("MissingRequiredField", f"The {member} field is required.")


async def test_a_put_leaves_what_the_server_computed(world: World) -> None:
    closed = ticket(
        board={"id": 1}, status={"id": 3}, closedDate="2024-05-05T05:05:05Z", severity="Low", impact="Low"
    )
    number = world.store.insert("service/tickets", closed)["id"]
    with caller(world) as client:
        put = await client.put(f"/service/tickets/{number}", json={**closed, "closedDate": None})
    assert (put.json()["closedFlag"], put.json()["closedDate"]) == (True, "2024-05-05T05:05:05Z")


async def test_items_of_a_child_collection_are_very_small(world: World) -> None:
    with caller(world) as client:
        await posted(client, LINKS, {"deviceIdentifier": "dev-3"})
        items = (await client.get(LINKS, params={"orderBy": "id desc"})).json()
        assert (await client.get(f"{LINKS}/count")).json() == {"count": 3}
        assert (await client.get(f"{LINKS}/2")).json()["id"] == 2
    assert [one["id"] for one in items] == [3, 2, 1]
    assert set(items[0]) == {"id", "deviceIdentifier", "_info"}
    assert items[0]["_info"]["configuration_href"].endswith("//company/configurations/3")


async def test_child_collections_come_in_pages(world: World) -> None:
    insert_configurations(world, *({"name": f"n{number}"} for number in range(40)))
    for number in range(4, 40):
        world.store.links("finance/agreements/configurations").add(1, number)
    with caller(world) as client:
        path = "/finance/agreements/1/configurations"
        assert len((await client.get(path)).json()) == 25
        page = await client.get(path, params={"pageSize": 20, "page": 2})
    assert [one["id"] for one in page.json()] == list(range(24, 40))
    assert 'rel="prev"' in page.headers["Link"]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({}, "MissingRequiredField", "id or deviceIdentifier is required."),
        ({"id": 99}, "NotFound", "Configuration 99 not found"),
        ({"deviceIdentifier": "none"}, "NotFound", "Configuration none not found"),
        ({"id": 1}, "ObjectExists", "A matching configuration entry already exists"),
    ],
)
async def test_what_can_not_be_attached(world: World, body: Any, code: str, message: str) -> None:
    with caller(world) as client:
        fault = (await posted(client, LINKS, body, 400))["errors"][0]
    assert (fault["code"], fault["message"], fault["resource"]) == (code, message, "configuration")


async def test_children_of_nobody_and_of_the_other_kind_are_not_found(world: World) -> None:
    with caller(world) as client:
        for path in (
            "/service/tickets/2/configurations",
            "/finance/agreements/9/configurations",
            f"{LINKS}/3",
        ):
            assert (await client.get(path)).status_code == 404, path
        assert (await client.delete(f"{LINKS}/3")).status_code == 404
        assert (await client.put(f"{LINKS}/1", json={})).status_code == 405


@pytest.mark.parametrize("moves", [True, False])
async def test_attaching_and_detaching_move_last_updated_as_the_switches_say(moves: bool) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    world = World(small_world_store(lambda: now))
    world.switches.attach_moves_last_updated = world.switches.detach_moves_last_updated = moves
    insert_configurations(world, {"name": "a"})
    insert_service_desk(world.store)
    ticket_id = world.store.insert("service/tickets", ticket(_info=OLD))["id"]
    with caller(world) as client:
        for method, path in (("POST", ""), ("DELETE", "/1")):
            record = world.store.collection("service/tickets")[ticket_id]
            record["_info"] = {**record["_info"], **OLD}
            address = f"/service/tickets/{ticket_id}/configurations{path}"
            await client.request(method, address, json={"id": 1} if method == "POST" else None)
            stamp = record["_info"]["lastUpdated"]
            assert stamp == ("2026-01-01T00:00:00Z" if moves else OLD["lastUpdated"]), method


def small_world_store(clock: Any) -> Store:
    """The small world's records under a clock of the test's own."""
    store, made = Store(clock=clock), small_world().store
    for name in ("company/companies", "company/contacts", "company/configurations/types", "system/locations"):
        store.collection(name).update(made.collection(name))
    store.collection("system/departments").update(made.collection("system/departments"))
    return store


async def test_deleted_tickets_and_configurations_take_their_links_along(world: World) -> None:
    pairs = world.store.links("service/tickets/configurations").pairs
    with caller(world) as client:
        assert (await client.delete("/company/configurations/2")).status_code == 204
        assert list(pairs()) == [(1, 1)]
        assert list(world.store.links("project/tickets/configurations").pairs()) == []
        assert (await client.delete("/service/tickets/1")).status_code == 204
    assert list(pairs()) == []


async def test_tickets_by_one_configuration(world: World) -> None:
    with caller(world) as client:
        assert await found(client, "/service/tickets", "configuration/id=2") == [1]
        assert await found(client, "/project/tickets", "company/id=1 and Configuration/Id = 2") == [2]
        assert await found(client, "/service/tickets", "configuration/id=3") == []
        assert await found(client, "/service/tickets", "configuration/id=1 and configuration/id=2") == [1]


@pytest.mark.parametrize(
    "conditions",
    [
        "configurations/id=2",
        "configuration/id in (1,2)",
        "configuration/id=1 or configuration/id=2",
        "company/id=1 and (configuration/id=1 or id=1)",
        "configuration/id>1",
        "configuration/id not in (1)",
        "configuration/name='a'",
    ],
)
async def test_what_the_default_server_refuses(world: World, conditions: str) -> None:
    with caller(world) as client:
        assert (await refused(client, "/service/tickets", conditions)).endswith(" is not a recognized name.")


async def test_several_configurations_at_once_where_the_server_takes_in(world: World) -> None:
    world.switches.configuration_condition = "in"
    with caller(world) as client:
        assert await found(client, "/service/tickets", "configuration/id in (2,3)") == [1]
        assert await found(client, "/project/tickets", "configuration/id in ('2')") == [2]
        assert await found(client, "/service/tickets", "configuration/id in (3)") == []
        await refused(client, "/service/tickets", "configuration/id in (1) or configuration/id=2")


async def test_the_condition_can_be_unknown(world: World) -> None:
    with caller(world) as client:
        world.switches.configuration_condition_on_project = False
        assert await found(client, "/service/tickets", "configuration/id=2") == [1]
        words = "configuration/id is not a recognized name."
        assert await refused(client, "/project/tickets", "configuration/id=2") == words
        world.switches.configuration_condition = "off"
        assert await refused(client, "/service/tickets", "configuration/id=2") == words


async def test_a_search_is_a_list_with_its_conditions_in_the_body(world: World) -> None:
    for number in range(30):
        world.store.insert("service/tickets", ticket(summary=f"n{number}"))
    body = {"conditions": "summary like 'n%'", "orderBy": "id desc"}
    query: dict[str, Any] = {"page": 2, "pageSize": 20, "fields": "id"}
    with caller(world) as client:
        answer = await client.post("/service/tickets/search", json=body, params=query)
        by_link = await client.post("/project/tickets/search", json={"conditions": "configuration/id=2"})
    assert [one["id"] for one in answer.json()] == list(range(12, 2, -1))
    assert answer.status_code == 200
    assert 'rel="first"' in answer.headers["Link"]
    assert [one["id"] for one in by_link.json()] == [2]


async def test_searches_that_are_refused(world: World) -> None:
    with caller(world) as client:
        unknown = await posted(client, "/service/tickets/search", {"conditions": "id=1", "page": 1}, 400)
        assert unknown["code"] == "ConnectWiseApi"
        assert unknown["message"].startswith(
            "Could not find member 'page' on object of type 'FilterValues'. "
        )
        long = {"conditions": "summary != '" + "x" * 10_000 + "'"}
        await posted(client, "/service/tickets/search", long, 413)
        assert (await client.get("/service/tickets/search")).status_code == 405
        world.switches.ticket_search = False
        gone = await posted(client, "/service/tickets/search", {"conditions": "id=1"}, 404)
    assert gone["message"] == "The endpoint does not exist."


async def test_a_search_body_of_exactly_ten_thousand_characters_is_read(world: World) -> None:
    head, tail = '{"conditions":"summary != \'', "'\"}"
    body = head + "x" * (10_000 - len(head) - len(tail)) + tail
    with caller(world) as client:
        json_type = {"Content-Type": "application/json"}
        answers = [
            await client.post("/service/tickets/search", content=text, headers=json_type)
            for text in (body, body + " ")
        ]
    assert [one.status_code for one in answers] == [200, 413]


NOTES = "/service/tickets/1/notes"


@pytest.fixture
def noted() -> World:
    """Ticket 1 (service) and ticket 2 (project) on boards whose statuses have the same names."""
    made = small_world()
    insert_service_desk(made.store)
    return made


async def test_what_a_ticket_begins_with_becomes_notes_and_never_comes_back(noted: World) -> None:
    initial = {"initialDescription": "dead", "initialInternalAnalysis": "fuse?", "initialResolution": "swap"}
    with caller(noted) as client:
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
async def test_an_update_makes_no_notes_of_the_initial_members(noted: World, change: dict[str, str]) -> None:
    [(name, value)] = change.items()
    with caller(noted) as client:
        patch = [{"op": "replace", "path": name, "value": value}]
        assert (await client.patch("/service/tickets/1", json=patch)).status_code == 200
        notes = (await client.get(NOTES)).json()
    assert [one["text"] for one in notes] == ["Since Monday"]


async def test_notes_are_their_tickets_alone(noted: World) -> None:
    with caller(noted) as client:
        note = await posted(
            client, "/project/tickets/2/notes", {"text": "x", "ticketId": 1, "internalAnalysisFlag": True}
        )
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
    noted = World(small_world_store(lambda: datetime.fromisoformat(now)))
    noted.switches.note_moves_last_updated = moves
    insert_service_desk(noted.store)
    record = noted.store.collection("service/tickets")[1]
    record["_info"] = {**record["_info"], **OLD}
    with caller(noted) as client:
        made = await posted(client, NOTES, {"text": "x", "resolutionFlag": True})
    assert made["dateCreated"] == now
    assert record["_info"]["lastUpdated"] == (now if moves else OLD["lastUpdated"])


async def test_a_note_is_signed_by_the_member_or_the_contact(noted: World) -> None:
    member = {"identifier": "apimember", "firstName": "Api", "lastName": "Member"}
    number = noted.store.insert("system/members", member)["id"]
    with caller(noted) as client:
        own = await posted(client, NOTES, {"text": "x", "internalAnalysisFlag": True})
        theirs = await posted(
            client, NOTES, {"text": "x", "internalAnalysisFlag": True, "contact": {"id": 1}}
        )
        merged = (await client.get("/service/tickets/1/allNotes")).json()
    assert (own["member"]["id"], own["member"]["identifier"]) == (number, "apimember")
    assert "member" not in theirs
    assert [one["_info"]["enteredBy"] for one in merged] == ["admin", "apimember", "apimember"]


async def test_a_deleted_ticket_takes_its_notes_along(noted: World) -> None:
    with caller(noted) as client:
        assert (await client.delete(f"{NOTES}/1")).status_code == 204
        await posted(client, NOTES, {"text": "x", "detailDescriptionFlag": True})
        assert (await client.delete("/service/tickets/1")).status_code == 204
    assert not noted.store.collection("service/tickets/notes")


@pytest.mark.parametrize(("board", "status"), [({"id": 1}, 2), ({"name": "Projects"}, 5)])
async def test_a_status_by_name_is_that_of_the_tickets_board(
    noted: World, board: dict[str, Any], status: int
) -> None:
    with caller(noted) as client:
        made = await posted(client, "/service/tickets", ticket(board=board, status={"name": "closed"}))
        patch = [{"op": "replace", "path": "status", "value": {"name": "New"}}]
        changed = (await client.patch(f"/service/tickets/{made['id']}", json=patch)).json()
    assert (made["status"]["id"], changed["status"]["id"]) == (status, status - 1)


async def test_a_status_by_name_without_a_board_is_that_of_the_default_board(noted: World) -> None:
    with caller(noted) as client:
        service = await posted(client, "/service/tickets", ticket(status={"name": "Closed"}))
        body = {"summary": "x", "phase": {"id": 1}, "status": {"name": "Closed"}, "type": {"name": "On site"}}
        project = await posted(client, "/project/tickets", body)
    assert (service["status"]["id"], project["status"]["id"], project["type"]["id"]) == (2, 5, 2)


async def test_a_status_that_the_board_does_not_have_is_refused(noted: World) -> None:
    with caller(noted) as client:
        patch = [{"op": "replace", "path": "status", "value": {"name": "Nowhere"}}]
        refusal = (await client.patch("/service/tickets/1", json=patch)).json()
    assert refusal["errors"][0]["message"] == "Service Status Nowhere not found for Service Board 1"
