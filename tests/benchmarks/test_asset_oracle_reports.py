"""The model answer of the asset synchronization holds reports and quiet runs against what was really done."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from benchmarks.chaos.schedule import FaultPlan
from benchmarks.chaos.verdict import RunRecord
from tests.support.benchmarks.asset_stage import Stage
from tests.support.sandbox.calls import API


def _wrong_sum(runs: list[RunRecord]) -> str:
    (runs[0].counts or {})["unchanged"] += 1
    return "run 1 (clean, Completed): its counts do not add up"


def _wrong_created(runs: list[RunRecord]) -> str:
    counts = runs[0].counts or {}
    counts |= {"created": counts["created"] - 1, "unchanged": counts["unchanged"] + 1}
    return "run 1 (clean, Completed): its report says created "


def _modified_nothing(runs: list[RunRecord]) -> str:
    counts = runs[0].counts or {}
    counts |= {"modified": counts["modified"] + 1, "unchanged": counts["unchanged"] - 1}
    return "run 1 (clean, Completed): its report says modified "


def _modified_another(runs: list[RunRecord]) -> str:
    written = (runs[0].report or {})["written"]
    told = next(each for each in written if each["action"] == "modified")
    told["configuration_id"] = next(one["configuration_id"] for one in written if one["action"] == "created")
    return "was modified, and the sandbox did not see it"


def _wrong_read(runs: list[RunRecord]) -> str:
    counts = runs[1].counts or {}
    counts |= {"read": counts["read"] - 1, "unchanged": counts["unchanged"] - 1}
    return "run 2 (quiet, Completed): it read 27 assets, and the site had 28"


def _wrong_requests(runs: list[RunRecord]) -> str:
    (runs[0].report or {})["requests_used"] += 1
    return "run 1 (clean, Completed): its report says "


def _wrong_id(runs: list[RunRecord]) -> str:
    told = (runs[0].report or {})["written"][0]
    told["configuration_id"] = 999_999
    return f"says that configuration 999999 of asset {told['asset_key']} was created, and the sandbox"


def _named_twice(runs: list[RunRecord]) -> str:
    told = (runs[0].report or {})["written"]
    told.append(told[0])
    return "its report names an asset twice"


def _no_report(runs: list[RunRecord]) -> str:
    runs[0].counts, runs[0].report, runs[0].error = None, None, "StopError('why')"
    return "run 1 (clean, Completed): it has no report: StopError('why')"


def _noisy(runs: list[RunRecord]) -> str:
    runs[1] = RunRecord("quiet", "Completed", runs[1].counts, runs[1].report, runs[0].requests)
    return "run 2 (quiet, Completed): "


def _wet(runs: list[RunRecord]) -> str:
    runs[0].fault_plan = FaultPlan(dry_run=True)
    return "none may be (law 5)"


REPORTS: tuple[Callable[[list[RunRecord]], str], ...] = (
    _wrong_sum,
    _wrong_created,
    _modified_nothing,
    _modified_another,
    _wrong_read,
    _wrong_requests,
    _wrong_id,
    _named_twice,
    _no_report,
    _noisy,
    _wet,
)


def test_a_report_that_is_not_true_is_named(stage: Stage) -> None:
    true = stage.runs()
    for spoil in REPORTS:
        runs = deepcopy(true)
        words = spoil(runs)
        found = stage.judge(runs).faults
        assert any(words in fault for fault in found), (spoil, found)


def test_a_write_in_the_quiet_run(stage: Stage) -> None:
    clean = stage.sync.run("clean")
    stage.sandbox.clear_requests()
    stage.sync.http.post(f"{API}/procurement/manufacturers", json={"name": "HP"})
    quiet = RunRecord("quiet", "Completed", None, None, stage.sandbox.requests(), error="gone")
    found = stage.judge([clean, quiet]).faults
    assert any("1 write requests were sent, and none may be (law 2)" in fault for fault in found)
