"""The least requests of a run, what it may cost, and which promises made-up runs keep and break."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.performance.bounds import (
    NO_CHANGE,
    USUAL_RUN,
    Check,
    Work,
    least_by_part,
    least_requests,
    matching_checks,
    most_connectwise,
    most_lansweeper,
    rereads,
    row_checks,
    straight_line,
    used_by_part,
    wall_limit,
)
from tests.support.benchmarks.figures import MATCHING, row

KINDS = {"types": 80, "statuses": 12, "manufacturers": 1_001, "locations": 30}
USUAL = Work(KINDS, missing=20, existing=15_000, created=750, modified=1_500)


def broken(checks: Any) -> list[str]:
    return [check.name for check in checks if not check.held]


def test_the_least_of_a_usual_run_is_what_the_formula_says() -> None:
    assert least_requests(USUAL) == (1 + 1 + 2 + 1) + 20 + 15 + 15 + 30
    assert rereads(USUAL) == 30


def test_an_empty_company_costs_no_page_and_nothing_to_do_costs_no_write() -> None:
    assert least_requests(Work({"types": 1}, 0, 0, 0, 0)) == 1


@pytest.mark.parametrize("work", [USUAL, Work(KINDS, 5, 0, 999, 0), Work(KINDS, 0, 1, 0, 51)])
def test_the_parts_add_up_to_the_least_with_the_rereads(work: Work) -> None:
    assert sum(least_by_part(work).values()) == least_requests(work) + rereads(work)


def test_every_request_that_was_served_stands_in_one_part() -> None:
    served = {
        "GET /company/configurations/types": 1,
        "POST /procurement/manufacturers": 11,
        "GET /company/configurations": 46,
        "POST /company/configurations/bulk": 15,
        "PUT /company/configurations/bulk": 30,
        "PATCH /company/configurations/{id}": 2,
        "GET /company/companies": 1,
    }
    assert list(used_by_part(served).values()) == [1, 11, 46, 15, 30, 3]


def test_limits() -> None:
    assert most_connectwise(80, 30) == 118
    assert most_lansweeper(15_001, 31) == 31 * 2 + 2
    # 100 requests, 50 ms, four at once: 1.25 s of waiting.
    assert wall_limit(row(requests=100, cpu_seconds=2.0, sandbox_cpu_seconds=0.75)) == 5.2


def test_a_run_that_keeps_all_promises() -> None:
    assert broken(row_checks(row(prefect_share=0.09))) == []
    assert len(list(row_checks(row(prefect_share=0.09)))) == 8


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"connectwise_requests": 339}, "ConnectWise requests"),
        ({"lansweeper_requests": 33}, "Lansweeper requests"),
        ({"peak_megabytes": 1_537}, "peak memory, MiB"),
        ({"new_records": 14_962}, "creations that the sandbox does not have"),
        ({"kind": USUAL_RUN, "counts": row()["counts"] | {"modified": 1}}, "modifications beside those"),
        ({"counts": row()["counts"] | {"failed": 1}}, "assets that failed"),
        ({"kind": NO_CHANGE, "connectwise_writes": 1}, "writes without a change"),
        ({"wall_seconds": 29.3}, "wall seconds"),
        ({"prefect_share": 0.11}, "Prefect's share of the wall"),
    ],
)
def test_each_promise_can_be_broken(changed: dict[str, Any], name: str) -> None:
    (found,) = broken(row_checks(row(**{"connectwise_writes": 0} | changed)))
    assert found.startswith(name)


@pytest.mark.parametrize("changed", [{"assets": 1_000}, {"latency_ms": 0.0}, {"kind": USUAL_RUN}])
def test_wall_time_has_a_bound_in_one_run_only(changed: dict[str, Any]) -> None:
    assert broken(row_checks(row(wall_seconds=99.0, **changed))) == []


def test_a_curve_is_no_straight_line() -> None:
    straight = [row(), row(assets=100_000, cpu_seconds=90.0), row(assets=1_000, cpu_seconds=10.0)]
    assert broken(straight_line(straight)) == []
    assert len(list(straight_line(straight))) == 1
    assert len(broken(straight_line([row(), row(assets=100_000, cpu_seconds=110.0)]))) == 1


def test_match_and_diff_is_held_against_both_peers() -> None:
    assert broken(matching_checks(MATCHING)) == []
    slow = MATCHING | {"ratio": 1.6, "best_ratio": 1.51, "diffsync_ratio": {"median": 3.0, "fastest": 3.9}}
    assert len(broken(matching_checks(slow))) == 2


def test_a_check_says_its_limit_and_verdict() -> None:
    assert Check("a", 2, 3).as_json() == {"check": "a", "value": 2, "at most": 3, "held": True}
    assert Check("a", 2, 3, least=True).as_json() == {"check": "a", "value": 2, "at least": 3, "held": False}
