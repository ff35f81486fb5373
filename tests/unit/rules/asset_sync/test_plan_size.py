"""A plan of many records: what is shown of it stays small, and summing it up needs little memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

from tasks.rules.asset_sync.match_result import Ambiguous, Match, MatchResult, Unmatched
from tasks.rules.asset_sync.plan import Plan
from tasks.rules.asset_sync.render import plan_markdown, report_markdown
from tasks.rules.asset_sync.report import SyncCounts, SyncReport
from tasks.rules.report import WriteFailure, WrittenRecord
from tasks.rules.text import ROWS
from tasks.rules.values import AssetRecord, ConfigurationRecord
from tests.support.factories.asset_sync import compiled, wire
from tests.unit.rules.asset_sync.test_plan import planned

FEW, MANY = 2 * ROWS, 20 * ROWS
MAPPING = compiled()


def asset(key: str, **values: Any) -> AssetRecord:
    return MAPPING.read_asset({"key": key, "name": f"PC {key}", "type_name": "Windows", **values})


def configuration(number: int, key: str) -> ConfigurationRecord:
    return MAPPING.read_configuration(wire(number, key))


def plan_of(size: int) -> Plan:
    """As many creations, modifications, ambiguous, skipped and orphaned records, with a warning each."""
    keys = [f"{number:05}" for number in range(size)]
    result = MatchResult(
        matched=[
            Match(asset(f"m{key}", serialNumber="new"), configuration(int(key), f"m{key}"), "link")
            for key in keys
        ],
        unmatched=[
            *(Unmatched(asset(f"u{key}", location_name=f"Nowhere {key}")) for key in keys),
            *(Unmatched(asset(f"s{key}", name=None)) for key in keys),
        ],
        ambiguous=[Ambiguous(asset(f"a{key}"), [configuration(1, "")], "two of them") for key in keys],
        orphaned=[configuration(int(key), f"o{key}") for key in keys],
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
