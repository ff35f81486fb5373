"""The generated data: deterministic, quick, legal for the vendors, and odd in the ways real data are."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.connectwise.schema.fields import Kind
from sandbox.connectwise.schema.tables import TABLES
from sandbox.credentials import mint_credentials
from sandbox.data.assets import PAGE_KEY
from sandbox.data.catalogue import FILLER_SERIALS
from sandbox.data.churn import churn
from sandbox.data.generate import build_world
from sandbox.data.provider import RUN_COMPANY
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
