"""Assets of another site, assets without keys, and links that no asset meets any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from connectors.ledger.models import KnownAmount
from tasks.rules.asset_sync.assets_read import AssetsRead, asset_findings, tenant_finding
from tasks.rules.asset_sync.reading import AcceptOnce
from tasks.rules.guards import ShrinkLimit

AT = datetime(2026, 11, 28, tzinfo=UTC)
BOTH = ("serialNumber", "macAddress")
HEALTHY = AssetsRead("a:1", 40, True, met=40, links=40, identified=39, identified_by=BOTH)
KNOWN = {
    ("assets", "a:1"): KnownAmount(40, AT),
    ("met", "a:1"): KnownAmount(40, AT),
    ("identified by serialNumber or macAddress", "a:1"): KnownAmount(39, AT),
}


def findings(read: AssetsRead, known: dict[tuple[str, str], KnownAmount] = KNOWN, **accept: int) -> list[str]:
    told = asset_findings(read, known, AcceptOnce(**accept), ShrinkLimit())
    return [each.text for each in told if each.refuses]


def test_a_healthy_reading_and_a_first_load_tell_nothing() -> None:
    assert findings(HEALTHY) == findings(HEALTHY, {}) == []
    assert findings(replace(HEALTHY, met=0, links=0), {}) == []


def test_another_site_is_refused_until_a_person_accepts_it() -> None:
    other = replace(HEALTHY, scope="b:1", met=0)
    (text,) = findings(other)
    assert "None of the 40 assets is one of the 40 that are linked" in text
    assert "site b was never read for it" in text
    assert "set Accept once to met = 0 for one run" in text
    assert findings(other, met=0) == []
    assert len(findings(other, {})) == 1, "a lost ledger too: the configurations carry the keys"
    assert findings(replace(other, scope="a:2")) == [], "another filter of the same site"
    assert findings(replace(other, whole=False)) == []
    assert findings(replace(other, met=1)) == []
    assert findings(replace(other, links=10)) == []


def test_keys_that_all_changed_are_told_unless_fewer_assets_or_configurations_explain_it() -> None:
    (text,) = findings(replace(HEALTHY, met=0))
    assert "Links met by assets: 40 known" in text
    assert findings(replace(HEALTHY, met=20, assets=20, identified=20)) == []
    assert findings(replace(HEALTHY, met=0, share_of_links=0.0)) == []


def test_assets_that_lost_serial_numbers_and_macs() -> None:
    bare = replace(HEALTHY, identified=0)
    assert "Assets with a serial number or a MAC address: 39 known" in findings(bare)[0]
    (text,) = findings(bare, {})
    assert text.startswith("None of the 40 assets has a serial number or a MAC address")
    assert findings(bare, {}, identified=0) == []
    assert findings(replace(bare, identified=9, identified_by=("serialNumber",))) == [], "another mapping"
    assert findings(replace(bare, identified_by=()), {}) == []
    assert findings(replace(bare, assets=10), {}) == []


def test_a_first_load_of_what_another_tenant_has_is_refused_until_it_is_meant() -> None:
    found = tenant_finding(40, {"https://a/": 3, "https://b/": 38}, AcceptOnce(), ShrinkLimit())
    assert found is not None
    assert found.refuses
    assert "38 of the 40 assets are linked to configurations of the tenant https://b/" in found.text
    accepted = tenant_finding(40, {"https://b/": 38}, AcceptOnce(other_tenant=38), ShrinkLimit())
    assert accepted is not None
    assert not accepted.refuses
    assert tenant_finding(40, {"https://b/": 20}, AcceptOnce(), ShrinkLimit()) is None
    assert tenant_finding(10, {"https://b/": 10}, AcceptOnce(), ShrinkLimit()) is None
    assert tenant_finding(40, {}, AcceptOnce(), ShrinkLimit()) is None
