"""The generated data of all scenarios: deterministic, quick, legal for the vendors, odd as real data are."""

from __future__ import annotations

import copy
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.connectwise.schema.fields import Kind
from sandbox.connectwise.schema.tables import TABLES
from sandbox.connectwise.store import Store
from sandbox.credentials import mint_credentials
from sandbox.data.assets import FILLER_SERIALS, PAGE_KEY
from sandbox.data.churn import TICKET_KINDS, churn, ticket_churn
from sandbox.data.generate import build_world
from sandbox.data.provider import ASSET_ID_FIELD, RUN_COMPANY
from sandbox.world import World

KEYS = mint_credentials(7)
CONFIGURATIONS = "company/configurations"


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(7, 600, KEYS)


def values(world: World, section: str, name: str) -> list[Any]:
    return [asset[section].get(name) for asset in world.lansweeper.assets.values()]


def of_company(world: World, company: int) -> list[dict[str, Any]]:
    return [r for r in world.store.collection(CONFIGURATIONS).values() if r["company"]["id"] == company]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), assets=st.integers(0, 80))
def test_a_seed_and_a_size_give_one_world(seed: int, assets: int) -> None:
    first, second = build_world(seed, assets, KEYS), build_world(seed, assets, KEYS)
    assert first.lansweeper.assets == second.lansweeper.assets
    assert len(first.lansweeper.assets) == assets
    assert names(first) == names(second)
    # A scan dates what it changes; the two are scanned in two seconds now and then.
    moment = datetime(2026, 11, 30, tzinfo=UTC)
    for each in (first, second):
        each.lansweeper._clock = lambda: moment
    assert churn(first, 0.3) == churn(second, 0.3)
    assert first.lansweeper.assets == second.lansweeper.assets


def names(world: World) -> list[tuple[int, str]]:
    return [(r["id"], r["name"]) for r in world.store.collection(CONFIGURATIONS).values()]


def test_15000_assets_are_there_in_a_moment() -> None:
    start = time.process_time()
    build_world(7, 15_000, KEYS)
    assert time.process_time() - start < 3


def test_everything_is_legal_for_connectwise(world: World) -> None:
    for name, table in TABLES.items():
        for record in world.store.collection(name).values():
            for member, field in table.fields.items():
                value = record.get(member)
                assert not field.required or value not in (None, ""), (name, record["id"], member)
                if field.kind is Kind.TEXT and field.max_length and value is not None:
                    assert len(value) <= field.max_length, (name, record["id"], member)
                if field.kind is Kind.REFERENCE and value is not None:
                    assert world.store.get(field.target, value["id"]), (name, record["id"], member)


def test_sites_and_contacts_belong_to_the_company(world: World) -> None:
    for record in world.store.collection(CONFIGURATIONS).values():
        for member, collection in (("site", "company/sites"), ("contact", "company/contacts")):
            if member in record:
                owner = world.store.collection(collection)[record[member]["id"]]["company"]
                assert owner == record["company"]


def test_the_page_example_is_there(world: World) -> None:
    asset = world.lansweeper.assets[PAGE_KEY]
    assert asset["assetBasicInfo"]["name"] == "166.246.143.187/1/7"
    assert (asset["assetBasicInfo"]["type"], asset["assetCustom"]["stateName"]) == ("OT", "Active")
    assert asset["assetCustom"]["manufacturer"] == "Rockwell Automation"


def test_assets_are_of_many_kinds_even_in_a_small_site() -> None:
    small = build_world(7, 20, KEYS)
    kinds = set(values(small, "assetBasicInfo", "type"))
    assert {"Windows", "Linux", "VMware Guest", "Printer", "Switch", "Firewall", "OT"} <= kinds


def test_assets_are_odd_as_scans_are(world: World) -> None:
    serials, macs = values(world, "assetCustom", "serialNumber"), values(world, "assetBasicInfo", "mac")
    models, found = values(world, "assetCustom", "model"), values(world, "assetBasicInfo", "name")
    assert set(serials) & set(FILLER_SERIALS)
    assert all(None in column for column in (serials, macs, models))
    assert any(count > 1 for mac, count in Counter(macs).items() if mac), "docks"
    assert any(count > 1 for count in Counter(found).values()), "names used twice"
    assert any(not name.isascii() for name in found)
    assert any(len(model or "") == 300 for model in models)
    assert any(len(name) > 100 for name in found)
    assert any(serial != serial.strip() for serial in serials if serial)


def test_a_third_exists_already_and_nothing_is_linked(world: World) -> None:
    records = of_company(world, RUN_COMPANY)
    assert 200 <= len(records) <= 280
    assert {field for r in records for field in r.get("customFields", {})} == {4}
    assert any(not r["activeFlag"] for r in records)
    assert any(r.get("questions") for r in records)
    assert any("notes" in r for r in records)


def test_existing_records_spell_things_differently(world: World) -> None:
    macs = [r["macAddress"] for r in of_company(world, RUN_COMPANY) if "macAddress" in r]
    formats = {"".join("x" if c.isalnum() else c for c in mac) for mac in macs}
    assert len(formats) == 4, "colons, dashes, dots, bare digits"
    assert any(mac != mac.upper() for mac in macs)


def test_other_companies_hold_the_same_serials(world: World) -> None:
    serials = {serial for serial in values(world, "assetCustom", "serialNumber") if serial}
    others = [r for r in world.store.collection(CONFIGURATIONS).values() if r["company"]["id"] != RUN_COMPANY]
    assert sum(r.get("serialNumber") in serials for r in others) > 30


def test_orphans_that_lansweeper_does_not_know(world: World) -> None:
    assert sum(r["name"].startswith("OLD-") for r in of_company(world, RUN_COMPANY)) == 50


@pytest.mark.parametrize(("assets", "scenario"), [(-1, "provider"), (1, "synced")])
def test_what_can_not_be_built(assets: int, scenario: str) -> None:
    with pytest.raises(ValueError, match=r"negative|no such scenario"):
        build_world(7, assets, KEYS, scenario=scenario)


TICKETS = ("service/tickets", "project/tickets")


@pytest.fixture(scope="module")
def enriched() -> World:
    return build_world(7, 600, KEYS, scenario="enrichment")


def tickets(enriched: World, company: int = RUN_COMPANY) -> dict[int, dict[str, Any]]:
    return {
        one["id"]: one
        for name in TICKETS
        for one in enriched.store.collection(name).values()
        if one["company"]["id"] == company
    }


def about(enriched: World) -> dict[int, frozenset[int]]:
    """The configurations of every ticket."""
    return {
        one: frozenset(enriched.store.links(f"{name}/configurations").of(one))
        for name in TICKETS
        for one in enriched.store.collection(name)
    }


def test_sizes_follow_the_assets_and_can_be_given() -> None:
    def sizes(enriched: World) -> tuple[int, int]:
        own = [
            one
            for one in enriched.store.collection("finance/agreements").values()
            if one["company"]["id"] == RUN_COMPANY
        ]
        return len(own), len(tickets(enriched))

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
def test_agreements_and_tickets_are_legal_for_connectwise(scenario: str) -> None:
    enriched = build_world(7, 90, KEYS, scenario=scenario)
    for name, table in TABLES.items():
        for record in enriched.store.collection(name).values():
            for member, field in table.fields.items():
                value = record.get(member)
                place = (name, record["id"], member)
                assert not field.required or value not in (None, ""), place
                if field.kind is Kind.TEXT and field.max_length and value is not None:
                    assert len(value) <= field.max_length, place
                if field.kind is Kind.REFERENCE and value is not None:
                    found = enriched.store.get(field.target, value["id"])
                    assert found, place
                    assert not field.within or found[field.within] == record[field.within], place


def test_links_stay_within_a_company(enriched: World) -> None:
    configurations = enriched.store.collection("company/configurations")
    seen = 0
    for owners in (*TICKETS, "finance/agreements"):
        for owner, configuration in enriched.store.links(f"{owners}/configurations").pairs():
            company = enriched.store.collection(owners)[owner]["company"]
            assert configurations[configuration]["company"] == company
            seen += company["id"] != RUN_COMPANY
    assert seen > 20, "other companies have theirs"


def test_tickets_are_of_many_kinds(enriched: World) -> None:
    own = tickets(enriched)
    projects = sum(one in enriched.store.collection("project/tickets") for one in own)
    assert 0.1 < projects / len(own) < 0.2
    each = Counter(min(2, len(about(enriched)[one])) for one in own)
    assert each[1] > each[0] > each[2] > len(own) * 0.05
    names = enriched.store.collection("service/boards/statuses")
    flags = {(names[one["status"]["id"]]["name"], one["closedFlag"]) for one in own.values()}
    assert {("Closed, to be billed", False), ("Open (muted)", True), ("Completed", True)} <= flags


def test_agreements_are_in_every_state(enriched: World) -> None:
    found = list(enriched.store.collection("finance/agreements").values())
    assert {one["agreementStatus"] for one in found} == {"Active", "Expired", "Cancelled", "Inactive"}
    assert {"endDate" in one for one in found if one["agreementStatus"] == "Active"} == {True, False}
    assert {"sla" in one for one in found} == {True, False}
    pairs = list(enriched.store.links("finance/agreements/configurations").pairs())
    assert {1, 2, 3} <= set(Counter(Counter(one for _, one in pairs).values()))


def test_every_asset_is_a_configuration_but_for_the_odd_ones(enriched: World) -> None:
    own = [
        one
        for one in enriched.store.collection("company/configurations").values()
        if one["company"]["id"] == RUN_COMPANY
    ]
    keys = Counter(one.get("customFields", {}).get(ASSET_ID_FIELD) for one in own)
    assert len(own) == 600
    assert keys.pop(None) == 3, "without ls_asset_id"
    assert sorted(keys.values(), reverse=True)[:2] == [2, 1], "one asset is claimed twice"
    assert len(set(keys) - set(enriched.lansweeper.assets)) == 2, "gone from Lansweeper"
    assert {"sla" in one for one in own} == {True, False}


@pytest.mark.speed
def test_the_largest_world_is_there_in_a_moment() -> None:
    start = time.process_time()
    build_world(7, 15_000, KEYS, scenario="enrichment", agreements=200, tickets=5000)
    assert time.process_time() - start < 4


def test_ticket_churn_changes_its_share_of_the_run_companys_tickets(enriched: World) -> None:
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
    assert tickets(made, company=8) == tickets(enriched, company=8), "other companies' stay"


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
def test_churn_that_makes_no_sense(enriched: World, share: float, kinds: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"share|unknown kinds"):
        ticket_churn(enriched, share, kinds)


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
