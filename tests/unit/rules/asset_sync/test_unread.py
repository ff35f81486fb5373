"""A record that the mapping fails on keeps its place: no asset counts as gone, none is created twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from connectors.ledger.models import JournalledWrite
from tasks.rules.asset_sync.matching.match import match
from tasks.rules.asset_sync.matching.result import MatchOptions
from tasks.rules.asset_sync.plan import PlanOptions, build_plan, compare_matched
from tasks.rules.asset_sync.references import TYPE, plan_references
from tasks.rules.asset_sync.undo import plan_undo
from tasks.rules.asset_sync.unread import UnreadRecords
from tasks.rules.isolation import UnreadRecord, convert_page
from tasks.rules.mapping.compile import compile_mapping
from tasks.rules.mapping.model import FieldMapping

MAPPING = compile_mapping(
    [
        FieldMapping(source="assetBasicInfo.name", target="name"),
        FieldMapping(source="assetCustom.serialNumber", target="serialNumber"),
        FieldMapping(source="assetBasicInfo.type", target="type.name"),
        FieldMapping(source="assetCustom.note", target="customFields.Note"),
    ],
    custom_field_ids={"ls_asset_id": 5, "Note": 6},
)
TYPES = plan_references(TYPE, ["ls_PC"], [{"id": 1, "name": "ls_PC"}], create=False)


class _Spoilt(str):
    """A text that nothing can be done with."""

    def strip(self, *_: Any) -> str:
        raise OverflowError("too much")

    __str__ = strip  # type: ignore[assignment]


def asset(number: int, note: str | None = None) -> dict[str, Any]:
    return {
        "key": f"k{number}",
        "assetBasicInfo": {"name": f"pc{number}", "type": "PC"},
        "assetCustom": {"serialNumber": f"S{number}00", "note": note},
    }


def configuration(number: int, key: str | None, *customs: Any) -> dict[str, Any]:
    fields = [{"id": 5, "caption": "ls_asset_id", "value": key}, *customs]
    return {
        "id": number,
        "name": f"pc{number}",
        "serialNumber": f"S{number}00",
        "type": {"id": 1, "name": "ls_PC"},
        "activeFlag": True,
        "customFields": fields,
    }


def planned(assets: list[Any], configurations: list[Any], known: dict[str, int] | None = None) -> Any:
    unread = UnreadRecords(MAPPING)
    failed: list[UnreadRecord] = []
    read = convert_page(assets, MAPPING.read_asset, failed)
    read += unread.assets_of(failed)
    failed.clear()
    there = convert_page(configurations, MAPPING.read_configuration, failed)
    there += unread.configurations_of(failed)
    result = match(read, there, MatchOptions(complete="" not in unread.assets))
    held = unread.held(result, known or {})
    compared = compare_matched(result.matched, MAPPING, held)
    plan = build_plan(result, compared, MAPPING, {"type.name": TYPES}, PlanOptions(held=held))
    return plan, {each.asset_key: each.reason for each in plan.skipped}, unread


def test_an_asset_that_can_not_be_read_is_skipped_and_its_configuration_is_not_gone() -> None:
    plan, skipped, unread = planned(
        [asset(1, _Spoilt("x")), asset(2), asset(3)], [configuration(1, "k1"), configuration(2, "k2")]
    )
    assert [each.asset.key for each in plan.creations] == ["k3"]
    assert "OverflowError: too much" in skipped["k1"]
    assert (plan.orphaned, plan.counts.read, plan.counts.skipped) == ([], 3, 1)
    assert "1 asset could not be read" in unread.notes()[0]


def test_an_asset_without_a_readable_key_is_never_created() -> None:
    broken = {**asset(1, _Spoilt("x")), "key": _Spoilt("k1")}
    plan, skipped, _ = planned([broken, asset(2)], [configuration(1, "k1"), configuration(2, "k2")])
    # It could be the one that seems gone, so none is; and its serial number alone decides nothing.
    assert (plan.creations, plan.orphaned, skipped, plan.counts.ambiguous) == ([], [], {}, 1)


def test_a_configuration_that_can_not_be_read_is_linked_by_what_can() -> None:
    broken = configuration(1, "k1", {"id": 6, "value": _Spoilt("x")})
    broken["customFields"] = _FailsOnce(broken["customFields"])
    plan, skipped, _ = planned([asset(1), asset(3)], [broken])
    assert [each.asset.key for each in plan.creations] == ["k3"]
    assert skipped["k1"].startswith("configuration 1 could not be read")


class _FailsOnce(list[Any]):
    """Custom fields that the whole mapping fails on, page and record, and the key alone does not."""

    def __init__(self, given: list[Any]) -> None:
        super().__init__(given)
        self.times = 0

    def __iter__(self) -> Any:
        self.times += 1
        if self.times < 3:
            raise TypeError("no list")
        return super().__iter__()


def test_nothing_is_created_while_a_configuration_may_be_any_assets() -> None:
    broken = {"id": 7, "name": "pc7", "customFields": [3]}
    plan, skipped, _ = planned([asset(1), asset(2)], [configuration(1, "k1"), broken])
    assert plan.creations == []
    assert "the asset key of configuration 7 can't be read" in skipped["k2"]
    # The ledger knows whose it is.
    plan, skipped, _ = planned([asset(1), asset(2), asset(7)], [configuration(1, "k1"), broken], {"k7": 7})
    assert [each.asset.key for each in plan.creations] == ["k2"]
    assert skipped["k7"].startswith("configuration 7 could not be read")


def test_what_is_no_custom_field_beside_the_asset_key_costs_its_own_configuration_alone() -> None:
    odd = configuration(1, "k1", None, 3, {"id": [1]}, {"caption": "no id"})
    plan, skipped, unread = planned([asset(1), asset(2)], [odd])
    assert [each.asset.key for each in plan.creations] == ["k2"]
    assert skipped["k1"].startswith("configuration 1 could not be read")
    assert unread.unkeyed == set()
    # Where the asset key's own entry is not to be found, what is none may stand in its place.
    lost = {**odd, "customFields": [None, {"id": 6, "caption": "Note", "value": "x"}]}
    plan, skipped, unread = planned([asset(1), asset(2)], [lost])
    assert (plan.creations, unread.unkeyed) == ([], {1})


def test_an_undo_goes_on_beside_a_record_that_can_not_be_compared() -> None:
    writes = [
        JournalledWrite(
            id=number,
            run_id="r1",
            connection="default",
            company_id=2,
            operation="modify",
            record_kind="configuration",
            record_id=number,
            asset_key=f"k{number}",
            record_name=f"pc{number}",
            before={"name": "old"},
            after={"name": "new"},
            begun_at=datetime(2026, 1, 1, tzinfo=UTC),
            settled_at=None,
            outcome="done",
            message=None,
        )
        for number in (1, 2)
    ]
    plan = plan_undo(writes, {1: {"id": 1, "name": _Spoilt("new")}, 2: {"id": 2, "name": "new"}})
    assert [each.record_id for each in plan.steps] == [2]
    assert ["It can't be compared" in each.reason for each in plan.refused] == [True]
