"""Callbacks: what is registered, which changes are told, how they are signed and repeated, and faults."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest

from tests.support.sandbox.callbacks import API, Place, Receiver, place, receiver

pytestmark = pytest.mark.anyio

MEMBERS = {
    "Action", "CallbackObjectRecId", "CompanyId", "Entity", "FromUrl", "ID", "MemberId", "MessageId",
    "Metadata", "PartnerId", "ProductInstanceId", "Type",
}  # fmt: skip
ENTRY = {"url": "https://x.test/?recordId=", "objectId": 1, "type": "ticket", "level": "board"}


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"url": "no address"}, "InvalidField", "url"),
        ({"url": "ftp://x.test"}, "InvalidField", "url"),
        ({"level": "Territory"}, "InvalidObject", "level"),
        ({"type": "Tickets"}, "InvalidObject", "type"),
        ({"url": None}, "MissingRequiredField", "url"),
        ({}, "ObjectExists", "objectId"),
        ({"type": "TICKET", "level": "Board"}, "ObjectExists", "objectId"),
    ],
)
async def test_what_can_not_be_registered(changes: dict[str, Any], code: str, field: str) -> None:
    async with place() as at:
        await at.call("POST", "/system/callbacks/", ENTRY)
        refusal = await at.call("POST", "/system/callbacks", {**ENTRY, **changes}, 400)
    assert refusal["message"] == "callbackEntry object is invalid"
    assert [(one["code"], one["field"]) for one in refusal["errors"]] == [(code, field)]


async def test_entries_that_differ_stand_side_by_side_and_can_be_put_again() -> None:
    async with place() as at:
        made = await at.call("POST", "/system/callbacks", {**ENTRY, "level": "owner", "objectId": 0})
        assert (made["objectId"], made["payloadVersion"], made["memberId"]) == (1, "3.0.0", 3)
        await at.call("PUT", f"/system/callbacks/{made['id']}", made)
        for changes in ({"objectId": 2}, {"level": "Status"}, {"type": "time", "level": "Owner"}):
            await at.call("POST", "/system/callbacks", {**ENTRY, **changes})
        await at.call("POST", "/system/callbacks", {**ENTRY, "url": "https://y.test/"})
        await at.call("DELETE", f"/system/callbacks/{made['id']}")
        await at.call("POST", "/system/callbacks", {**ENTRY, "level": "owner", "objectId": 0})


async def test_a_message_has_the_recorded_members_and_a_signature_over_its_bytes() -> None:
    async with place() as at, receiver() as to:
        entry = await at.register(to)
        await at.set_status(at.tickets[0], "Dispatch")
        await at.settle()
        [(path, headers, raw)] = to.heard
        body = json.loads(raw)
        key_url = body["Metadata"]["key_url"]
        assert (await httpx_without_keys(at).get(key_url)).status_code == 401
        key = (await at.http.get(key_url)).json()["signing_key"]
        record = await at.call("GET", f"/service/tickets/{at.tickets[0]}")
    assert path == f"/psa?recordId={at.tickets[0]}&action=updated"
    expected = hmac.digest(hashlib.sha256(key.encode()).digest(), raw, "sha256")
    assert headers["x-content-signature"] == base64.b64encode(expected).decode()
    assert headers["content-type"].startswith("application/json")
    assert set(body) == MEMBERS
    shown = {name: body[name] for name in ("Action", "Type", "ID", "MemberId", "CallbackObjectRecId")}
    assert shown == {
        "Action": "updated",
        "Type": "ticket",
        "ID": at.tickets[0],
        "MemberId": "apimember",
        "CallbackObjectRecId": entry["id"],
    }
    assert json.loads(body["Entity"]) == record
    assert record["status"]["name"] == "Dispatch"


def httpx_without_keys(at: Place) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=at.app))


async def test_the_key_can_be_open_and_can_change() -> None:
    async with place(callback_key_needs_login=False) as at, receiver() as to:
        await at.register(to)
        for _ in range(2):
            await at.set_status(at.tickets[0], "Dispatch")
            await at.control("POST", "callbacks/rotate-key")
        await at.settle()
        urls = [one["Metadata"]["key_url"] for one in to.payloads()]
        keys = [(await httpx_without_keys(at).get(url)).json()["signing_key"] for url in urls]
        assert (await at.http.get(urls[0] + "0")).status_code == 404
    assert len(set(keys)) == 2


async def test_each_change_is_told_once_with_its_action() -> None:
    async with place() as at, receiver() as to:
        await at.register(to)
        first, second = at.tickets[:2]
        body = {"summary": "x", "company": {"id": 6}, "initialDescription": "y"}
        made = (await at.call("POST", "/service/tickets", body))["id"]
        await at.call("POST", f"/service/tickets/{first}/notes", {"text": "note", "resolutionFlag": True})
        await at.control(
            "POST", "edit", {"collection": "service/tickets", "id": second, "set": {"city": "X"}}
        )
        await at.call("DELETE", f"/service/tickets/{second}")
        await at.settle()
        told, payloads = sorted(to.told()), to.payloads()
    assert told == sorted(
        [
            ("added", "ticket", made),
            ("updated", "ticket", first),
            ("updated", "ticket", second),
            ("deleted", "ticket", second),
        ]
    )
    assert {one["Entity"] is None for one in payloads if one["Action"] == "deleted"} == {True}
    assert {one["MemberId"] for one in payloads} == {"apimember", "a person"}


async def test_nobody_is_told_where_the_body_says_so_or_nothing_was_changed() -> None:
    async with place() as at, receiver() as to:
        await at.register(to)
        path = f"/service/tickets/{at.tickets[0]}"
        patch = [{"op": "replace", "path": "skipCallback", "value": True}]
        await at.call("PATCH", path, [*patch, {"op": "replace", "path": "summary", "value": "quiet"}])
        body = {"summary": "x", "company": {"id": 6}, "skipCallback": True, "initialDescription": "y"}
        await at.call("POST", "/service/tickets", body)
        await at.call("PATCH", path, [{"op": "replace", "path": "company", "value": {"id": 999}}], 400)
        await at.settle()
        assert to.heard == []
        await at.call("PATCH", path, [{"op": "replace", "path": "skipCallback", "value": False}])
        await at.settle()
    assert to.told() == [("updated", "ticket", at.tickets[0])]


async def test_own_changes_can_be_left_out() -> None:
    async with place() as at, receiver() as to:
        await at.register(to, isSelfSuppressedFlag=True)
        await at.set_status(at.tickets[0], "Dispatch")
        await at.control(
            "POST", "edit", {"collection": "service/tickets", "id": at.tickets[1], "set": {"city": "X"}}
        )
        await at.settle()
    assert to.told() == [("updated", "ticket", at.tickets[1])]


async def test_levels_choose_records() -> None:
    async with place() as at, receiver() as to:
        store = at.app.world.store
        project = next(iter(store.collection("project/tickets").values()))
        dispatch = next(
            number
            for number, one in store.collection("service/boards/statuses").items()
            if (one["name"], one["board"]) == ("Dispatch", {"id": at.board})
        )
        await at.register(to, level="status", objectId=dispatch)
        await at.register(to, level="project", objectId=project["project"]["id"])
        await at.register(to, level="ticket", objectId=at.tickets[2])
        await at.register(to, level="ticket", objectId=at.tickets[3], inactiveFlag=True)
        for ticket, name in zip(at.tickets, ("Dispatch", "Assigned", "New", "Closed"), strict=False):
            await at.set_status(ticket, name)
        change = [{"op": "replace", "path": "summary", "value": "x"}]
        await at.call("PATCH", f"/project/tickets/{project['id']}", change)
        await at.settle()
    told = sorted(one[2] for one in to.told())
    assert told == sorted([at.tickets[0], at.tickets[2], project["id"]])


async def test_other_types_of_records_are_told_too() -> None:
    async with place() as at, receiver() as to:
        for kind in ("opportunity", "time"):
            await at.register(to, type=kind)
        opportunity = next(iter(at.app.world.store.collection("sales/opportunities")))
        await at.call("POST", f"/sales/opportunities/{opportunity}/notes", {"text": "x"})
        entry = {"chargeToId": at.tickets[0], "timeStart": "2026-01-05T08:00:00Z"}
        made = await at.call("POST", "/time/entries", entry)
        await at.settle()
    assert sorted(to.told()) == [("added", "time", made["id"]), ("updated", "opportunity", opportunity)]


@pytest.mark.parametrize(
    ("statuses", "tries", "outcome"),
    [
        ((404, 409), [404, 409, 204], "delivered"),
        ((419, 429, 404, 404), [419, 429, 404], "refused"),
        ((500,), [500], "refused"),
        ((301,), [301], "refused"),
        ((None,), [0], "no answer"),
    ],
)
async def test_only_four_statuses_are_tried_again_and_only_twice(
    statuses: tuple[int | None, ...], tries: list[int], outcome: str
) -> None:
    async with place(callback_time_limit=0.3) as at, receiver(*statuses) as to:
        await at.register(to)
        await at.set_status(at.tickets[0], "Dispatch")
        await at.settle()
        [logged] = await at.control("GET", "callbacks")
    assert (logged["statuses"], logged["outcome"]) == (tries, outcome)
    assert len({body for _, _, body in to.heard}) == 1


async def test_the_vendors_waits_are_the_usual_ones() -> None:
    async with place() as at:
        await at.control("POST", "reset", {"scenario": "dispatch", "tickets": 1, "assets": 1})
        switches = at.app.world.switches
    assert (switches.callback_waits, switches.callback_time_limit) == ([2, 4], 5)


async def test_nothing_leaves_this_machine() -> None:
    async with place() as at:
        await at.call("POST", "/system/callbacks", {**ENTRY, "objectId": at.board})
        await at.set_status(at.tickets[0], "Dispatch")
        await at.settle()
        [logged] = await at.control("GET", "callbacks")
    assert (logged["outcome"], logged["statuses"]) == ("not loopback", [])


async def many(at: Place, to: Receiver, **faults: Any) -> list[int]:
    """Thirty changes under those faults; the ids in the order in which they were heard."""
    await at.control("PUT", "callbacks", faults)
    to.heard.clear()
    for turn in range(5):
        for ticket in at.tickets:
            await at.set_status(ticket, "Dispatch" if turn % 2 else "Assigned")
    await at.settle()
    return [one["ID"] for one in to.payloads()]


async def test_messages_are_lost_doubled_and_overtaken_as_asked_and_repeatably() -> None:
    async with place() as at, receiver() as to:
        await at.register(to)
        assert len(await many(at, to)) == 30
        assert await many(at, to, lose=1) == []
        lost = [await many(at, to, lose=0.5, seed=4) for _ in range(2)]
        assert sorted(lost[0]) == sorted(lost[1])
        assert 5 < len(lost[0]) < 25
        await many(at, to, duplicate=1)
        messages = [one["MessageId"] for one in to.payloads()]
        assert (len(messages), len(set(messages))) == (60, 30)
        await many(at, to, reorder=0.5, reorder_within=0.3, seed=1)
        stamps = [one["MessageId"] for one in to.payloads()]
        log = await at.control("GET", "callbacks")
        made = [one["MessageId"] for one in log if one["MessageId"] in set(stamps)]
        assert sorted(made) == sorted(stamps)
        assert made != stamps
        outcomes = {one["outcome"] for one in log}
    assert outcomes == {"delivered", "lost"}


@pytest.mark.parametrize("body", [{"lose": 2}, {"lost": 0.1}])
async def test_unknown_faults_are_refused(body: dict[str, Any]) -> None:
    async with place() as at:
        await at.control("PUT", "callbacks", body, 400)


@pytest.mark.parametrize("how", ["signature", "unsigned", "body", "key_url"])
async def test_forged_messages_are_not_what_the_key_says(how: str) -> None:
    async with place() as at, receiver() as to:
        await at.register(to)
        await at.control("POST", "callbacks/forge", {"how": how, "recordId": at.tickets[0]})
        await at.settle()
        [(path, headers, raw)] = to.heard
        [logged] = await at.control("GET", "callbacks")
        key = at.app.world.store.keys.current[1]
    assert path.startswith(f"/psa?recordId={at.tickets[0]}&")
    expected = hmac.digest(hashlib.sha256(key.encode()).digest(), raw, "sha256")
    assert headers.get("x-content-signature") != base64.b64encode(expected).decode()
    assert ("x-content-signature" in headers) is (how != "unsigned")
    assert json.loads(raw)["Metadata"]["key_url"].startswith(
        "http://keys.example" if how == "key_url" else f"http://127.0.0.1:8443{API}/"
    )
    assert (logged["kind"], logged["outcome"]) == (how, "delivered")


async def test_an_old_message_can_be_replayed() -> None:
    async with place() as at, receiver() as to:
        await at.register(to)
        await at.control("POST", "callbacks/forge", {"how": "replay"}, 400)
        await at.set_status(at.tickets[0], "Dispatch")
        await at.settle()
        await at.control("POST", "callbacks/forge", {"how": "replay"})
        await at.settle()
    first, second = to.heard
    assert first == second


async def test_a_person_can_register_and_be_told_of_too() -> None:
    async with place() as at, receiver() as to:
        entry = {**ENTRY, "url": f"{to.url}?recordId=", "level": "Owner"}
        await at.control("POST", "add", {"collection": "system/callbacks", "record": entry})
        ticket = {"summary": "x", "company": {"id": 6}, "initialDescription": "y"}
        made = await at.control("POST", "add", {"collection": "service/tickets", "record": ticket})
        note = {"ticketId": at.tickets[0], "text": "by hand", "detailDescriptionFlag": True}
        await at.control("POST", "add", {"collection": "service/tickets/notes", "record": note})
        await at.control("POST", "delete", {"collection": "service/tickets", "id": at.tickets[1]})
        await at.settle()
        keys = {one["Metadata"]["key_url"].partition("/v4")[0] for one in to.payloads()}
    assert sorted(to.told()) == [
        ("added", "ticket", made["id"]),
        ("deleted", "ticket", at.tickets[1]),
        ("updated", "ticket", at.tickets[0]),
    ]
    assert keys == {"http://127.0.0.1:8443"}
