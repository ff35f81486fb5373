"""The laws over whole runs, played on a small server in memory: match, plan, payloads and counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rules.asset_sync.decide import decide_fresh
from tasks.rules.asset_sync.matching.match import match
from tasks.rules.asset_sync.matching.result import MatchOptions
from tasks.rules.asset_sync.payloads import creation_payload, overlay
from tasks.rules.asset_sync.plan import Plan, build_plan, compare_matched, needed_names
from tasks.rules.asset_sync.references import REFERENCE_KINDS, ReferencePlan, plan_references
from tasks.rules.values import folded
from tests.support.factories.asset_sync import COMPANY, compiled

MAPPING = compiled(type_name="lansweeper", manufacturer_name="fill")


class Server:
    """Configurations and reference records of one company."""

    def __init__(self, records: Sequence[dict[str, Any]]) -> None:
        self.records = {record["id"]: record for record in records}
        self.names: dict[str, list[dict[str, Any]]] = {path: [] for path in REFERENCE_KINDS}
        self.writes = 0

    def plan(self, items: Sequence[dict[str, Any]]) -> tuple[Plan, dict[str, ReferencePlan]]:
        assets = [MAPPING.read_asset(item) for item in items]
        configurations = [MAPPING.read_configuration(record) for record in self.records.values()]
        result = match(assets, configurations, MatchOptions(complete=True))
        compared = compare_matched(result.matched, MAPPING)
        names = needed_names([each.asset for each in result.unmatched], compared.changed, MAPPING)
        plans = {
            path: plan_references(
                REFERENCE_KINDS[path], wanted, self.names[path], create=path != "location.name"
            )
            for path, wanted in names.items()
        }
        return build_plan(result, compared, MAPPING, plans), plans

    def run(self, items: Sequence[dict[str, Any]]) -> Plan:
        plan, plans = self.plan(items)
        for path, names in plan.reference_creations.items():
            for name in names:
                self._add_reference(path, name, plans[path])
        ids = {path: found.ids for path, found in plans.items()}
        for creation in plan.creations:
            payload = creation_payload(creation.values, MAPPING, ids, COMPANY)
            assert payload.record is not None
            self._store({**payload.record, "id": max(self.records, default=0) + 1})
        for each in plan.modifications:
            fresh = self.records[each.configuration.id]
            decided = decide_fresh(each.asset, each.changes, fresh, MAPPING, ids, company_id=COMPANY)
            assert (decided.refused, decided.moved) == (None, [])
            self._store(overlay(fresh, each.all_changes, MAPPING, ids))
        return plan

    def _add_reference(self, path: str, name: str, plan: ReferencePlan) -> None:
        member = REFERENCE_KINDS[path].name_fields[0]
        record = {"id": len(self.names[path]) + 50, member: name}
        self.names[path].append(record)
        plan.ids[folded(name)] = record["id"]
        self.writes += 1

    def _store(self, record: dict[str, Any]) -> None:
        for path, records in self.names.items():
            reference = record.get(REFERENCE_KINDS[path].path.partition(".")[0])
            for known in records:
                if reference and reference["id"] == known["id"]:
                    reference["name"] = REFERENCE_KINDS[path].name_of(known)
        self.records[record["id"]] = record
        self.writes += 1


def mostly(usual: Any, *odd: Any) -> st.SearchStrategy[Any]:
    """The usual value more often than not, so that plans hold more than ambiguous assets."""
    return st.sampled_from([usual] * (2 * len(odd) + 1) + list(odd))


@st.composite
def an_asset(draw: st.DrawFn) -> dict[str, Any]:
    n = draw(st.integers(1, 20))
    return {
        "key": draw(mostly(f"k{n}", "k1", None)),
        "name": draw(mostly(f"PC {n}", f"pc {n} ", "PC 2", None, "n" * 120)),
        "type_name": draw(mostly("Windows", "Linux", None, "t" * 60)),
        "manufacturer_name": draw(st.sampled_from(["Dell", "DELL", "HP", None, "m" * 60])),
        "location_name": draw(st.sampled_from(["Tampa", None])),
        "serialNumber": draw(mostly(f"SER{n}", f"ser{n}", "SER2", "None", None)),
        "macAddress": draw(mostly(f"00:1D:9C:D1:F6:{n:02}", f"00-1d-9c-d1-f6-{n:02}", None)),
        "modelNumber": draw(st.sampled_from(["M", "N", "m" * 300, None])),
        "activeFlag": draw(st.sampled_from([True, None])),
    }


@st.composite
def a_record(draw: st.DrawFn) -> dict[str, Any]:
    n = draw(st.integers(1, 20))
    return {
        "id": n,
        "name": draw(mostly(f"PC {n}", "PC 2", "Old")),
        "type": {"id": 49, "name": "Workstation"},
        "company": {"id": COMPANY},
        "serialNumber": draw(mostly(f"SER{n}", "SER2", "", None)),
        "macAddress": draw(mostly(f"001D9CD1F6{n:02}", None)),
        "activeFlag": draw(st.booleans()),
        "notes": draw(st.sampled_from(["by hand", None])),
        "vendorNotes": draw(st.sampled_from(["kept", None])),
        "customFields": draw(mostly([], [{"id": 5, "value": f"k{n}"}], [{"id": 5, "value": "gone"}])),
    }


items = st.lists(an_asset(), max_size=10)
records = st.lists(a_record(), max_size=10, unique_by=lambda record: record["id"])


@settings(max_examples=60, deadline=None)
@given(items, records)
def test_a_second_run_writes_nothing(assets: list[dict[str, Any]], existing: list[dict[str, Any]]) -> None:
    """Unless the first run settled what stood in the way of an asset that it had to leave alone.

    When it corrects a serial number that two configurations shared, the other one can be matched afterwards.
    """
    server = Server(existing)
    first = server.run(assets)
    assert first.counts.read == len(assets)
    written = server.writes
    runs = [server.run(assets) for _ in range(len(assets) + 1)]
    if first.counts.ambiguous + first.counts.skipped == 0:
        assert runs[0].nothing_to_write
        assert server.writes == written
    assert runs[-1].nothing_to_write


@settings(max_examples=50, deadline=None)
@given(items, records)
def test_no_asset_is_held_twice_and_nothing_unmapped_changes(
    assets: list[dict[str, Any]], existing: list[dict[str, Any]]
) -> None:
    server = Server(existing)
    before = {record_id: record.get("vendorNotes") for record_id, record in server.records.items()}
    plan = server.run(assets)
    created = [server.records[number] for number in server.records.keys() - before.keys()]
    keys = [record["customFields"][0]["value"] for record in created]
    assert len(keys) == len(set(keys)) == plan.counts.created
    assert {number: server.records[number].get("vendorNotes") for number in before} == before


@settings(max_examples=50, deadline=None)
@given(items, records, st.data())
def test_counts_add_up_after_any_failures(
    assets: list[dict[str, Any]], existing: list[dict[str, Any]], data: st.DataObject
) -> None:
    plan, _ = Server(existing).plan(assets)
    counts = plan.counts.after_writes(
        failed_creations=data.draw(st.integers(0, plan.counts.created)),
        failed_modifications=data.draw(st.integers(0, plan.counts.modified)),
    )
    assert counts.accounted == len(assets)
