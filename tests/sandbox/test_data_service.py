"""The generated agreements and tickets: legal, odd as real ones, quick; and what happens between two runs."""

from __future__ import annotations

import copy
import time
from collections import Counter
from typing import Any

import pytest

from sandbox.connectwise.schema.fields import Kind
from sandbox.connectwise.schema.tables import TABLES
from sandbox.credentials import mint_credentials
from sandbox.data.churn import TICKET_KINDS, ticket_churn
from sandbox.data.generate import build_world
from sandbox.data.provider import ASSET_ID_FIELD, RUN_COMPANY
from sandbox.world import World

KEYS = mint_credentials(7)
TICKETS = ("service/tickets", "project/tickets")


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(7, 600, KEYS, scenario="enrichment")


def tickets(world: World, company: int = RUN_COMPANY) -> dict[int, dict[str, Any]]:
    return {
        one["id"]: one
        for name in TICKETS
        for one in world.store.collection(name).values()
        if one["company"]["id"] == company
    }


def about(world: World) -> dict[int, frozenset[int]]:
    """The configurations of every ticket."""
    return {
        one: frozenset(world.store.links(f"{name}/configurations").of(one))
        for name in TICKETS
        for one in world.store.collection(name)
    }


def test_sizes_follow_the_assets_and_can_be_given() -> None:
    def sizes(world: World) -> tuple[int, int]:
        own = [
            one
            for one in world.store.collection("finance/agreements").values()
            if one["company"]["id"] == RUN_COMPANY
        ]
        return len(own), len(tickets(world))

    assert sizes(build_world(7, 600, KEYS, scenario="enrichment")) == (8, 200)
    assert sizes(build_world(7, 60, KEYS)) == (5, 15)
    assert sizes(build_world(7, 60, KEYS, scenario="enrichment", agreements=3, tickets=40)) == (3, 40)
    with pytest.raises(ValueError, match="the number of tickets can't be negative: -1"):
        build_world(7, 60, KEYS, tickets=-1)


def test_a_seed_and_a_size_give_one_service_desk() -> None:
    first, second = (build_world(3, 90, KEYS, scenario="enrichment") for _ in range(2))
    assert ticket_churn(first, 0.3) == ticket_churn(second, 0.3)
    assert about(first) == about(second)
    old = {one: record["_info"] for one, record in tickets(build_world(3, 90, KEYS, tickets=9)).items()}
    assert old == {one: r["_info"] for one, r in tickets(build_world(3, 90, KEYS, tickets=9)).items()}


@pytest.mark.parametrize("scenario", ["provider", "fresh", "enrichment", "dispatch"])
def test_everything_is_legal_for_connectwise(scenario: str) -> None:
    world = build_world(7, 90, KEYS, scenario=scenario)
    for name, table in TABLES.items():
        for record in world.store.collection(name).values():
            for member, field in table.fields.items():
                value = record.get(member)
                place = (name, record["id"], member)
                assert not field.required or value not in (None, ""), place
                if field.kind is Kind.TEXT and field.max_length and value is not None:
                    assert len(value) <= field.max_length, place
                if field.kind is Kind.REFERENCE and value is not None:
                    found = world.store.get(field.target, value["id"])
                    assert found, place
                    assert not field.within or found[field.within] == record[field.within], place


def test_links_stay_within_a_company(world: World) -> None:
    configurations = world.store.collection("company/configurations")
    seen = 0
    for owners in (*TICKETS, "finance/agreements"):
        for owner, configuration in world.store.links(f"{owners}/configurations").pairs():
            company = world.store.collection(owners)[owner]["company"]
            assert configurations[configuration]["company"] == company
            seen += company["id"] != RUN_COMPANY
    assert seen > 20, "other companies have theirs"


def test_tickets_are_of_many_kinds(world: World) -> None:
    own = tickets(world)
    projects = sum(one in world.store.collection("project/tickets") for one in own)
    assert 0.1 < projects / len(own) < 0.2
    each = Counter(min(2, len(about(world)[one])) for one in own)
    assert each[1] > each[0] > each[2] > len(own) * 0.05
    names = world.store.collection("service/boards/statuses")
    flags = {(names[one["status"]["id"]]["name"], one["closedFlag"]) for one in own.values()}
    assert {("Closed, to be billed", False), ("Open (muted)", True), ("Completed", True)} <= flags


def test_agreements_are_in_every_state(world: World) -> None:
    found = list(world.store.collection("finance/agreements").values())
    assert {one["agreementStatus"] for one in found} == {"Active", "Expired", "Cancelled", "Inactive"}
    assert {"endDate" in one for one in found if one["agreementStatus"] == "Active"} == {True, False}
    assert {"sla" in one for one in found} == {True, False}
    pairs = list(world.store.links("finance/agreements/configurations").pairs())
    assert {1, 2, 3} <= set(Counter(Counter(one for _, one in pairs).values()))


def test_every_asset_is_a_configuration_but_for_the_odd_ones(world: World) -> None:
    own = [
        one
        for one in world.store.collection("company/configurations").values()
        if one["company"]["id"] == RUN_COMPANY
    ]
    keys = Counter(one.get("customFields", {}).get(ASSET_ID_FIELD) for one in own)
    assert len(own) == 600
    assert keys.pop(None) == 3, "without ls_asset_id"
    assert sorted(keys.values(), reverse=True)[:2] == [2, 1], "one asset is claimed twice"
    assert len(set(keys) - set(world.lansweeper.assets)) == 2, "gone from Lansweeper"
    assert {"sla" in one for one in own} == {True, False}


@pytest.mark.speed
def test_the_largest_world_is_there_in_a_moment() -> None:
    start = time.process_time()
    build_world(7, 15_000, KEYS, scenario="enrichment", agreements=200, tickets=5000)
    assert time.process_time() - start < 4


def test_ticket_churn_changes_its_share_of_the_run_companys_tickets(world: World) -> None:
    made = build_world(7, 600, KEYS, scenario="enrichment")
    before, was = copy.deepcopy(tickets(made)), about(made)
    changed = ticket_churn(made, 0.1)
    after, now = tickets(made), about(made)
    assert {kind: len(ids) for kind, ids in changed.items()} == {
        "close": 4, "reopen": 4, "attach": 3, "detach": 3, "add": 3, "delete": 3,
    }  # fmt: skip
    for kind, flag in (("close", True), ("reopen", False)):
        assert all(
            (before[one]["closedFlag"], after[one]["closedFlag"]) == (not flag, flag) for one in changed[kind]
        )
    assert all(len(now[one] - was[one]) == 1 and now[one] > was[one] for one in changed["attach"])
    assert all(len(was[one] - now[one]) == 1 and now[one] < was[one] for one in changed["detach"])
    assert set(after) - set(before) == set(changed["add"])
    assert set(before) - set(after) == set(changed["delete"])
    moved = {one for one in set(before) & set(after) if before[one] != after[one]}
    assert moved == {one for kind in ("close", "reopen", "attach", "detach") for one in changed[kind]}
    assert tickets(made, company=8) == tickets(world, company=8), "other companies' stay"


def test_a_detached_ticket_may_look_unchanged() -> None:
    made = build_world(7, 60, KEYS, scenario="enrichment")
    made.switches.detach_moves_last_updated = made.switches.attach_moves_last_updated = False
    before = copy.deepcopy(tickets(made))
    changed = ticket_churn(made, 0.2, ("attach", "detach"))
    assert all(changed.values())
    assert tickets(made) == before


@pytest.mark.parametrize("share", [0, 1])
def test_shares_at_the_ends(share: float) -> None:
    made = build_world(7, 60, KEYS, scenario="enrichment")
    changed = ticket_churn(made, share)
    assert set(changed) == set(TICKET_KINDS)
    assert any(changed.values()) == bool(share)


@pytest.mark.parametrize(("share", "kinds"), [(2, TICKET_KINDS), (-0.1, TICKET_KINDS), (0.1, ("explode",))])
def test_churn_that_makes_no_sense(world: World, share: float, kinds: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"share|unknown kinds"):
        ticket_churn(world, share, kinds)
