"""The plan: counts that add up, the references it needs, no dependence on order, small for many records."""

from __future__ import annotations

import tracemalloc
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rules.asset_sync.matching.result import Ambiguous, Match, MatchResult, Unmatched
from tasks.rules.asset_sync.plan import Plan, PlanOptions, build_plan, compare_matched, needed_names
from tasks.rules.asset_sync.references import REFERENCE_KINDS, plan_references
from tasks.rules.asset_sync.render import plan_markdown, report_markdown
from tasks.rules.asset_sync.report import SyncCounts, SyncReport
from tasks.rules.mapping.compile import CompiledMapping
from tasks.rules.report import WriteFailure, WrittenRecord
from tasks.rules.text import ROWS
from tasks.rules.values import AssetRecord, ConfigurationRecord
from tests.support.factories.asset_sync import asset, compiled, configuration, wire

EXISTING: dict[str, list[dict[str, Any]]] = {
    "type.name": [{"id": 11, "name": "ls_Windows"}],
    "status.name": [{"id": 21, "description": "ls_Active"}],
    "manufacturer.name": [{"id": 31, "name": "Dell"}, {"id": 33, "name": "Old", "inactiveFlag": True}],
    "location.name": [{"id": 41, "name": "Tampa"}],
}


def planned(result: MatchResult, mapping: CompiledMapping | None = None, **options: Any) -> Plan:
    """The plan, with locations never created and the other kinds created."""
    used = mapping or compiled()
    compared = compare_matched(result.matched, used)
    names = needed_names([each.asset for each in result.unmatched], compared.changed, used)
    references = {
        path: plan_references(REFERENCE_KINDS[path], wanted, EXISTING[path], create=path != "location.name")
        for path, wanted in names.items()
    }
    return build_plan(result, compared, used, references, PlanOptions(**options))


def match(
    key: str = "k1", record_id: int = 100, current: dict[str, Any] | None = None, **values: Any
) -> Match:
    return Match(asset(key, **values), configuration(record_id, key, **(current or {})), "link")


def test_every_asset_read_is_in_one_count() -> None:
    result = MatchResult(
        matched=[match("k1"), match("k2", 101, serialNumber="S2")],
        unmatched=[Unmatched(asset("k3")), Unmatched(asset("k4", name="n" * 101))],
        ambiguous=[Ambiguous(asset("k5"), [configuration(102, None)], "two of one serial number")],
        orphaned=[configuration(103, "gone")],
    )
    plan = planned(result)
    assert plan.counts.as_dict() == {
        "read": 5,
        "created": 1,
        "modified": 1,
        "unchanged": 1,
        "ambiguous": 1,
        "skipped": 1,
        "failed": 0,
    }
    assert [each.id for each in plan.orphaned] == [103]
    assert [(each.asset_key, each.reason) for each in plan.skipped] == [
        ("k4", "name has 101 characters, ConnectWise allows 100")
    ]


def test_changes_are_shown_field_by_field() -> None:
    plan = planned(MatchResult(matched=[match(serialNumber="S2", current={"serialNumber": "S1"})]))
    change = plan.modifications[0].changes[0]
    assert (change.field, change.current, change.wanted) == ("serialNumber", "S1", "S2")


def test_only_names_that_are_written_are_created() -> None:
    result = MatchResult(
        matched=[match("k1", type_name="Mainframe"), match("k2", 101, manufacturer_name="Cray")],
        unmatched=[
            Unmatched(asset("k3", type_name="Linux")),
            Unmatched(asset("k4", name=None, manufacturer_name="Nobody")),
        ],
    )
    assert planned(result).reference_creations == {"manufacturer.name": ["Cray"], "type.name": ["ls_Linux"]}


def test_a_refused_type_skips_the_asset_and_nothing_is_created_for_it() -> None:
    plan = planned(MatchResult(unmatched=[Unmatched(asset(type_name="t" * 60, manufacturer_name="Cray"))]))
    assert (plan.counts.skipped, plan.reference_creations) == (1, {})
    assert "63 characters, ConnectWise allows 50" in plan.skipped[0].reason


def test_optional_names_that_can_not_be_used_are_left_out_with_one_warning() -> None:
    assets = [asset(f"k{n}", manufacturer_name="Old", location_name="Moon") for n in range(5)]
    plan = planned(MatchResult(unmatched=[Unmatched(each) for each in assets]))
    assert (plan.counts.created, plan.reference_creations) == (5, {})
    assert [(each.text, each.count) for each in plan.warnings] == [
        ("location 'Moon' does not exist in ConnectWise; location.name is left out", 5),
        ("manufacturer 'Old' is inactive in ConnectWise; manufacturer.name is left out", 5),
    ]
    assert [each.name for each in plan.warnings[0].examples] == ["PC k0", "PC k1", "PC k2"]


def test_a_change_that_can_not_be_written_leaves_the_asset_unchanged() -> None:
    plan = planned(MatchResult(matched=[match(location_name="Moon")]))
    assert (plan.counts.unchanged, plan.nothing_to_write, plan.predicted.writes) == (1, True, 0)


def test_a_type_changes_only_when_asked_and_as_its_own_call() -> None:
    result = MatchResult(matched=[match(type_name="Linux", serialNumber="S2")])
    assert planned(result).type_changes == []
    plan = planned(result, compiled(type_name="lansweeper"))
    assert plan.type_changes[0].type_change is not None
    assert [change.field for change in plan.modifications[0].changes] == ["serialNumber"]
    assert plan.counts.modified == 1
    assert plan.predicted.type_changes == 1


def test_a_configuration_of_which_only_the_type_changes_is_in_no_batch() -> None:
    plan = planned(MatchResult(matched=[match(type_name="Linux")]), compiled(type_name="lansweeper"))
    assert (plan.field_modifications, plan.predicted.rereads, plan.predicted.writes) == ([], 1, 2)


def test_an_inactive_configuration_is_listed_and_not_reactivated() -> None:
    result = MatchResult(matched=[match(activeFlag=True, serialNumber="S2", current={"activeFlag": False})])
    plan = planned(result)
    assert [each.id for each in plan.inactive] == [100]
    assert [change.field for change in plan.modifications[0].changes] == ["serialNumber"]
    again = planned(result, reactivate=True)
    assert [change.field for change in again.modifications[0].changes] == ["serialNumber", "activeFlag"]


def test_an_asset_without_a_key_is_never_written() -> None:
    plan = planned(MatchResult(matched=[match("", 100, serialNumber="S2")], unmatched=[Unmatched(asset(""))]))
    assert (plan.counts.skipped, plan.nothing_to_write) == (2, True)


def test_the_warning_of_a_creation_is_kept() -> None:
    plan = planned(MatchResult(unmatched=[Unmatched(asset(), "looks like configuration 7")]))
    assert plan.creations[0].warnings == ("looks like configuration 7",)


kinds = st.sampled_from(["same", "changed", "typed", "new", "nameless", "unclear"])


@settings(max_examples=50)
@given(st.lists(kinds, max_size=25), st.randoms(), st.integers(1, 50))
def test_any_order_of_input_gives_the_same_plan(parts: list[str], random: Any, size: int) -> None:
    mapping = compiled(type_name="lansweeper")
    result = _result(parts)
    first = planned(result, mapping, batch_size=size)
    for part in (result.matched, result.unmatched, result.ambiguous):
        random.shuffle(part)
    second = planned(result, mapping, batch_size=size)
    assert second == first
    assert second.checksum == first.checksum
    assert first.counts.read == len(parts)


def _result(parts: list[str]) -> MatchResult:
    result = MatchResult()
    for n, part in enumerate(parts):
        key = f"k{n}"
        if part in ("same", "changed", "typed"):
            values = {"changed": {"serialNumber": f"S{n % 3}"}, "typed": {"type_name": f"T{n % 3}"}}
            result.matched.append(match(key, n + 1, **values.get(part, {})))
        elif part == "unclear":
            result.ambiguous.append(Ambiguous(asset(key), [], "twice"))
        else:
            name = None if part == "nameless" else f"N{n % 3}"
            result.unmatched.append(Unmatched(asset(key, name=name, manufacturer_name=f"M{n % 4}")))
    return result


def test_the_checksum_changes_with_what_is_written() -> None:
    plans = [
        planned(MatchResult(matched=[match(serialNumber="S2")])),
        planned(MatchResult(matched=[match(serialNumber="S3")])),
        planned(MatchResult(unmatched=[Unmatched(asset())])),
        planned(MatchResult(unmatched=[Unmatched(asset("k2"))])),
        planned(MatchResult()),
    ]
    assert len({plan.checksum for plan in plans}) == len(plans)
    assert all(len(plan.checksum) == 16 for plan in plans)


FEW, MANY = 2 * ROWS, 20 * ROWS
MAPPING = compiled()


def sized(key: str, **values: Any) -> AssetRecord:
    return MAPPING.read_asset({"key": key, "name": f"PC {key}", "type_name": "Windows", **values})


def existing(number: int, key: str) -> ConfigurationRecord:
    return MAPPING.read_configuration(wire(number, key))


def plan_of(size: int) -> Plan:
    """As many creations, modifications, ambiguous, skipped and orphaned records, with a warning each."""
    keys = [f"{number:05}" for number in range(size)]
    result = MatchResult(
        matched=[
            Match(sized(f"m{key}", serialNumber="new"), existing(int(key), f"m{key}"), "link") for key in keys
        ],
        unmatched=[
            *(Unmatched(sized(f"u{key}", location_name=f"Nowhere {key}")) for key in keys),
            *(Unmatched(sized(f"s{key}", name=None)) for key in keys),
        ],
        ambiguous=[Ambiguous(sized(f"a{key}"), [existing(1, "")], "two of them") for key in keys],
        orphaned=[existing(int(key), f"o{key}") for key in keys],
    )
    plan = planned(result, MAPPING)
    assert (len(plan.creations), len(plan.modifications), len(plan.skipped)) == (size, size, size)
    return plan


def report_of(size: int) -> SyncReport:
    return SyncReport(
        SyncCounts(read=2 * size, created=size, failed=size),
        failures=[WriteFailure(f"k{n:05}", f"PC {n:05}", "create", "refused") for n in range(size)],
        references_created={"manufacturer.name": [f"Maker {n:05}" for n in range(size)]},
        duplicates=[f"k{n:05}" for n in range(size)],
        written=[WrittenRecord(f"w{n:05}", f"PC {n:05}", "created", n) for n in range(size)],
    )


def test_the_artifacts_do_not_grow_with_the_records() -> None:
    few, many = plan_of(FEW), plan_of(MANY)
    # What may grow are the digits of "and 1,950 more".
    assert len(plan_markdown(many)) < len(plan_markdown(few)) + 100
    shown = [len(report_markdown(report_of(size), plan)) for size, plan in ((FEW, few), (MANY, many))]
    assert shown[1] < shown[0] + 100
    assert max(shown) < 60_000


def test_the_checksum_of_a_plan_needs_no_copy_of_it() -> None:
    plan = plan_of(MANY)
    tracemalloc.start()
    try:
        assert len(plan.checksum) == 16
        assert tracemalloc.get_traced_memory()[1] / (2 * MANY) < 400
    finally:
        tracemalloc.stop()
