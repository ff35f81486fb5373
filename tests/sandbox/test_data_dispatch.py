"""The scenario `dispatch`: what a dispatch of field work needs is there, and repeatable."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.connectwise.store import Store
from sandbox.credentials import mint_credentials
from sandbox.data.generate import build_world

KEYS = mint_credentials(7)


def dispatch(tickets: int | None = None, seed: int = 7) -> Store:
    return build_world(seed, 5, KEYS, scenario="dispatch", tickets=tickets).store


def board(store: Store, name: str) -> int:
    return next(number for number, one in store.collection("service/boards").items() if one["name"] == name)


def on_board(store: Store, collection: str, name: str) -> list[dict[str, Any]]:
    wanted = {"id": board(store, name)}
    return [one for one in store.collection(collection).values() if one["board"] == wanted]


@pytest.mark.parametrize(("asked", "tickets", "further"), [(None, 20, 2), (0, 0, 0), (300, 300, 30)])
def test_there_are_as_many_tickets_as_asked_for(asked: int | None, tickets: int, further: int) -> None:
    store = dispatch(asked)
    assert len(on_board(store, "service/tickets", "Field Services")) == tickets
    assert len(on_board(store, "project/tickets", "Field Projects")) == further
    assert len(store.collection("sales/opportunities")) == further


def test_the_boards_have_the_statuses_of_field_work() -> None:
    store = dispatch()
    for name in ("Field Services", "Field Projects"):
        own = {"id": board(store, name)}
        statuses = [
            one for one in store.collection("service/boards/statuses").values() if one["board"] == own
        ]
        assert [one["name"] for one in statuses] == [
            "New", "Dispatch", "Assigned", "Scheduled", "In Progress", "Completed", "Closed",
        ]  # fmt: skip
        assert [one["name"] for one in statuses if one["closedStatus"]] == ["Completed", "Closed"]


def test_no_ticket_waits_for_dispatch_yet() -> None:
    store = dispatch(50)
    statuses = store.collection("service/boards/statuses")
    own = on_board(store, "service/tickets", "Field Services")
    assert {statuses[one["status"]["id"]]["name"] for one in own} == {"New"}
    assert not any(one["closedFlag"] for one in own)


def test_every_ticket_has_a_whole_address_a_contact_and_a_description() -> None:
    store = dispatch(50)
    notes = store.collection("service/tickets/notes").values()
    described = {one["ticket"]["id"] for one in notes if one["detailDescriptionFlag"]}
    for one in on_board(store, "service/tickets", "Field Services"):
        for name in ("addressLine1", "city", "stateIdentifier", "zip", "country", "siteName", "contactName"):
            assert one.get(name), (one["id"], name)
        assert one["id"] in described
        assert store.collection("service/boards/types")[one["type"]["id"]]["board"] == one["board"]
        assert store.get("company/contacts", one["contact"]["id"]) is not None


def test_tickets_and_opportunities_have_the_fields_of_dispatch() -> None:
    store = dispatch()
    for collection in ("service/tickets", "project/tickets", "sales/opportunities"):
        fields = {one["caption"]: one["fieldTypeIdentifier"] for one in store.custom_fields(collection)}
        assert fields == {"Send to FN": "Checkbox", "FN check-in": "Text"}


def test_a_seed_gives_one_world_and_another_a_different_one() -> None:
    summaries = [
        [one["summary"] for one in on_board(dispatch(30, seed), "service/tickets", "Field Services")]
        for seed in (3, 3, 4)
    ]
    assert summaries[0] == summaries[1] != summaries[2]
